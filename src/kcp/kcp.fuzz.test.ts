import assert from "node:assert/strict";
import { test } from "node:test";
import { SLOT_BYTES } from "../base/batch.ts";
import { Prng } from "../base/prng.ts";
import { Kcp, SEND_BYTES_MAX } from "./kcp.ts";
import { PACKET_BYTES_MAX } from "./segment.ts";
import { fast3, Pair, pattern } from "./testing/pair.ts";

const DATAGRAMS = 100_000;
const SEED = Number(process.env.LONGHAUL_SEED ?? 20_260);

/** Real packets of a running pair, both directions, with loss: PUSH, ACK, WASK and WINS. */
function realPackets(): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const pair = new Pair({ sndWnd: 64, rcvWnd: 8, ackNoDelay: true });
  pair.drops = (_, i, bytes, start, end) => {
    packets.push(bytes.slice(start, end));
    return i % 5 === 2;
  };
  const bytes = pattern(60_000);
  const into = new Uint8Array(5000);
  pair.send(0, bytes);
  pair.send(1, bytes, 0, 5000);
  pair.run(pair.now + 10_000, () => {
    if (packets.length % 3 === 0) pair.ends[1].read(pair.now, into, 0, into.length);
    return packets.length < 500;
  });
  return packets;
}

/** Writes one datagram into `into` and answers its length: flips, truncation, splices of two packets, hostile fields, random bytes. */
function mutate(prng: Prng, packets: readonly Uint8Array[], into: Uint8Array): number {
  const packet = packets[prng.below(packets.length)]!;
  into.set(packet);
  let length = packet.length;
  const kind = prng.below(6);
  if (kind === 0) for (let i = prng.below(8); i >= 0; i--) into[prng.below(length)]! ^= 1 << prng.below(8);
  if (kind === 1) length = prng.below(length + 1);
  if (kind === 2) {
    const other = packets[prng.below(packets.length)]!;
    const cut = prng.below(length);
    const tail = other.subarray(prng.below(other.length));
    into.set(tail, cut);
    length = Math.min(cut + tail.length, PACKET_BYTES_MAX);
  }
  if (kind === 3) {
    // A whole header whose numbers point anywhere near or far.
    const view = new DataView(into.buffer);
    for (const at of [8, 12, 16]) if (prng.chance(0.5)) view.setUint32(at, prng.chance(0.5) ? prng.u32() : prng.below(4000), true);
    if (prng.chance(0.2)) view.setUint32(20, prng.u32(), true);
    into[4] = 80 + prng.below(6);
  }
  if (kind === 4) {
    length = prng.below(PACKET_BYTES_MAX);
    for (let i = 0; i < length; i++) into[i] = prng.u32();
    if (prng.chance(0.5)) new DataView(into.buffer).setUint32(0, fast3.conv, true);
  }
  return length;
}

test(`${DATAGRAMS} mutated datagrams: no throw, no work without end, no memory beyond the windows (seed ${SEED})`, () => {
  const prng = new Prng(SEED);
  const packets = realPackets();
  assert.ok(packets.length >= 100, `${packets.length} real packets`);
  const into = new Uint8Array(2 * SLOT_BYTES);
  const view = new DataView(into.buffer);
  const out = new Uint8Array(SLOT_BYTES);
  const outView = new DataView(out.buffer);
  const sink = new Uint8Array(4000);
  const data = new Uint8Array(3000);
  const windows = { sndWnd: 64, rcvWnd: 64 };
  const cores = (["2021", "2026"] as const).map((profile) => new Kcp({ ...fast3, ...windows, profile, nc: profile === "2021" ? 0 : 1 }));
  const slots = 64 + Math.ceil(SEND_BYTES_MAX / cores[0]!.mss) + 64;
  const limit = slots * cores[0]!.mss + (2 * 64 + 64) * PACKET_BYTES_MAX;
  let now = 5000;
  let refused = 0;
  let i = 0;
  try {
    for (; i < DATAGRAMS; i++) {
      const core = cores[i & 1]!;
      const length = mutate(prng, packets, into);
      if (!core.receive(now, into, view, 0, length, prng.chance(0.9))) refused++;
      if (prng.chance(0.05)) core.send(now, data, 0, prng.below(data.length));
      if (prng.chance(0.05)) core.read(now, sink, 0, prng.below(sink.length));
      if (prng.chance(0.1)) {
        now += prng.below(50);
        core.advance(now);
      }
      // Not always drained, as with a full socket.
      let drained = 0;
      while (prng.chance(0.9) && core.transmit(now, out, outView, 0) > 0) assert.ok(++drained < 1000);
      assert.ok(core.bytesHeld <= limit, `${core.bytesHeld} bytes held`);
      assert.ok(core.stats.inFlight >= 0 && core.stats.inFlight <= 64 && core.waitSnd >= core.stats.inFlight);
    }
  } catch (error) {
    throw new Error(`datagram ${i}, seed ${SEED}; replay: LONGHAUL_SEED=${SEED} node --test src/kcp/kcp.fuzz.test.ts`, { cause: error });
  }
  assert.ok(refused > DATAGRAMS / 10 && refused < DATAGRAMS, `${refused} refused`);
});

test("what damage is counted as", () => {
  const core = new Kcp({ ...fast3, rcvWnd: 4 });
  const bytes = new Uint8Array(SLOT_BYTES * 2);
  const view = new DataView(bytes.buffer);
  const segment = (fields: { conv?: number; cmd?: number; sn?: number; length?: number }): void => {
    view.setUint32(0, fields.conv ?? fast3.conv, true);
    view.setUint8(4, fields.cmd ?? 81);
    view.setUint16(6, 10, true);
    view.setUint32(12, fields.sn ?? 0, true);
    view.setUint32(20, fields.length ?? 10, true);
  };
  const receive = (end: number): boolean => core.receive(1000, bytes, view, 0, end, true);
  segment({});
  assert.equal(receive(23), false, "shorter than a header");
  assert.equal(receive(33), false, "less data than it says");
  segment({ conv: 1 });
  assert.equal(receive(34), false, "foreign");
  segment({ cmd: 85 });
  assert.equal(receive(34), false, "unknown command");
  segment({ length: 0xffffffff });
  assert.equal(receive(34), false, "a length near 2^32");
  assert.equal(core.stats.inErrs, 5);
  segment({ length: 2000 });
  assert.equal(receive(2024), true);
  assert.equal(core.stats.oversizedSegs, 1);
  segment({ sn: 4 });
  receive(34);
  assert.equal(core.stats.outsideSegs, 1);
  segment({ sn: 1 });
  receive(34);
  receive(34);
  assert.equal(core.stats.repeatSegs, 1);
  assert.equal(core.stats.outsideSegs, 1);
  assert.equal(core.readable, 0, "segment 0 is missing");
  // Without data: nothing to read, and no room taken for ever.
  segment({ sn: 0, length: 0 });
  receive(24);
  assert.equal(core.readable, 10);
});

test("a flood of duplicates pushes ACKs out of the list instead of growing it", () => {
  const core = new Kcp({ ...fast3, rcvWnd: 16, profile: "2021" });
  const bytes = new Uint8Array(1500);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fast3.conv, true);
  bytes[4] = 81;
  for (let i = 0; i < 1000; i++) core.receive(1000, bytes, view, 0, 24, true);
  assert.equal(core.stats.ackOverflows, 1000 - 256);
});
