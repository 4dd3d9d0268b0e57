/** What options of raw connections change on the wire, in virtual time: each test fails when its option is ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RawOptions } from "../src/faketcp/options.ts";
import { RawWorld } from "./raw-world.ts";

interface Packet {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Runs a client and a server for some seconds; answers the client's packets. `talk`: a datagram of 1,300 bytes each ms, more than the window of sequence mode 4 on the way. */
function wire(raw: Partial<RawOptions>, seconds = 4, talk = false): { world: RawWorld; packets: Packet[] } {
  const world = new RawWorld({ seed: 3, raw });
  const packets: Packet[] = [];
  const receive = world.up.receive.bind(world.up);
  world.up.receive = (now, bytes, start, end, tag) => {
    packets.push({ at: now, bytes: bytes.slice(start, end) });
    return receive(now, bytes, start, end, tag);
  };
  let sent = 0;
  world.run(seconds * 1000, (now) => {
    if (talk && now > 1000 && world.send(sent, 1300)) sent++;
  });
  return { world, packets };
}

const protocol = ({ bytes }: Packet): number => bytes[9]!;
const seqOf = ({ bytes }: Packet): number => new DataView(bytes.buffer).getUint32(24);
const payloadOf = ({ bytes }: Packet): number => bytes.length - 20 - (bytes[32]! >> 4) * 4;

test("raw-mode: TCP, ICMP or UDP", () => {
  for (const [mode, number] of [
    ["faketcp", 6],
    ["icmp", 1],
    ["udp", 17],
  ] as const) {
    const { packets } = wire({ mode }, 2);
    assert.ok(packets.length > 3 && packets.every((packet) => protocol(packet) === number), mode);
  }
});

test("cipher-mode, auth-mode and fix-gro: lengths on the wire", () => {
  const longest = (raw: Partial<RawOptions>): number => Math.max(...wire(raw, 2).packets.map(payloadOf));
  // A heartbeat of 18 and 1,200 bytes.
  assert.equal(longest({ cipherMode: "none", authMode: "none" }), 1218);
  assert.equal(longest({ cipherMode: "none", authMode: "crc32" }), 1222);
  assert.equal(longest({ cipherMode: "aes128cbc", authMode: "md5" }), 1248);
  assert.equal(longest({ cipherMode: "aes128cbc", authMode: "hmac_sha1" }), 1232 + 20);
  assert.equal(longest({ cipherMode: "none", authMode: "none", fixGro: true }), 1220);
  assert.equal(longest({ cipherMode: "xor", authMode: "none" }), 1218);
  const zeros = (raw: Partial<RawOptions>): boolean =>
    wire(raw, 2).packets.some(({ bytes }) => bytes.subarray(200, 1200).every((byte) => byte === 0) && bytes.length > 1200);
  assert.ok(zeros({ cipherMode: "none", authMode: "none" }));
  assert.ok(!zeros({ cipherMode: "xor", authMode: "none" }));
});

test("seq-mode: fixed, rising, rising now and then, bounded by a window", () => {
  const steps = (seqMode: RawOptions["seqMode"]): number[] => {
    const data = wire({ seqMode }, 2, true).packets.filter((packet) => payloadOf(packet) > 1250);
    return data.slice(1).map((packet, i) => (seqOf(packet) - seqOf(data[i]!)) | 0);
  };
  assert.ok(steps(0).every((step) => step === 0));
  assert.ok(steps(1).every((step) => step > 0));
  const some = steps(2).filter((step) => step > 0).length / steps(2).length;
  assert.ok(some > 0.05 && some < 0.5, `${some}`);
  assert.ok(steps(4).some((step) => step < 0) && steps(4).some((step) => step > 0));
  // The window of mode 3 is 32 times as wide.
  assert.ok(steps(3).filter((step) => step < 0).length < steps(4).filter((step) => step < 0).length);
});

test("hb-len and hb-mode", () => {
  const heartbeats = (raw: Partial<RawOptions>): number[] =>
    wire({ cipherMode: "none", authMode: "none", ...raw }, 6)
      .packets.map(payloadOf)
      .slice(3);
  assert.ok(heartbeats({ heartbeatBytes: 300 }).every((bytes) => bytes === 318 || bytes === 29));
  assert.ok(heartbeats({ heartbeatBytes: 300 }).includes(318));
  // In mode 0 data is a sign of life: a client that hears no heartbeats stays where it is.
  for (const heartbeatMode of [0, 1] as const) {
    const world = new RawWorld({ seed: 4, raw: { heartbeatMode, cipherMode: "none", authMode: "none", heartbeatBytes: 1400 } });
    const receive = world.down.receive.bind(world.down);
    world.down.receive = (now, bytes, start, end, tag) =>
      (now > 3000 && end - start > 1300 ? 0 : receive(now, bytes, start, end, tag)) as never;
    let sent = 0;
    world.run(20_000, (now) => {
      if (now % 200 === 0 && world.send(sent, 100)) sent++;
    });
    assert.equal(world.client.stats.silences > 0, heartbeatMode === 1, `mode ${heartbeatMode}`);
  }
});

test("disable-anti-replay: a packet that comes twice is delivered twice", () => {
  for (const antiReplay of [true, false]) {
    const { world, packets } = wire({ antiReplay }, 3);
    packets.length = 0;
    assert.ok(world.send(1, 200));
    world.run(3100);
    const before = [...world.conversations.values()].reduce((a, b) => a + b, 0);
    const data = packets.find((packet) => payloadOf(packet) > 200 && payloadOf(packet) < 400);
    assert.ok(data !== undefined);
    world.inject(data.bytes);
    world.run(3200);
    const after = [...world.conversations.values()].reduce((a, b) => a + b, 0);
    assert.equal(after - before, antiReplay ? 0 : 1);
  }
});

test("set-ttl: in every packet", () => {
  assert.ok(wire({ ttl: 44 }, 2).packets.every(({ bytes }) => bytes[8] === 44));
  assert.ok(wire({}, 2).packets.every(({ bytes }) => bytes[8] === 64));
});
