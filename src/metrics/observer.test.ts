import assert from "node:assert/strict";
import { test } from "node:test";
import { newLoopCounters } from "../host/loop-counters.ts";
import type { Question } from "../tunnel/observation.ts";
import type { SessionReport } from "../tunnel/report.ts";
import { type KeyedSession, merge, parseSessionKey, type WorkerObservation } from "./merge.ts";
import { Observer } from "./observer.ts";

function worker(counted: Record<string, Record<string, number>>, sessions: number, newest: number, heardSeconds = 0): WorkerObservation {
  const now = {
    sessions,
    sessionsMost: sessions,
    streams: 2,
    waitingSegments: 3,
    inFlightSegments: 1,
    readableBytes: 5,
    heldBytes: 7,
    fecOpenGroups: 1,
    fecNewestGroup: newest,
    peers: 4,
    rtmpFits: 0,
  };
  const reports = Array.from({ length: sessions }, (_, i) => ({ id: i + 1, peer: "p", heardSeconds }) as SessionReport);
  const totals = { role: "server", counted, now, rtt: { counts: [1, 2], sumMs: 10 } } as const;
  return {
    loop: { ...newLoopCounters(), rounds: newest },
    cpuSeconds: newest,
    program: { at: 0, totals, sessions: reports, streams: [], users: [] },
  };
}

test("N workers are one: counts and gauges add up, sessions are named by worker", () => {
  const merged = merge(0, [worker({ kcp: { a: 1 }, fec: { b: 2 } }, 2, 9), worker({ kcp: { a: 10, c: 5 }, smux: { d: 1 } }, 1, 4)]);
  assert.deepEqual(merged.totals.counted, { kcp: { a: 11, c: 5 }, fec: { b: 2 }, smux: { d: 1 } });
  assert.deepEqual([merged.totals.now.sessions, merged.totals.now.peers, merged.totals.now.fecNewestGroup], [3, 8, 9]);
  assert.deepEqual(merged.totals.rtt, { counts: [2, 4], sumMs: 20 });
  assert.deepEqual(
    merged.sessions.map(({ key }: KeyedSession) => key),
    ["0.1", "0.2", "1.1"],
  );
  assert.deepEqual(
    merged.workers.map(({ cpuSeconds }) => cpuSeconds),
    [9, 4],
  );
});

test("keys of sessions", () => {
  assert.deepEqual(
    [parseSessionKey("1.20"), parseSessionKey("x"), parseSessionKey("1.2.3"), parseSessionKey("")],
    [{ worker: 1, id: 20 }, undefined, undefined, undefined],
  );
});

test("workers are asked once a second and question, however many ask", async () => {
  let now = 5000;
  const asked: Question[][] = [];
  const observer = new Observer({
    ask: (questions) => {
      asked.push([questions(0), questions(1)]);
      return Promise.resolve([worker({}, 2, 1, 5), worker({}, 2, 1, 1)]);
    },
    now: () => now,
    sessionsMax: 3,
    streamsMax: 7,
  });
  const answers = await Promise.all([observer.observe(), observer.observe(), observer.observe()]);
  assert.equal(asked.length, 1);
  assert.deepEqual(asked[0]![0], { sessionsMax: 3, streamsOf: undefined, streamsMax: 7, usersMax: undefined });
  assert.deepEqual(
    answers[0]!.sessions.map(({ key }) => key),
    ["1.1", "1.2", "0.1"],
    "beyond the limit those heard last stay",
  );
  await observer.observe("1.2");
  assert.deepEqual(
    asked[1]!.map(({ streamsOf }) => streamsOf),
    [undefined, 2],
  );
  now += 999;
  await observer.observe();
  assert.equal(asked.length, 2);
  now += 1;
  await observer.observe();
  assert.equal(asked.length, 3);
  for (let i = 0; i < 100; i++) await observer.observe(`0.${i}`);
  assert.ok(asked.length <= 10, `${asked.length} times in a second`);
  assert.ok(observer.counters.crowded >= 90);
});

test("a worker that has ended makes the whole unknown", async () => {
  const options = { now: () => 0, sessionsMax: 1, streamsMax: 1 };
  assert.equal(await new Observer({ ...options, ask: () => Promise.resolve([worker({}, 1, 1), undefined]) }).observe(), undefined);
  assert.equal(await new Observer({ ...options, ask: () => Promise.resolve([]) }).observe(), undefined);
});
