/** Raw connections in cipher mode aes128gcm, in virtual time: what is carried, what is on the wire, what is played again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../src/base/prng.ts";
import { RawSizes } from "../src/carrier/raw-sizes.ts";
import { AEAD_HANDSHAKE_BYTES, deriveAeadKeys } from "../src/faketcp/aead.ts";
import { deriveKeys } from "../src/faketcp/keys.ts";
import { rawModes } from "../src/faketcp/mode.ts";
import type { RawOptions } from "../src/faketcp/options.ts";
import { faketcpPrimitives } from "../src/host/faketcp-crypto.ts";
import { RawWorld, type RawWorldOptions } from "./raw-world.ts";

const keysOf = (password: string) => ({ ...deriveKeys(password, faketcpPrimitives), aead: deriveAeadKeys(password, faketcpPrimitives) });
const keys = keysOf("simulated");
const aead: Partial<RawOptions> = { cipherMode: "aes128gcm", authMode: "none", keys };

/** A packet as its link got it, from where its payload begins. */
interface Seen {
  readonly packet: Uint8Array;
  readonly payload: Uint8Array;
}

class Recorded {
  readonly world: RawWorld;
  readonly up: Seen[] = [];
  readonly down: Seen[] = [];

  constructor(options: Partial<RawWorldOptions> = {}) {
    this.world = new RawWorld({ seed: 31, ...options, raw: { ...aead, ...options.raw } });
    for (const [link, into] of [
      [this.world.up, this.up],
      [this.world.down, this.down],
    ] as const) {
      const receive = link.receive.bind(link);
      link.receive = (now, bytes, start, end, tag) => {
        const packet = bytes.slice(start, end);
        into.push({ packet, payload: packet.subarray(20 + (packet[32]! >> 4) * 4) });
        return receive(now, bytes, start, end, tag);
      };
    }
  }

  /** Sends so many datagrams of 64 bytes, numbered from `first`, and waits for their echoes. */
  chat(count: number, first = 0): void {
    this.world.run(this.world.now + 1500);
    for (let i = first; i < first + count; i++) assert.ok(this.world.send(i, 64));
    this.world.run(this.world.now + 500);
  }
}

test("every raw mode, IPv4 and IPv6, with fix-gro and without, carries every datagram over a clean link", () => {
  for (const mode of rawModes) {
    for (const v6 of [false, true]) {
      for (const fixGro of [false, true]) {
        const world = new RawWorld({ seed: 3, v6, raw: { ...aead, mode, fixGro } });
        world.run(1000);
        let sent = 0;
        for (let n = 0; n < 60; n++) if (world.send(n, 4 + n * 22)) sent++;
        world.run(1500);
        assert.equal(sent, 60);
        assert.equal(world.echoes.size, 60, `${mode} v6 ${v6} fix-gro ${fixGro}`);
        assert.deepEqual([world.client.connection.stats.forged, world.server.stats.strangers, world.ports], [0, 0, 1]);
      }
    }
  }
});

test("over loss and reordering the handshake stands and what is not lost arrives; after an outage the conversation goes on", () => {
  const world = new RawWorld({ seed: 8, link: "delay=50 jitter=30 loss=10%", raw: aead });
  let sent = 0;
  world.run(8000, (now) => {
    if (now % 10 === 0 && world.send(sent, 100)) sent++;
  });
  assert.ok(sent > 400 && world.echoes.size > sent * 0.7, `${world.echoes.size} of ${sent}`);
  world.client.reconnect(world.now);
  world.run(14_000);
  assert.ok(world.send(100_000, 100) && world.send(100_001, 100) && world.send(100_002, 100));
  world.run(15_000);
  assert.equal(world.server.stats.moves, 1);
  assert.ok([100_000, 100_001, 100_002].some((number) => world.echoes.has(number)));
});

test("packets are as long as explained, and no two of a kind share a byte that stays", () => {
  const recorded = new Recorded();
  recorded.chat(200);
  const sizes = new RawSizes("faketcp", { cipherMode: "aes128gcm", authMode: "none", fixGro: false });
  assert.equal(sizes.bare, AEAD_HANDSHAKE_BYTES);
  const lengths = new Set(recorded.up.map(({ payload }) => payload.length));
  assert.deepEqual(
    [...lengths].sort((a, b) => a - b),
    [0, sizes.bare, sizes.datagram(64), sizes.heartbeat(1200)],
  );
  const data = recorded.up.filter(({ payload }) => payload.length === sizes.datagram(64)).map(({ payload }) => payload);
  assert.equal(data.length, 200);
  for (let at = 0; at < data[0]!.length; at++) {
    const values = new Set(data.map((payload) => payload[at]));
    assert.ok(values.size > 60, `byte ${at} takes ${values.size} values in 200 packets`);
  }
});

test("each connection has keys of its own: packets of an older one, whole or in part, are refused in the next", () => {
  const recorded = new Recorded({ port: () => 20_000 });
  const { world, up } = recorded;
  recorded.chat(30);
  const old = up.splice(0).map(({ packet }) => packet);
  world.client.reconnect(world.now);
  recorded.chat(30, 100);
  const [peer] = world.server.peers;
  const before = { ...peer!.connection.stats };
  const carried = [...world.conversations.values()].reduce((a, b) => a + b, 0);
  assert.equal(carried, 60);
  for (const packet of old) world.inject(packet);
  for (const { packet } of up.slice()) world.inject(packet);
  world.run(world.now + 1000);
  assert.equal(
    [...world.conversations.values()].reduce((a, b) => a + b, 0),
    carried,
  );
  assert.ok(peer!.connection.stats.forged >= before.forged + 30, "those of the older connection do not open");
  assert.ok(peer!.connection.stats.replayed >= before.replayed + 30, "those of this one were seen before");
  assert.ok(world.send(500, 64));
  world.run(world.now + 500);
  assert.ok(world.echoes.has(500), "the client is not disturbed");
});

test("a handshake that is played again, even with the server's number in it, does not end in a connection", () => {
  const recorded = new Recorded({ raw: { random: sameIds(1) } });
  recorded.chat(5);
  const handshakes = recorded.up.filter(({ payload }) => payload.length === AEAD_HANDSHAKE_BYTES).map(({ packet }) => packet);
  assert.equal(handshakes.length, 2);
  // The server has been started anew and, as the enemy is lucky, gives the same number again.
  const again = new RawWorld({ seed: 32, raw: { ...aead, random: sameIds(2) } });
  again.client.receive = () => false;
  for (const packet of handshakes) again.inject(packet);
  again.run(3000);
  assert.deepEqual([again.server.stats.connections, [...again.server.peers].length], [0, 0]);
});

test("another password, or another cipher, is a stranger's", () => {
  for (const raw of [
    { ...aead, keys: keysOf("another") },
    { ...aead, cipherMode: "aes128cbc" as const, authMode: "hmac_sha1" as const },
  ]) {
    const recorded = new Recorded();
    recorded.chat(1);
    const other = new RawWorld({ seed: 5, raw });
    for (const { packet } of recorded.up) other.inject(packet);
    other.run(100);
    assert.ok(other.server.stats.strangers > 0);
    assert.equal(other.conversations.size, 0);
  }
});

/** Randomness of 16 bytes is fresh, numbers of 4 bytes are always the same ones. */
function sameIds(seed: number): RawOptions["random"] {
  const fresh = new Prng(seed);
  return (bytes, start, end) => {
    if (end - start === 4) bytes.fill(0x5a, start, end);
    else fresh.fill(bytes.subarray(start, end));
  };
}
