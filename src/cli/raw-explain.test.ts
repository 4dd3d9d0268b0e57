import assert from "node:assert/strict";
import { test } from "node:test";
import { type IpVersion, RawSizes } from "../carrier/raw-sizes.ts";
import type { AuthMode } from "../faketcp/auth-mode.ts";
import type { CipherMode } from "../faketcp/cipher-mode.ts";
import type { RawMode } from "../faketcp/mode.ts";
import { explainRaw } from "./raw-explain.ts";
import { parseRaw } from "./raw-settings.ts";

function explained(...argv: string[]): string {
  const request = parseRaw({ argv: ["explain", ...argv], env: {} });
  return request.action === "explain" ? explainRaw(request.settings) : assert.fail(request.action);
}

test("the largest datagram in a packet of 1500 bytes is the measured one", () => {
  const measured: readonly (readonly [RawMode, CipherMode, AuthMode, IpVersion, number])[] = [
    ["faketcp", "aes128cbc", "md5", 4, 1401],
    ["faketcp", "aes128cbc", "hmac_sha1", 4, 1401],
    ["faketcp", "aes128cfb", "md5", 4, 1410],
    ["faketcp", "xor", "simple", 4, 1418],
    ["faketcp", "none", "none", 4, 1426],
    ["icmp", "aes128cbc", "md5", 4, 1433],
    ["udp", "aes128cbc", "md5", 4, 1433],
    ["faketcp", "aes128cbc", "md5", 6, 1385],
  ];
  for (const [mode, cipherMode, authMode, version, bytes] of measured) {
    const sizes = new RawSizes(mode, { cipherMode, authMode, fixGro: false });
    assert.equal(sizes.largestDatagram(version, 1500), bytes, `${mode} ${cipherMode} ${authMode} IPv${version}`);
  }
});

test("lengths of sealed packets are those of the format", () => {
  const formulas: readonly (readonly [CipherMode, AuthMode, (n: number) => number])[] = [
    ["none", "none", (n) => 22 + n],
    ["xor", "simple", (n) => 30 + n],
    ["aes128cfb", "md5", (n) => 38 + n],
    ["aes128cbc", "md5", (n) => 16 * Math.ceil((39 + n) / 16)],
    ["aes128cbc", "hmac_sha1", (n) => 16 * Math.ceil((23 + n) / 16) + 20],
  ];
  for (const [cipherMode, authMode, bytes] of formulas) {
    const plain = new RawSizes("faketcp", { cipherMode, authMode, fixGro: false });
    const framed = new RawSizes("faketcp", { cipherMode, authMode, fixGro: true });
    for (let n = 0; n <= 1400; n += 7) {
      assert.equal(plain.datagram(n), bytes(n), `${cipherMode} ${authMode} ${n}`);
      assert.equal(framed.datagram(n), bytes(n) + 2);
    }
  }
  const own = new RawSizes("faketcp", { cipherMode: "aes128gcm", authMode: "none", fixGro: false });
  assert.deepEqual([own.datagram(0), own.datagram(1400), own.datagram(1779), own.bare], [34, 1434, -1, 57]);
  const sizes = new RawSizes("faketcp", { cipherMode: "aes128cbc", authMode: "md5", fixGro: false });
  assert.deepEqual([sizes.bare, sizes.heartbeat(1200)], [48, 1248]);
  assert.equal(sizes.datagram(1779), -1, "longer than the original takes");
  assert.equal(sizes.largestDatagram(6, 60), -1, "no room for headers");
});

test("a start-up is the one on the wire, packet by packet", () => {
  const text = explained("-c", "-l", "127.0.0.1:3333", "-r", "192.0.2.1:4096", "-k", "x", "--compat", "udp2raw");
  const packets = [...text.matchAll(/^ {2}(client|server) +(\d+) /gm)].map(([, from, bytes]) => `${from} ${bytes}`);
  const [syn, ack, bare, heartbeat] = [60, 52, 52 + 48, 52 + 1248];
  assert.deepEqual(packets, [
    ...[`client ${syn}`, `server ${syn}`, `client ${ack}`],
    ...[`client ${bare}`, `server ${bare}`, `client ${bare}`, `server ${heartbeat}`, `client ${heartbeat}`],
  ]);
});

test("the modes' weakness and the recommended ones are said, the password never", () => {
  const ends = ["-s", "-l", "0.0.0.0:4096", "-r", "127.0.0.1:5000"];
  const weak = explained(...ends, "-k", "hunter2 x", "--cipher-mode", "xor", "--auth-mode", "simple");
  assert.match(weak, /^Weakness: one recorded heartbeat/m);
  assert.match(
    weak,
    /^Recommended: no --cipher-mode and no --auth-mode between two of ours, --cipher-mode aes128cbc --auth-mode hmac_sha1 with a udp2raw\.$/m,
  );
  assert.match(weak, /ends at its first blank/);
  assert.ok(!weak.includes("hunter2"));
  const strong = explained(...ends, "-k", "hunter2", "--auth-mode", "hmac_sha1");
  assert.doesNotMatch(strong, /Recommended|blank|public default|Replayed/);
  assert.match(explained(...ends, "--auth-mode", "none"), /Replayed packets are taken[\s\S]*public default/);
});

test("a warning that would come after the loss is named", () => {
  const ends = ["-c", "-l", "127.0.0.1:3333", "-r", "[2001:db8::1]:4096", "-k", "x", "--compat", "udp2raw"];
  assert.match(explained(...ends, "--mtu-warn", "1400"), /--mtu-warn 1400 comes too late for that: from 1386 on/);
  assert.doesNotMatch(explained(...ends, "--mtu-warn", "1386"), /too late/);
});
