import assert from "node:assert/strict";
import { test } from "node:test";
import { LineRate } from "./line-rate.ts";

/** Datagrams of 1000 bytes, one each `apart` ms, a third of them parity, sent `sentApart` ms apart. */
function arrive(line: LineRate, from: number, n: number, apart: number, sentApart: number): void {
  for (let i = 0; i < n; i++) {
    line.datagram(from + i * apart, 1000);
    if (i % 3 === 2) continue;
    line.segment(from + i * apart, from + i * sentApart);
    line.stored(1);
  }
}

test("a burst arrives as fast as the path delivers, and a segment costs its share of parity", () => {
  const line = new LineRate(0);
  arrive(line, 100, 31, 0.5, 0);
  assert.ok(Math.abs(line.rate - 2000) < 50, `${line.rate} bytes/ms`);
  assert.ok(Math.abs(line.segmentBytes - 1500) < 60, `${line.segmentBytes} bytes a segment`);
});

test("what was sent as slowly as it arrives says nothing of the path", () => {
  const line = new LineRate(0);
  arrive(line, 100, 30, 0.5, 0.5);
  arrive(line, 200, 30, 0.5, 0.5);
  assert.equal(line.rate, 0);
});

test("the first part of a burst tells, while no burst has as a whole", () => {
  const line = new LineRate(0);
  // Its sender has more before it has arrived.
  arrive(line, 100, 24, 0.5, 0);
  arrive(line, 112, 20, 0.5, 0.9);
  arrive(line, 200, 3, 0.5, 0.5);
  assert.ok(Math.abs(line.rate - 2000) < 100, `${line.rate} bytes/ms`);
});
