import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { formatHostPort, formatIp, IP_BYTES, ipScope, parseIp } from "./ip-address.ts";

function roundTrip(text: string): string {
  const bytes = new Uint8Array(IP_BYTES + 3);
  assert.ok(parseIp(text, bytes, 3), text);
  return formatIp(bytes, 3);
}

test("addresses are written as RFC 5952 section 4 says", () => {
  for (const [given, written] of [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0DB8::0001", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["fe80::1%7", "fe80::1"],
  ] as const)
    assert.equal(roundTrip(given), written, given);
});

test("what is written is read back as the same bytes", () => {
  const prng = new Prng(5952);
  for (let round = 0; round < 500; round++) {
    const bytes = prng.fill(new Uint8Array(IP_BYTES));
    for (let i = 0; i < IP_BYTES; i++) if (prng.chance(0.6)) bytes[i] = 0;
    const again = new Uint8Array(IP_BYTES);
    const text = formatIp(bytes, 0);
    assert.ok(parseIp(text, again, 0), text);
    assert.deepEqual(again, bytes, text);
  }
});

test("what is no literal address is refused and nothing is written", () => {
  for (const text of ["", "localhost", "1.2.3", "256.1.1.1", "1.2.3.4:5", "[::1]", "1::2::3", "12345::"]) {
    const bytes = new Uint8Array(IP_BYTES).fill(7);
    assert.equal(parseIp(text, bytes, 0), false, text);
    assert.ok(bytes.every((byte) => byte === 7));
  }
});

test("zones are interface numbers; ports follow brackets", () => {
  assert.equal(ipScope("fe80::1%12"), 12);
  assert.equal(ipScope("fe80::1"), 0);
  assert.equal(ipScope("fe80::1%no-such-interface"), 0);
  assert.equal(formatHostPort("::1", 80), "[::1]:80");
  assert.equal(formatHostPort("192.0.2.1", 80), "192.0.2.1:80");
});
