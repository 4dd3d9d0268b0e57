import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING, Pacer, type PacerOptions, SEND_PADDING } from "./pacer.ts";
import { AUDIO, RETRANSMISSION, VIDEO } from "./pacer-queue.ts";
import type { ProbeCluster } from "./packet-result.ts";

const SIZE = 1000;

interface Sent {
  at: number;
  packet: number;
  bytes: number;
  probe: number;
}

/** A pacer with a caller that asks when the deadline says so and can always pad. */
class Caller {
  readonly pacer: Pacer;
  readonly sent: Sent[] = [];
  readonly sizes = new Map<number, number>();
  now = 0;
  canPad = true;
  #next = 0;

  constructor(rate: number, options: PacerOptions = {}, padding = 0) {
    this.pacer = new Pacer(options);
    this.pacer.setRates(0, rate, padding);
  }

  queue(n: number, stream = 0, level = VIDEO, size = SIZE, keyFrameStart = false): number {
    for (let i = 0; i < n; i++) {
      this.sizes.set(this.#next, size);
      this.pacer.enqueue(this.now, this.#next++, stream, level, size, keyFrameStart && i === 0);
    }
    return this.#next - 1;
  }

  /** Sends what leaves now. */
  drain(): void {
    for (;;) {
      const packet = this.pacer.next(this.now);
      if (packet === NOTHING) return;
      const bytes = packet === SEND_PADDING ? (this.canPad ? this.pacer.paddingBytes : 0) : this.sizes.get(packet)!;
      const probe = this.pacer.probeCluster;
      if (packet === SEND_PADDING) this.pacer.onPaddingSent(this.now, bytes);
      if (bytes > 0) this.sent.push({ at: this.now, packet, bytes, probe });
      assert.ok(this.sent.length < 100_000, "it never stops");
    }
  }

  run(until: number): void {
    let turns = 0;
    for (;;) {
      this.drain();
      const next = Math.max(this.pacer.deadline(this.now), this.now + 1);
      if (next > until) break;
      this.now = next;
      assert.ok(turns++ < 100_000, "time stands still");
    }
    this.now = until;
    this.drain();
  }

  bytes(from: number, to: number): number {
    return this.sent.reduce((sum, { at, bytes }) => (at >= from && at < to ? sum + bytes : sum), 0);
  }
}

function cluster(id: number, targetRate: number): ProbeCluster {
  return { id, createdAt: 0, targetRate, targetDuration: 15_000, minProbeDelta: 2000, targetProbeCount: 5 };
}

test("packets leave at the rate, after a first burst", () => {
  const caller = new Caller(1_000_000, { burstTime: 40_000 });
  caller.queue(200);
  caller.run(0);
  assert.equal(caller.sent.length, 5, "5,000 bytes are 40 ms of 1 Mbit/s");
  caller.run(1_000_000);
  // 125,000 bytes a second and the burst ahead.
  const sent = caller.bytes(0, 1_000_001);
  assert.ok(sent >= 125_000 && sent <= 131_000, `${sent}`);
});

test("without a burst every packet waits for its own turn", () => {
  const caller = new Caller(800_000, { burstTime: 0 });
  caller.queue(5);
  caller.run(1_000_000);
  assert.deepEqual(
    caller.sent.map(({ at }) => at),
    [0, 10_000, 20_000, 30_000, 40_000],
  );
});

test("a caller that comes late loses no budget, but silence saves none up", () => {
  const late = new Caller(800_000, { burstTime: 0 });
  late.queue(100);
  late.drain();
  late.now = 100_000;
  late.drain();
  assert.equal(late.sent.length, 11);
  const silent = new Caller(800_000, { burstTime: 0 });
  silent.queue(1);
  silent.run(10_000_000);
  silent.queue(100);
  silent.drain();
  assert.equal(silent.sent.length, 2);
});

test("audio before retransmissions before video, and audio at once", () => {
  const caller = new Caller(800_000, { burstTime: 0 });
  const video = caller.queue(1, 0, VIDEO);
  const video2 = caller.queue(1, 0, VIDEO);
  const again = caller.queue(1, 1, RETRANSMISSION);
  const audio = caller.queue(1, 2, AUDIO, 100);
  const audio2 = caller.queue(1, 2, AUDIO, 100);
  caller.run(1_000_000);
  assert.deepEqual(
    caller.sent.map(({ packet, at }) => [packet, at]),
    [
      [audio, 0],
      [audio2, 0],
      [again, 0],
      [video, 10_000],
      [video2, 20_000],
    ],
    "audio is not paid from the budget",
  );
});

test("audio is paid for where that is wanted, and still does not wait", () => {
  const caller = new Caller(800_000, { burstTime: 0, accountForAudio: true });
  caller.queue(2, 2, AUDIO, 500);
  caller.queue(1);
  caller.run(1_000_000);
  assert.deepEqual(
    caller.sent.map(({ at }) => at),
    [0, 0, 10_000],
  );
});

test("streams share by bytes, not by packets", () => {
  const caller = new Caller(8_000_000, { burstTime: 0 });
  caller.queue(400, 0, VIDEO, 1200);
  caller.queue(2000, 1, VIDEO, 300);
  caller.run(400_000);
  const bytes = [0, 0];
  for (const sent of caller.sent) bytes[sent.bytes === 1200 ? 0 : 1]! += sent.bytes;
  assert.ok(Math.abs(bytes[0]! - bytes[1]!) <= 3000, `${bytes}`);
});

test("a long queue raises the rate until it leaves within two seconds", () => {
  const caller = new Caller(100_000);
  caller.queue(100);
  assert.ok(Math.abs(caller.pacer.expectedQueueTime - 8_000_000) < 1);
  caller.run(2_010_000);
  assert.equal(caller.pacer.queuePackets, 0);
  assert.ok(caller.pacer.counters.drains >= 1);
  // Short queues keep their rate: 10 packets take 0.8 s less the burst.
  const short = new Caller(100_000);
  short.queue(10);
  short.run(700_000);
  assert.ok(short.pacer.queuePackets > 0);
});

test("a key frame drops what waits of its stream, and no other's", () => {
  const caller = new Caller(80_000, { burstTime: 0 });
  caller.queue(3, 0, VIDEO);
  const again = caller.queue(1, 0, RETRANSMISSION);
  const other = caller.queue(1, 1, VIDEO);
  const key = caller.queue(2, 0, VIDEO, SIZE, true);
  const dropped: number[] = [];
  for (let packet = caller.pacer.takeDropped(); packet >= 0; packet = caller.pacer.takeDropped()) dropped.push(packet);
  assert.deepEqual(
    dropped.sort((a, b) => a - b),
    [0, 1, 2, again],
  );
  assert.equal(caller.pacer.counters.flushed, 4);
  caller.run(1_000_000);
  assert.deepEqual(caller.sent.map(({ packet }) => packet).sort(), [other, key - 1, key].sort());
});

test("padding fills up to its rate when nothing waits, in bursts of 5 ms, after the first packet only", () => {
  const caller = new Caller(2_500_000, {}, 800_000);
  caller.run(500_000);
  assert.equal(caller.sent.length, 0, "no media, no padding");
  caller.queue(1);
  caller.run(1_500_000);
  const padded = caller.pacer.counters.paddingBytesSent;
  assert.ok(Math.abs(padded - 100_000) < 2000, `${padded}`);
  assert.equal(caller.sent.at(-1)?.bytes, 500);
  caller.canPad = false;
  caller.run(2_500_000);
  assert.ok(caller.pacer.counters.paddingBytesSent - padded < 1000);
});

test("media counts as padding: a sender that fills the rate is not padded", () => {
  const caller = new Caller(2_500_000, {}, 800_000);
  for (let i = 0; i < 100; i++) {
    caller.queue(1, 0, VIDEO, 1050);
    caller.run(caller.now + 10_000);
  }
  assert.equal(caller.pacer.counters.paddingBytesSent, 0);
});

test("a probe: its rate, its number on every packet, a byte of padding first", () => {
  const caller = new Caller(300_000);
  caller.pacer.addProbe(0, cluster(7, 900_000));
  caller.queue(20);
  caller.run(100_000);
  const probe = caller.sent.filter((sent) => sent.probe === 7);
  assert.equal(probe[0]?.bytes, 1);
  assert.ok(probe.length >= 6);
  const span = probe.at(-1)!.at - probe[0]!.at;
  const bytes = probe.slice(0, -1).reduce((sum, sent) => sum + sent.bytes, 0);
  assert.ok(Math.abs((bytes * 8e6) / span / 900_000 - 1) < 0.01, `${(bytes * 8e6) / span}`);
  assert.equal(caller.pacer.probesFinished, 1);
  // What the probe sent beyond the pacing rate is owed.
  assert.ok(caller.bytes(0, 100_000) <= 5001 + 5000);
});

test("a probe without media is filled with padding; without padding it waits for media", () => {
  const padded = new Caller(300_000);
  padded.queue(1);
  padded.pacer.addProbe(0, cluster(1, 1_800_000));
  padded.queue(1);
  padded.run(200_000);
  assert.equal(padded.pacer.probesFinished, 1);
  const bytes = padded.sent.filter(({ probe }) => probe === 1).reduce((sum, sent) => sum + sent.bytes, 0);
  assert.ok(bytes >= 3375, `${bytes} of 15 ms of 1.8 Mbit/s`);
  const starved = new Caller(300_000);
  starved.canPad = false;
  starved.pacer.addProbe(0, cluster(1, 1_800_000));
  starved.queue(1);
  starved.run(200_000);
  assert.equal(starved.pacer.probesFinished, 0);
  starved.queue(20);
  starved.run(400_000);
  assert.equal(starved.pacer.probesDropped, 1, "more than 10 ms late by now");
  assert.equal(starved.pacer.queuePackets > 0 || starved.sent.length > 10, true);
});

test("a probe burst that lacks a byte nobody can pad ends", () => {
  const caller = new Caller(300_000);
  caller.canPad = false;
  // 2 ms of it are 1,201 bytes.
  caller.pacer.addProbe(0, cluster(1, 4_804_000));
  caller.queue(1, 0, VIDEO, 1200);
  caller.run(10_000);
  assert.deepEqual(
    caller.sent.map(({ bytes, probe }) => [bytes, probe]),
    [[1200, 1]],
  );
});

test("congested: audio, and a byte of padding every 500 ms", () => {
  const caller = new Caller(1_000_000);
  caller.pacer.setCongested(0, true);
  caller.queue(10);
  caller.queue(1, 1, AUDIO, 100);
  caller.run(1_600_000);
  assert.deepEqual(
    caller.sent.map(({ at, bytes }) => [at, bytes]),
    [
      [0, 100],
      [500_000, 1],
      [1_000_000, 1],
      [1_500_000, 1],
    ],
  );
  caller.pacer.setCongested(caller.now, false);
  caller.run(2_000_000);
  assert.equal(caller.pacer.queuePackets, 0);
});

test("paused: only keep-alives, and what waits does not grow older", () => {
  const caller = new Caller(100_000);
  caller.queue(20);
  caller.drain();
  const before = caller.sent.length;
  caller.pacer.pause(caller.now);
  caller.run(10_000_000);
  assert.ok(caller.sent.slice(before).every(({ bytes }) => bytes === 1));
  assert.equal(caller.sent.length - before, 20);
  caller.pacer.resume(caller.now);
  caller.run(caller.now + 100_000);
  assert.equal(caller.pacer.counters.drains, 0);
});

test("a full queue refuses and counts", () => {
  const pacer = new Pacer({ packetsMax: 2 });
  pacer.setRates(0, 1000, 0);
  assert.deepEqual(
    [0, 1, 2].map((packet) => pacer.enqueue(0, packet, 0, VIDEO, SIZE)),
    [true, true, false],
  );
  assert.equal(pacer.counters.refused, 1);
  assert.equal(pacer.next(0), 0);
  assert.equal(pacer.enqueue(0, 3, 0, VIDEO, SIZE), true);
});
