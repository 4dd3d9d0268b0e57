import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaPlaylist } from "./media-playlist.ts";
import { bandwidth, multivariantPlaylist } from "./multivariant-playlist.ts";
import { Segmenter, segmenterDefaults } from "./segmenter.ts";
import { audioTrack, encode, videoTrack } from "./testing/stream.ts";
import { parseUri } from "./uri.ts";
import { Window } from "./window.ts";

function play(seconds: number, partTarget = 500_000): { window: Window; segmenter: Segmenter } {
  const window = new Window({ firstMsn: 7, segmentsMax: 10, segmentsKept: 2, bytesMax: 1e8, targetDuration: 2 });
  const segmenter = new Segmenter(window, { ...segmenterDefaults, partTarget });
  segmenter.configure([videoTrack]);
  for (const unit of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds })) segmenter.push(unit);
  return { window, segmenter };
}

test("the playlist of a young stream", () => {
  assert.equal(
    mediaPlaylist(play(3.1).window, false),
    `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.506,CAN-SKIP-UNTIL=12
#EXT-X-PART-INF:PART-TARGET=0.502
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:00.000Z
#EXT-X-PART:DURATION=0.50000,URI="7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.50000,URI="7.1.m4s"
#EXT-X-PART:DURATION=0.50000,URI="7.2.m4s"
#EXT-X-PART:DURATION=0.50000,URI="7.3.m4s"
#EXTINF:2.00000,
7.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:02.000Z
#EXT-X-PART:DURATION=0.50000,URI="8.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.50000,URI="8.1.m4s"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.2.m4s"
`,
  );
});

test("the hint names the first part of the next segment when the last part of one was published", () => {
  const { window } = play(4 + 1 / 30);
  assert.match(
    mediaPlaylist(window, false),
    /URI="8\.3\.m4s"\n#EXTINF:2\.00000,\n8\.m4s\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="9\.0\.m4s"\n$/,
  );
});

test("a delta update leaves out what lies before the skip boundary, and nothing when that is nothing", () => {
  const { window } = play(20.6);
  const full = mediaPlaylist(window, false);
  const delta = mediaPlaylist(window, true);
  const segments = (text: string): number => text.match(/^#EXTINF/gm)?.length ?? 0;
  const skipped = Number(/SKIPPED-SEGMENTS=(\d+)/.exec(delta)?.[1]);
  assert.equal(segments(full), 10);
  assert.equal(segments(delta) + skipped, 10);
  assert.ok(segments(delta) * 2 >= 12 && segments(delta) * 2 < 14, "twelve seconds stay");
  const tail = full.slice(full.indexOf(/^#EXT-X-PROGRAM-DATE-TIME.*$/m.exec(delta)![0]));
  assert.ok(delta.endsWith(tail), "what stays is the same text");
  assert.match(delta, /#EXT-X-MEDIA-SEQUENCE:7\n/);
  assert.equal(mediaPlaylist(play(8).window, true), mediaPlaylist(play(8).window, false));
});

test("parts are listed for the last three target durations only, the segment being made included", () => {
  const text = mediaPlaylist(play(20.6).window, false);
  const withParts = new Set([...text.matchAll(/URI="(\d+)\.\d+\.m4s"(?:,IND.*)?$/gm)].map(([, msn]) => msn));
  assert.deepEqual([...withParts], ["15", "16", "17"]);
});

test("a second stream under the same address: discontinuity, its own map, and no end", () => {
  const { window, segmenter } = play(3);
  segmenter.end();
  const offline = mediaPlaylist(window, false);
  assert.match(offline, /8\.m4s\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="9\.0\.m4s"\n$/);
  assert.doesNotMatch(offline, /ENDLIST/);
  const again = new Segmenter(window, segmenterDefaults);
  again.configure([videoTrack]);
  for (const unit of encode({ framesPerSecond: 30, keyframeEvery: 60, seconds: 0.3 })) again.push(unit);
  assert.match(mediaPlaylist(window, false), /8\.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-1\.mp4"\n#EXT-X-PROGRAM-DATE-TIME/);
});

test("an empty window has no playlist", () => {
  assert.equal(mediaPlaylist(play(0).window, false), "");
});

test("the multivariant playlist says what a player must know before it chooses", () => {
  const { window } = play(4.5);
  assert.equal(
    multivariantPlaylist(
      [{ tracks: [videoTrack, audioTrack], bandwidth: bandwidth(window), uri: "media.m3u8" }],
      window.independentSegments,
    ),
    `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth(window).peak},AVERAGE-BANDWIDTH=${bandwidth(window).average},CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000
media.m3u8
`,
  );
  const bytes = window.listed[0]!.byteLength + window.listed[1]!.byteLength;
  assert.equal(bandwidth(window).average, Math.ceil((bytes * 8) / 4));
});

test("names are read back, other spellings are not", () => {
  assert.deepEqual(parseUri("init-3.mp4"), { kind: "init", id: 3 });
  assert.deepEqual(parseUri("1795262400.m4s"), { kind: "segment", msn: 1_795_262_400 });
  assert.deepEqual(parseUri("12.0.m4s"), { kind: "part", msn: 12, part: 0 });
  for (const name of ["", "12", "012.m4s", "12.01.m4s", "-1.m4s", "1.2.3.m4s", "init-.mp4", "../12.m4s", "99999999999999999.m4s"]) {
    assert.equal(parseUri(name), undefined, name);
  }
});

test("other renditions are reported with their last part, and not before they have one", () => {
  const others = [
    { uri: "r/480p/media.m3u8", window: play(3.1).window },
    { uri: "r/360p/media.m3u8", window: play(4 + 1 / 30).window },
    { uri: "r/160p/media.m3u8", window: play(0).window },
  ];
  for (const skip of [false, true]) {
    const text = mediaPlaylist(play(20.6).window, skip, others);
    assert.ok(
      text.endsWith(`#EXT-X-RENDITION-REPORT:URI="r/480p/media.m3u8",LAST-MSN=8,LAST-PART=1
#EXT-X-RENDITION-REPORT:URI="r/360p/media.m3u8",LAST-MSN=8,LAST-PART=3
`),
      text,
    );
  }
});
