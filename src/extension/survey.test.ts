import assert from "node:assert/strict";
import { test } from "node:test";
import { Survey } from "./survey.ts";
import { ASK, ASK_BYTES, LOAD, readLoad, readTally, TALLY_BYTES, writeAsk, writeLoad } from "./survey-message.ts";
import { Tally } from "./tally.ts";

const bytes = new Uint8Array(2048);
const view = new DataView(bytes.buffer);

test("what came of a series is told, and a series of another number begins anew", () => {
  const survey = new Survey(1, 1300);
  for (const [n, at] of [
    [0, 10],
    [1, 11],
    [4, 14],
    [3, 15],
    [6, 16],
  ] as const) {
    writeLoad(bytes, view, 0, 1, { series: 5, n, micros: n * 1000 }, 100);
    survey.receive(at, LOAD, view, 0, 100);
  }
  const tally = (series: number) => {
    writeAsk(bytes, view, 0, 1, { n: 9, series, size: 0, packets: 0, overMs: 0, afterSeconds: 0 });
    survey.receive(20, ASK, view, 0, ASK_BYTES);
    assert.equal(survey.transmit(bytes, view, 0), TALLY_BYTES);
    return readTally(view, 0, TALLY_BYTES);
  };
  const { n, series, received, highest, late, runs, spanMicros } = tally(5)!;
  assert.deepEqual(
    { n, series, received, highest, late, runs, spanMicros },
    { n: 9, series: 5, received: 5, highest: 7, late: 1, runs: 1, spanMicros: 6000 },
  );
  assert.equal(tally(6)!.received, 0);
});

test("what is wanted back is spread over its time, and no more than three times what came", () => {
  const survey = new Survey(1, 1300);
  const ask = (packets: number, overMs: number): void => {
    writeAsk(bytes, view, 0, 1, { n: 1, series: 1, size: 1300, packets, overMs, afterSeconds: 2 });
    survey.receive(0, ASK, view, 0, ASK_BYTES);
    assert.equal(survey.transmit(bytes, view, 0), TALLY_BYTES);
  };
  const drain = (now: number): number => {
    survey.advance(now);
    let count = 0;
    for (let length = survey.transmit(bytes, view, 0); length > 0; length = survey.transmit(bytes, view, 0)) {
      assert.equal(readLoad(view, 0, length)!.series, 1);
      count++;
    }
    return count;
  };
  ask(10, 100);
  assert.equal(drain(1999), 0, "not yet");
  assert.equal(drain(2000), 1);
  assert.equal(survey.deadline(), 2010);
  assert.equal(drain(2050), 5);
  assert.equal(drain(2200), 4);
  ask(60_000, 0);
  const sent = drain(2000);
  assert.ok(sent < 60, `${sent} packets for two questions`);
  assert.equal(survey.refused, 60_000 - sent);
  assert.equal(survey.deadline(), Number.POSITIVE_INFINITY);
});

test("damaged messages are counted, and the sender's clock may wrap", () => {
  const survey = new Survey(1, 1300);
  survey.receive(0, LOAD, view, 0, 8);
  survey.receive(0, ASK, view, 0, 12);
  assert.equal(survey.errors, 2);
  const tally = new Tally();
  tally.receive(100, { series: 0, n: 0, micros: 2 ** 32 - 1000 });
  tally.receive(103, { series: 0, n: 1, micros: 0 });
  const { jitterMicros, queueMicros } = tally.counted;
  assert.deepEqual([jitterMicros, queueMicros], [125, 1000]);
});
