import assert from "node:assert/strict";
import { test } from "node:test";
import type { Track } from "../../media/unit.ts";
import { breach } from "./ingest-limits.ts";

const picture = (width: number, height: number): readonly Track[] => [
  { kind: "video", codec: "avc1.64001f", width, height, framesPerSecond: 30, configuration: new Uint8Array() },
];

test("each type's limits on pixels, edges and rate, and how far they were passed", () => {
  const rows: readonly [type: string, width: number, height: number, rate: number, told: string][] = [
    ["STANDARD", 1920, 1080, 8_500_000, ""],
    ["STANDARD", 1080, 1920, 10_200_000, ""],
    ["STANDARD", 1920, 1080, 10_500_000, "Ingest Bitrate 8500000 2000000 bits per second"],
    ["ADVANCED_HD", 1920, 1200, 1, "Ingest Resolution 2073600 230400 total pixels"],
    ["ADVANCED_SD", 2560, 720, 1, "Ingest Resolution 1920 640 pixels per edge"],
    ["BASIC", 854, 480, 1_800_000, ""],
    ["BASIC", 854, 480, 1_900_000, "Ingest Bitrate 1500000 400000 bits per second"],
    ["BASIC", 1280, 720, 4_200_000, ""],
    ["BASIC", 1280, 720, 4_300_000, "Ingest Bitrate 3500000 800000 bits per second"],
  ];
  for (const [type, width, height, rate, told] of rows) {
    const which = breach(type, picture(width, height), rate);
    const { name, limit, exceededBy, unit } = which ?? { name: "", limit: "", exceededBy: "", unit: "" };
    assert.equal(`${name} ${limit} ${exceededBy} ${unit}`.trim(), told, `${type} ${width}x${height} ${rate}`);
  }
});
