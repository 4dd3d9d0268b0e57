import assert from "node:assert/strict";
import { test } from "node:test";
import { M3U8Parser, type Part, type PlaylistLevelType } from "hls.js";
import { markBuffered } from "./browser/buffered-parts.ts";

/** Parts of 0.5 s as hls.js reads them: 10 to 12 s in a whole segment, 12 to 13 s in one that is not complete yet. */
function parts(): readonly Part[] {
  const part = (segment: number, index: number): string =>
    `#EXT-X-PART:DURATION=0.5,URI="${segment}.${index}.m4s"${index === 0 ? ",INDEPENDENT=YES" : ""}`;
  const playlist = [
    "#EXTM3U",
    "#EXT-X-VERSION:9",
    "#EXT-X-TARGETDURATION:2",
    "#EXT-X-PART-INF:PART-TARGET=0.5",
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5",
    "#EXT-X-MEDIA-SEQUENCE:5",
    ...[0, 1, 2, 3].map((index) => part(5, index)),
    "#EXTINF:2,",
    "5.m4s",
    ...[0, 1].map((index) => part(6, index)),
  ];
  const details = M3U8Parser.parseLevelPlaylist(playlist.join("\n"), "http://origin/", 0, "main" as PlaylistLevelType, 0, null);
  for (const fragment of [...details.fragments, details.fragmentHint]) fragment?.setStart((fragment.sn as number) * 2);
  return details.partList ?? [];
}

const loaded = (list: readonly Part[]): string => list.map((part) => (part.loaded ? "1" : "0")).join("");

test("parts of a segment that was loaded whole count as loaded, up to a buffer's end that was rounded down", () => {
  const list = parts();
  assert.equal(loaded(list), "000000");
  assert.equal(markBuffered(list, 10, 11.999999), 4);
  assert.equal(loaded(list), "111100");
  assert.equal(markBuffered(list, 10, 11.999999), 0, "once");
});

test("a part that the buffer holds in half is still to be loaded", () => {
  const list = parts();
  assert.equal(markBuffered(list, 10.4, 12.2), 3);
  assert.equal(loaded(list), "011100");
});
