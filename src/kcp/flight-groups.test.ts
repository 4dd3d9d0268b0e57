import assert from "node:assert/strict";
import { test } from "node:test";
import { FlightGroups } from "./flight-groups.ts";

const LATEST = -1;
const FORGOTTEN = -2;

test("groups are remembered as room is made for them, the last 256 of them, and none that ended before a rest", () => {
  const groups = new FlightGroups();
  const remembered = (group: number): readonly [number, number] => [groups.endedAt(group, LATEST, FORGOTTEN), groups.rowsOf(group)];
  for (let group = 1; group <= 300; group++) {
    assert.equal(groups.open, group);
    groups.end(1000 + group, group % 7);
    for (const known of [Math.max(1, group - 255), group]) assert.deepEqual(remembered(known), [1000 + known, known % 7]);
  }
  assert.deepEqual(remembered(44), [FORGOTTEN, 0]);
  groups.rows = 3;
  assert.deepEqual(remembered(301), [LATEST, 3]);
  groups.rest();
  assert.deepEqual(remembered(300), [FORGOTTEN, 0]);
  assert.deepEqual(remembered(301), [LATEST, 3]);
  for (let group = 301; group < 330; group++) groups.end(group, 1);
  for (let group = 301; group < 330; group++) assert.deepEqual(remembered(group), [group, 1]);
});
