/** One application that takes nothing, beside others of the same session that must not notice; each test fails when what it is about is ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";

type Role = "client" | "server";

const plain = { datashard: 0, nocomp: "true", sndwnd: 256, rcvwnd: 256 };
const deaf: TcpHandler = { connected() {}, readable() {}, writable() {}, closed() {} };
/** Takes a little first, so that it is told a large window, and then nothing any more. */
function sated(socket: () => TcpSocket): TcpHandler {
  const buffer = new Uint8Array(4096);
  let taken = 0;
  return {
    ...deaf,
    readable: () => {
      while (taken < 100_000) {
        const n = socket().read(buffer, 0, 4096);
        if (n <= 0) return;
        taken += n;
      }
    },
  };
}
/** Sends what snappy makes almost nothing of, as long as it is taken. */
class Zeros implements TcpHandler {
  readonly #socket: () => TcpSocket;
  readonly #zeros = new Uint8Array(16_384);

  constructor(socket: () => TcpSocket) {
    this.#socket = socket;
  }

  connected(): void {
    this.writable();
  }

  readable(): void {}

  writable(): void {
    while (this.#socket().write(this.#zeros, 0, this.#zeros.length) === this.#zeros.length);
  }

  closed(): void {}
}
/** Enough for everybody's whole test. */
const ENDLESS = 1e9;

interface Streams {
  readonly of: TunnelWorld;
  /** Those who receive, and may be told to stop. */
  readonly takers: Traffic[];
  readonly received: () => number[];
}

/** `count` streams that are sent to as fast as they take it, `deafs` of which take nothing; all end at `role`. */
function streams(
  role: Role,
  count: number,
  deafs: number,
  settings: Record<string, unknown>,
  log: LogLines = new LogLines(),
  blocked: (socket: () => TcpSocket) => TcpHandler = () => deaf,
): Streams {
  const takers: Traffic[] = [];
  const end = (socket: () => TcpSocket): TcpHandler => {
    if (skipped < deafs) {
      skipped++;
      return blocked(socket);
    }
    const taker = new Traffic(socket, { sendSeed: 2, expectSeed: 1, sendBytes: 0 });
    takers.push(taker);
    return taker;
  };
  let skipped = 0;
  const talker = (socket: () => TcpSocket): Traffic => new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: ENDLESS });
  const config = { ...plain, ...settings };
  const of = new TunnelWorld({ link: "delay=20 rate=8mbit", seed: 4, client: config, server: config, log }, (socket) => {
    const handler = role === "server" ? end(() => socket) : talker(() => socket);
    handler.connected(0);
    return handler;
  });
  for (let i = 0; i < count; i++) of.connect((socket) => (role === "client" ? end(socket) : talker(socket)));
  return { of, takers, received: () => takers.map(({ received }) => received) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

for (const role of ["client", "server"] as const) {
  for (const smuxver of [1, 2]) {
    test(`one of 8 streams blocked at the ${role}, smux ${smuxver}: the others keep their rate, none is broken`, () => {
      const seconds = 5;
      const buffers = { smuxbuf: 200_000, spill: 2_000_000 };
      const all = streams(role, 7, 0, { smuxver, ...buffers });
      all.of.run(seconds);
      const some = streams(role, 8, 1, { smuxver, ...buffers });
      some.of.run(seconds);
      const [free, beside] = [sum(all.received()), sum(some.received())];
      // With version 1 the blocked stream's bytes use the link as well, until it is full or gone: an eighth.
      const least = smuxver === 2 ? 0.95 : 0.95 * (7 / 8);
      assert.ok(beside >= free * least, `${beside} bytes beside a blocked stream, ${free} without`);
      assert.ok(Math.min(...some.received()) > (beside / 7) * 0.8, `shares ${some.received()}`);
      assert.ok(some.takers.every(({ broken, wrong }) => broken === undefined && wrong === 0));
    });
  }

  test(`streams that stop at the ${role}, smux 2: windows shrink, the session never pauses, nobody is reset`, () => {
    const settings = { smuxver: 2, smuxbuf: 1_048_576, spill: 2_097_152, streambuf: 1_048_576 };
    const { of, received } = streams(role, 10, 8, settings, undefined, sated);
    of.run(10);
    const counted = (role === "client" ? of.client : of.server).observe(0, { sessionsMax: 0, streamsMax: 0 }).totals.counted.smux!;
    assert.deepEqual([counted.receivePauses, counted.streamsEvicted], [0, 0]);
    assert.ok(counted.windowsShrunk! >= 8, `${counted.windowsShrunk} shrunk`);
    assert.ok(sum(received()) > 4_000_000, `${sum(received())} bytes`);
  });

  test(`spill at the ${role}: with smux 1 the others go on for so many bytes of the blocked stream, then all wait`, () => {
    const after = (spill: number): number => {
      const { of, received } = streams(role, 2, 1, { smuxver: 1, smuxbuf: 200_000, spill, stallwait: 0 });
      of.run(8);
      return sum(received());
    };
    const [little, much] = [after(0), after(1_500_000)];
    assert.ok(little < 1_500_000, `${little} bytes without a spill`);
    assert.ok(much > little + 800_000 && much < little + 3_000_000, `${much} bytes with one of 1.5 MB`);
  });

  test(`stallwait at the ${role}: the blocked stream is reset when all others have waited so long, and they go on`, () => {
    const run = (stallwait: number, seconds: number): { bytes: number; evicted: number } => {
      const log = new LogLines();
      const { of, received } = streams(role, 3, 1, { smuxver: 1, smuxbuf: 200_000, spill: 0, stallwait }, log);
      of.run(seconds);
      return { bytes: sum(received()), evicted: log.count("took nothing while all others waited") };
    };
    assert.deepEqual([run(3, 2.8).evicted, run(3, 4.5).evicted, run(0, 8).evicted], [0, 1, 0]);
    assert.ok(run(3, 10).bytes > run(0, 10).bytes * 5);
  });
}

test("an application that pauses and goes on gets everything, and its rate back", () => {
  const paused: { socket?: TcpSocket } = {};
  let reading = false;
  const traffic: Traffic = new Traffic(() => paused.socket!, { sendSeed: 2, expectSeed: 1, sendBytes: 0 });
  const moody: TcpHandler = { ...deaf, readable: (now) => reading && traffic.readable(now) };
  const of = new TunnelWorld(
    { link: "delay=50", seed: 1, client: { ...plain, smuxver: 2 }, server: { ...plain, smuxver: 2 } },
    (socket) => {
      paused.socket = socket;
      return moody;
    },
  );
  of.connect((socket) => new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 6_000_000 }));
  of.run(5);
  assert.equal(traffic.received, 0);
  reading = true;
  traffic.readable(of.network.now);
  const before = of.network.now;
  assert.ok(of.run(60, () => traffic.received === 6_000_000));
  // 256 packets of 1300 bytes a round trip of 100 ms and the flush interval.
  assert.ok(of.network.now - before < 6_000, `${of.network.now - before} ms`);
  assert.equal(traffic.wrong, 0);
});

