import assert from "node:assert/strict";
import { test } from "node:test";
import { unicode } from "./glyphs.ts";
import { graph } from "./graph.ts";
import { ProcessTrack } from "./process-track.ts";
import { sessionStatus, status } from "./testing/statuses.ts";

const counters = (bytesOut: number, bytesIn: number) => ({ smux: { bytesOut, bytesIn } });

test("rates are differences by the process's own clock; the same answer again changes nothing", () => {
  const process = new ProcessTrack("x");
  process.update(status({ counters: counters(1000, 0), rtt: { counts: [5], sumMs: 500 }, cpuSeconds: 1 }));
  assert.ok(Number.isNaN(process.up.newest));
  const next = status({ observedMs: 3000, counters: counters(3500, 250), rtt: { counts: [9], sumMs: 1300 }, cpuSeconds: 1.5 });
  process.update(next);
  process.update(next);
  assert.deepEqual([process.up.values, process.down.values, process.rtt.values, process.cpu.values], [[10_000], [1000], [200], [0.25]]);
  process.update(status({ observedMs: 4000, counters: counters(3500, 250), rtt: { counts: [9], sumMs: 1300 } }));
  assert.ok(Number.isNaN(process.rtt.newest), "no round trip was measured");
  process.update(status({ pid: 5, observedMs: 100, counters: counters(7, 7) }));
  assert.deepEqual([process.up.values.length, process.sessions.get("0.1")!.up.values.length], [0, 0], "another process begins anew");
});

test("losses of a session are those of the last ten answers", () => {
  const process = new ProcessTrack("x");
  const at = (second: number, session: Parameters<typeof sessionStatus>[0]): void =>
    process.update(status({ observedMs: second * 1000, sessions: [sessionStatus(session)] }));
  at(0, { fecDataShards: 1000, fecRecovered: 500, fecLost: 0, sentSegments: 0, resentSegments: 0, sentPayloadBytes: 0, sentBytes: 0 });
  const session = process.sessions.get("0.1")!;
  assert.ok(Number.isNaN(session.loss) && Number.isNaN(session.resent) && Number.isNaN(session.overhead));
  at(1, {
    fecDataShards: 1090,
    fecRecovered: 508,
    fecLost: 2,
    sentSegments: 200,
    resentSegments: 50,
    sentPayloadBytes: 1000,
    sentBytes: 1500,
  });
  assert.deepEqual([session.loss, session.resent, session.overhead], [0.1, 0.25, 1.5]);
  assert.equal(session.rebuilt, 508 / 510);
  for (let i = 2; i < 13; i++) at(i, { fecDataShards: 1090, fecRecovered: 508, fecLost: 2, sentSegments: 200 + i, resentSegments: 50 });
  assert.ok(Number.isNaN(session.loss) && session.resent === 0);
});

test("streams have rates once they were seen twice", () => {
  const process = new ProcessTrack("x");
  const stream = { sid: 1, remote: "r", seconds: 1, idleSeconds: 0, sentBytes: 0, receivedBytes: 0, backlogBytes: 0, state: "open" };
  process.update(status({ streams: [stream] }));
  assert.ok(Number.isNaN(process.streams[0]!.up));
  process.update(
    status({
      observedMs: 2000,
      streams: [
        { ...stream, sentBytes: 1000, receivedBytes: 10 },
        { ...stream, sid: 3 },
      ],
    }),
  );
  assert.deepEqual(
    process.streams.map(({ sid, up, down }) => [sid, up, down]),
    [
      [1, 8000, 80],
      [3, Number.NaN, Number.NaN],
    ],
  );
});

test("bars: scaled to the highest, gaps for what is not known, the newest at the right", () => {
  const bars = (values: number[], width: number): string => graph("", values, width + 1, unicode)[1]!.text;
  assert.equal(bars([0, 1, 2, 3, 4, 5, 6, 7, 8], 9), "▁▁▂▃▄▅▆▇█");
  assert.equal(bars([9, 9, 4, Number.NaN, 8], 4), "▄ █".padStart(4, "█"));
  assert.equal(bars([0, 0], 4), "  ▁▁");
  assert.equal(bars([1], 0), "");
});
