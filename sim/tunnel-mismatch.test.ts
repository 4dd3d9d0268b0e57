/**
 * A key, cipher, smux version or compression that differs from the peer's is named in the log within 2 s, in virtual time: between our own ends,
 * and by our client alone against a kcptun of 2021, whose way of closing is modelled in kcptun-2021.ts. SEEDS=200 looks longer.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../src/base/prng.ts";
import { createCipher } from "../src/cipher/cipher.ts";
import { primitives } from "../src/host/crypto.ts";
import { TunnelClient } from "../src/tunnel/client.ts";
import { clientConfig, serverConfig } from "../src/tunnel/config.ts";
import { Kcptun2021 } from "./kcptun-2021.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";
import { VirtualNetwork } from "./virtual-network.ts";

const links = ["delay=5", "delay=100", "delay=50 loss=10%"];
const seeds = Array.from({ length: Number(process.env.SEEDS ?? 4) }, (_, i) => i + 1);

const silent = "no answer: nothing listens there, the way is blocked, or key or crypt differ from the server's";
const foreign = "datagrams that do not decrypt: key or crypt differ";
const settings = "smuxver or nocomp differ";

for (const [name, client, server] of [
  ["key", { key: "one", crypt: "aes" }, { key: "two", crypt: "aes" }],
  ["crypt", { crypt: "aes" }, { crypt: "aes-128-gcm" }],
  ["crypt none and null", { crypt: "none" }, { crypt: "null" }],
  ["crypt null and none", { crypt: "null" }, { crypt: "none" }],
] as const) {
  for (const link of links) {
    test(`both our ends name it within 2 s: ${name}, ${link}`, () => {
      for (const seed of seeds) {
        const log = new LogLines();
        const of = new TunnelWorld({ link, seed, log, client, server }, () => assert.fail("a connection came through"));
        of.connect((socket) => new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 100_000 }));
        of.run(2);
        const lines = log.count(foreign);
        assert.ok(lines >= 1 && lines <= 2, `${lines} lines at the server, seed ${seed}:\n${log.lines.join("\n")}`);
        assert.equal(log.count(silent), 1, `seed ${seed}:\n${log.lines.join("\n")}`);
        assert.equal(of.server.report(0).length, 0);
      }
    });
  }
}

/** Our client at a kcptun server of 2021 that speaks smux 1 behind snappy. */
function alone(client: Record<string, unknown>, link: string, seed: number, bytes: number, farewell: boolean) {
  const network = new VirtualNetwork();
  const [near, far] = ["10.0.0.1", "10.0.0.2"];
  network.join(near, far, link, seed);
  const log = new LogLines();
  const both = { compat: "2021", crypt: "none", key: "k" };
  const theirs = serverConfig.parse({ ...both, smuxver: 1 });
  const cipher = createCipher("none", primitives.deriveKey("k"), primitives);
  const server = new Kcptun2021(network.host(far), { host: far, port: 3000 }, theirs, cipher, farewell);
  const ours = clientConfig.parse({ ...both, localaddr: `${near}:1000`, remoteaddr: `${far}:3000`, ...client });
  const prng = new Prng(seed);
  const seeded = { ...primitives, random: (into: Uint8Array) => void prng.fill(into) };
  new TunnelClient(ours, { loop: network.host(near), log, primitives: seeded });
  const traffic: Traffic = new Traffic(() => socket, { sendSeed: 1, expectSeed: 2, sendBytes: bytes });
  const socket = network.host(near).connect({ host: near, port: 1000 }, traffic);
  return { network, log, server, traffic };
}

for (const [name, client] of [
  ["smuxver", { smuxver: 2 }],
  ["nocomp", { smuxver: 1, nocomp: "true" }],
  ["smuxver and nocomp", { smuxver: 2, nocomp: "true" }],
] as const) {
  for (const link of links) {
    for (const farewell of [true, false]) {
      test(`our client alone names it within 2 s: ${name}, ${link}, a kcptun that ${farewell ? "acknowledges" : "says nothing"} when it closes`, () => {
        for (const bytes of [1, 3000, 1_000_000]) {
          for (const seed of seeds) {
            const { network, log, server } = alone(client, link, seed, bytes, farewell);
            network.run(2000);
            const shown = `${bytes} bytes, seed ${seed}:\n${log.lines.join("\n")}`;
            assert.ok(server.refused > 0, `the server refused nothing, ${shown}`);
            assert.ok(log.count(settings) >= 1 && log.count(settings) <= 2, shown);
          }
        }
      });
    }
  }
}

// Where a third is lost both ways, the line that offers this as the reason would be right.
for (const link of [...links, "delay=50 loss=20%"]) {
  test(`nothing is said of a server that understands and is silent, ${link}`, () => {
    for (const seed of seeds) {
      const { network, log, traffic } = alone({ smuxver: 1 }, link, seed, 2000, true);
      network.run(25_000);
      assert.equal(log.lines.filter((line) => /differ|ended/.test(line)).length, 0, `seed ${seed}:\n${log.lines.join("\n")}`);
      assert.deepEqual([traffic.broken, traffic.ended], [undefined, false]);
    }
  });
}
