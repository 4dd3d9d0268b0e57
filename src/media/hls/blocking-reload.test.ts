import assert from "node:assert/strict";
import { test } from "node:test";
import { blockingReload, holds } from "./blocking-reload.ts";
import { Window } from "./window.ts";

/** Segments 10 and 11 of five parts each, and of segment 12 the first `parts`. */
function windowWith(parts: number): Window {
  const window = new Window({ firstMsn: 10, segmentsMax: 10, segmentsKept: 2, bytesMax: 1e6, targetDuration: 2 });
  for (let msn = 10; msn <= 12; msn++) {
    if (msn === 12 && parts === 0) break;
    window.openSegment({ date: 0, discontinuity: false, init: 0, partTarget: 400_000 });
    for (let i = 0; i < (msn < 12 ? 5 : parts); i++) {
      window.addPart({ bytes: new Uint8Array(1), duration: 400_000, independent: i === 0 }, msn < 12 && i === 4);
    }
  }
  return window;
}

test("answer now, wait, or refuse", () => {
  const rows: readonly [parts: number, msn: string | undefined, part: string | undefined, expected: string][] = [
    [2, undefined, undefined, "now"],
    [2, undefined, "1", "bad"],
    [2, "11", undefined, "now"],
    [2, "12", undefined, "wait 12.-1"],
    [2, "12", "0", "now"],
    [2, "12", "1", "now"],
    [2, "12", "2", "wait 12.2"],
    [2, "12", "9", "wait 12.9"],
    [2, "12", "10", "bad"],
    [2, "13", "0", "wait 13.0"],
    [2, "14", undefined, "bad"],
    [2, "11", "4", "now"],
    // Part 5 of segment 11 does not exist: the first part of segment 12 is meant.
    [2, "11", "5", "now"],
    [0, "11", "5", "wait 11.5"],
    [0, "12", "0", "wait 12.0"],
    [0, "12", undefined, "wait 12.-1"],
    [0, "13", undefined, "wait 13.-1"],
    [0, "14", "0", "bad"],
    [2, "3", "7", "now"],
    [2, "-1", undefined, "bad"],
    [2, "12", "x", "bad"],
    [2, "1e1", undefined, "bad"],
    [2, "012", undefined, "bad"],
    [2, "99999999999999999999", undefined, "bad"],
    [2, "", undefined, "bad"],
  ];
  for (const [parts, msn, part, expected] of rows) {
    const reload = blockingReload(windowWith(parts), msn, part);
    assert.equal(
      reload.kind === "wait" ? `wait ${reload.msn}.${reload.part}` : reload.kind,
      expected,
      `${parts} parts, msn ${msn} part ${part}`,
    );
  }
});

test("what is waited for comes with the part, or with a later one", () => {
  assert.equal(holds(windowWith(2), 12, 2), false);
  assert.equal(holds(windowWith(3), 12, 2), true);
  assert.equal(holds(windowWith(0), 11, 5), false);
  assert.equal(holds(windowWith(1), 11, 5), true);
  const window = windowWith(3);
  assert.equal(holds(window, 12, 3), false);
  window.closeSegment();
  assert.equal(holds(window, 12, -1), true);
  assert.equal(holds(window, 12, 3), false, "part 3 never came; the first part of segment 13 stands for it");
  window.openSegment({ date: 0, discontinuity: true, init: 0, partTarget: 400_000 });
  window.addPart({ bytes: new Uint8Array(1), duration: 400_000, independent: true }, false);
  assert.equal(holds(window, 12, 3), true);
});
