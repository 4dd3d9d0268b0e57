import assert from "node:assert/strict";
import { test } from "node:test";
import { Beginning } from "./beginning.ts";

const unit = (dts: number, arrival: number, bytes = 100, kind: "video" | "audio" = "video") => ({
  ...{ kind, dts: dts * 1000, pts: dts * 1000, keyframe: dts === 0 },
  ...{ data: new Uint8Array(bytes), arrival },
});
const limits = { bytesMax: 10_000, unitsMax: 200 };

/** Milliseconds after the first unit's arrival at which it is over. */
function over(arrivals: (frame: number) => number): number {
  const beginning = new Beginning("video", limits);
  for (let frame = 0; ; frame++) {
    const arrival = arrivals(frame);
    if (!beginning.hold(unit((frame * 100) / 3, arrival, 10))) return Math.round(arrival - arrivals(0));
  }
}

test("over when what comes is no faster than time for a moment; jitter is none of that", () => {
  assert.equal(
    over((frame) => (frame * 100) / 3),
    100,
  );
  assert.equal(
    over((frame) => (frame * 100) / 3 + [0, 8, 3, 9, 1][frame % 5]!),
    109,
  );
  // Thirty frames at once, then in time.
  assert.equal(
    over((frame) => Math.max(1000, (frame * 100) / 3)),
    100,
  );
});

test("over when too much is held, whatever comes", () => {
  assert.equal(
    over(() => 5000),
    0,
    "three seconds of media at once",
  );
  const heavy = new Beginning("video", limits);
  assert.equal(heavy.hold(unit(0, 0, 9000)), true);
  assert.equal(heavy.hold(unit(10, 0, 1000)), false);
  const many = new Beginning("video", { ...limits, unitsMax: 3 });
  assert.deepEqual(
    [0, 1, 2].map((at) => many.hold(unit(at, 0, 1, at === 0 ? "video" : "audio"))),
    [true, true, false],
  );
  const back = new Beginning("video", limits);
  assert.deepEqual([back.hold(unit(100, 0)), back.hold(unit(0, 0))], [true, false], "a clock that jumps back");
});
