/** Raw connections in virtual time: every mode over good and bad links, reconnection, replays, strangers. A failure is played again with its seed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../src/base/batch.ts";
import { Prng } from "../src/base/prng.ts";
import { authModes } from "../src/faketcp/auth-mode.ts";
import { addInternet, foldInternet } from "../src/faketcp/checksum.ts";
import { cipherModes } from "../src/faketcp/cipher-mode.ts";
import { rawModes, type SeqMode } from "../src/faketcp/mode.ts";
import { RawWorld, type RawWorldOptions } from "./raw-world.ts";

/** Sends a datagram each 10 ms from 1 s on; answers how many were sent. */
function chat(world: RawWorld, until: number, length: (n: number) => number = (n) => 4 + ((n * 37) % 1300)): number {
  let sent = 0;
  world.run(until, (now) => {
    if (now >= 1000 && now < until - 500 && now % 10 === 0 && world.send(sent, length(sent))) sent++;
  });
  return sent;
}

test("every cipher and auth mode carries every datagram over a clean link", () => {
  for (const cipherMode of cipherModes) {
    for (const authMode of authModes) {
      for (const fixGro of [false, true]) {
        const world = new RawWorld({ seed: 1, raw: { cipherMode, authMode, fixGro } });
        const sent = chat(world, 1800);
        assert.ok(sent >= 30);
        assert.equal(world.echoes.size, sent, `${cipherMode} ${authMode} fix-gro ${fixGro}`);
        assert.deepEqual([world.client.connection.stats.forged, world.server.stats.strangers, world.ports], [0, 0, 1]);
      }
    }
  }
});

test("every raw mode and sequence mode, IPv4 and IPv6, over loss and reordering: what is not lost arrives", () => {
  for (const mode of rawModes) {
    for (const seqMode of mode === "faketcp" ? ([0, 1, 2, 3, 4] as const) : ([3] as const)) {
      for (const v6 of [false, true]) {
        const options: RawWorldOptions = { seed: 5, v6, link: "delay=50 jitter=30 loss=5%", raw: { mode, seqMode: seqMode as SeqMode } };
        const world = new RawWorld(options);
        const sent = chat(world, 8000);
        assert.ok(sent > 400, `${mode} ${seqMode} v6 ${v6}: ${sent} sent, ${world.client.state}`);
        assert.ok(world.echoes.size > sent * 0.85, `${mode} ${seqMode}: ${world.echoes.size} of ${sent}`);
        assert.equal(world.ports, 1);
      }
    }
  }
});

test("30 % loss each way: the handshake is repeated until it stands, heartbeats keep it", () => {
  for (let seed = 0; seed < 8; seed++) {
    const world = new RawWorld({ seed: seed * 31, link: "delay=40 loss=30%" });
    world.run(60_000);
    assert.equal(world.client.state, "ready", `seed ${seed * 31}`);
    assert.equal(world.client.stats.silences, 0);
  }
});

test("after an outage of 20 s the client is back within its steps, at another port, and the conversation is the same", () => {
  const world = new RawWorld({ seed: 9 });
  world.run(3000);
  assert.ok(world.send(1, 100, 0xabc));
  world.run(4000);
  world.up.set("down=1");
  world.down.set("down=1");
  world.run(24_000);
  assert.notEqual(world.client.state, "ready");
  world.up.set("down=0");
  world.down.set("down=0");
  world.run(31_000);
  assert.equal(world.client.state, "ready");
  assert.ok(world.send(2, 100, 0xabc));
  world.run(31_500);
  assert.deepEqual([...world.conversations], [[0xabc, 2]]);
  assert.deepEqual([...world.echoes.keys()], [1, 2]);
  assert.deepEqual([world.server.stats.moves, world.server.stats.connections, world.server.size], [1, 1, 1]);
});

