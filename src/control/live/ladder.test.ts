import assert from "node:assert/strict";
import { test } from "node:test";
import { ladder } from "./ladder.ts";

const names = (type: string, preset: string, height: number): string =>
  ladder(type, preset, height)
    .map(({ name }) => name)
    .join(" ");

test("renditions are smaller than the picture and within the type", () => {
  assert.equal(names("BASIC", "", 1080), "");
  assert.equal(names("STANDARD", "", 1080), "720p 480p 360p 160p");
  assert.equal(names("STANDARD", "", 720), "480p 360p 160p");
  assert.equal(names("ADVANCED_SD", "HIGHER_BANDWIDTH_DELIVERY", 1080), "480p 360p 160p");
  assert.equal(names("ADVANCED_HD", "HIGHER_BANDWIDTH_DELIVERY", 1080), "720p 480p 360p 160p");
  assert.equal(names("STANDARD", "", 160), "");
});

test("sound is coded anew where IVS does, and a constrained preset has smaller rates", () => {
  assert.deepEqual(
    ladder("STANDARD", "", 720).map(({ audioRate }) => audioRate > 0),
    [false, true, true],
  );
  assert.ok(ladder("ADVANCED_HD", "", 1080).every(({ audioRate }) => audioRate > 0));
  const [full, constrained] = ["HIGHER_BANDWIDTH_DELIVERY", "CONSTRAINED_BANDWIDTH_DELIVERY"].map(
    (preset) => ladder("ADVANCED_SD", preset, 720)[0]!.videoRate,
  );
  assert.equal(constrained, full! * 0.7);
});