for (const [payload, nocomp] of [
  ["noise", true],
  ["zeros in snappy chunks", false],
] as const) {
  test(`an application that takes little at a time, ${payload}: the session stays within its budget and lives, smux 1`, () => {
    // No window stands between the sender and the budget, and each time a little of it becomes free, far more waits in KCP.
    const settings = {
      smuxver: 1,
      smuxbuf: 2_200_000,
      streambuf: 65_536,
      spill: 0,
      stallwait: 0,
      nocomp: String(nocomp),
      rcvwnd: 4096,
      sndwnd: 4096,
    };
    const log = new LogLines();
    const buffer = new Uint8Array(1000);
    const taken = { bytes: 0, socket: undefined as TcpSocket | undefined };
    const of = new TunnelWorld(
      { link: "delay=5", seed: 3, client: { ...plain, ...settings }, server: { ...plain, ...settings }, log },
      (socket) => {
        taken.socket = socket;
        return deaf;
      },
    );
    of.connect((socket) => (nocomp ? new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: ENDLESS }) : new Zeros(socket)));
    for (let round = 0; round < 30; round++) {
      of.run(0.1);
      for (let i = 0; i < 20; i++) taken.bytes += Math.max(0, taken.socket?.read(buffer, 0, buffer.length) ?? 0);
    }
    assert.equal(log.count("session ended"), 0, log.lines.join("\n"));
    const held = of.server.observe(0, { sessionsMax: 0, streamsMax: 0 }).totals.counted.smux!;
    assert.ok(held.receivePauses! > 3, `${held.receivePauses} pauses`);
    assert.ok(held.bytesIn! - taken.bytes <= 2_200_000 + 200_000, `${held.bytesIn! - taken.bytes} bytes held`);
  });
}