test("a client restarted at its fixed port is let in at once (the original: after 240 s)", () => {
  const options: RawWorldOptions = { seed: 12, port: () => 30_000 };
  const world = new RawWorld(options);
  world.run(2000);
  assert.equal(world.client.state, "ready");
  const restarted = new RawWorld({ ...options, seed: 13 });
  Object.assign(restarted, { server: world.server });
  restarted.now = 2001;
  restarted.run(2300);
  assert.equal(restarted.client.state, "ready");
  assert.equal(world.server.size, 1);
  assert.ok(world.server.closed() !== undefined, "whoever had this address before is gone");
});

test("replayed and damaged packets, and those of another key, change nothing", () => {
  const world = new RawWorld({ seed: 21 });
  const seen: Uint8Array[] = [];
  const receive = world.up.receive.bind(world.up);
  world.up.receive = (now, bytes, start, end, tag) => {
    seen.push(bytes.slice(start, end));
    return receive(now, bytes, start, end, tag);
  };
  world.run(2000);
  for (let i = 0; i < 50; i++) world.send(i, 64);
  world.run(3000);
  const got = [...world.conversations.values()].reduce((a, b) => a + b, 0);
  assert.equal(got, 50);
  world.up.receive = receive;
  for (const packet of seen) {
    world.inject(packet);
    const damaged = packet.slice();
    damaged[damaged.length - 3]! ^= 0x10;
    world.inject(damaged);
  }
  world.run(5000);
  assert.equal(
    [...world.conversations.values()].reduce((a, b) => a + b, 0),
    50,
  );
  const [peer] = world.server.peers;
  assert.ok(peer!.connection.stats.replayed >= 50);
  assert.ok(world.server.stats.foreign > 0, "a wrong checksum");
  // The beginning of a handshake is answered whoever repeats it, and remembered for a while.
  world.run(17_000);
  assert.equal(world.client.state, "ready");
  assert.equal(world.server.size, 1);
  assert.deepEqual([world.server.stats.connections, world.server.stats.moves], [1, 0]);
});

test("100,000 mutated packets at the server: nothing throws, nobody is let in, no memory beyond the limits, the client stays", () => {
  const seed = Number(process.env.SEED ?? 20_261_121);
  console.log(`raw fuzz: SEED=${seed}`);
  const random = new Prng(seed);
  const world = new RawWorld({ seed: 33, raw: { cipherMode: "xor", authMode: "simple" } });
  const seen: Uint8Array[] = [];
  const receive = world.up.receive.bind(world.up);
  world.up.receive = (now, bytes, start, end, tag) => {
    seen.push(bytes.slice(start, end));
    return receive(now, bytes, start, end, tag);
  };
  chat(world, 2000);
  world.up.receive = receive;
  const answers = new Batch(64);
  const packet = new Uint8Array(2048);
  const view = new DataView(packet.buffer);
  for (let i = 0; i < 100_000; i++) {
    const original = seen[random.below(seen.length)]!;
    packet.set(original);
    let length = original.length;
    for (let flips = random.below(4); flips >= 0; flips--) packet[random.below(length)] = random.u32();
    if (random.chance(0.1)) length = random.below(length + 1);
    // Half of them with checksums that are right, so that they come further in.
    if (random.chance(0.5)) repair(packet, view, length);
    answers.length = 0;
    if (world.server.receive(world.now, packet, view, 0, length, answers) !== undefined)
      while (world.server.next(world.now, packet, view) !== 0);
  }
  assert.ok(world.server.size <= 10_000);
  assert.equal([...world.server.peers].length, 1);
  const before = world.echoes.size;
  world.run(world.now + 100);
  assert.ok(world.send(1_000_000, 64));
  world.run(world.now + 100);
  assert.equal(world.echoes.size, before + 1);
});

function repair(packet: Uint8Array, view: DataView, length: number): void {
  if (length < 40) return;
  packet[0] = 0x45;
  view.setUint16(2, length);
  view.setUint16(6, 0x4000);
  packet[9] = 6;
  view.setUint16(10, 0);
  view.setUint16(10, foldInternet(addInternet(packet, 0, 20)));
  view.setUint16(36, 0);
  const pseudo = addInternet(packet, 12, 20, 6 + length - 20);
  view.setUint16(36, foldInternet(addInternet(packet, 20, length, pseudo)));
}
