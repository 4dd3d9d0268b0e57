import assert from "node:assert/strict";
import { test } from "node:test";
import { widenLengths } from "../nal/length.ts";
import { HAS_IDR, HAS_SLICE, inspectAccessUnit, WELL_FORMED } from "./access-unit.ts";

test("tells keyframes, pictures and units without a picture", () => {
  const sei = [0, 0, 0, 2, 0x06, 0x05];
  assert.equal(inspectAccessUnit(Uint8Array.of(9, 9, ...sei, 0, 0, 0, 3, 0x65, 1, 2), 2, 4), WELL_FORMED | HAS_SLICE | HAS_IDR);
  assert.equal(inspectAccessUnit(Uint8Array.of(0, 0, 0, 2, 0x41, 1), 0, 4), WELL_FORMED | HAS_SLICE);
  assert.equal(inspectAccessUnit(Uint8Array.from(sei), 0, 4), WELL_FORMED);
  assert.equal(
    inspectAccessUnit(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0x41), 0, 4),
    WELL_FORMED | HAS_SLICE,
    "empty NAL units are passed over",
  );
});

test("lengths that do not fit are damage", () => {
  assert.equal(inspectAccessUnit(Uint8Array.of(0, 0, 0, 3, 0x65, 1), 0, 4), 0);
  assert.equal(inspectAccessUnit(Uint8Array.of(0, 0, 0, 1, 0x65, 0, 0), 0, 4), 0);
  assert.equal(inspectAccessUnit(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x65), 0, 4), 0);
});

test("shorter lengths become four bytes", () => {
  const unit = Uint8Array.of(7, 0, 2, 0x65, 1, 0, 1, 0x41);
  assert.equal(inspectAccessUnit(unit, 1, 2), WELL_FORMED | HAS_SLICE | HAS_IDR);
  assert.deepEqual([...widenLengths(unit, 1, 2)], [0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 0x41]);
  assert.deepEqual([...widenLengths(Uint8Array.of(1, 0x41), 0, 1)], [0, 0, 0, 1, 0x41]);
});
