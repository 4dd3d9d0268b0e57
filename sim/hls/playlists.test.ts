/**
 * Playlists of many channels, set up and published to in many ways, read by somebody else's strict parser after every part: whole ones, delta updates and
 * multivariant ones. A delta update put upon what a player had before must be the whole playlist.
 *
 *   PLAYLISTS=50000 SEED=7 node --test sim/hls/playlists.test.ts
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, setOptions, types } from "hls-parser";
import { Prng } from "../../src/base/prng.ts";
import { Channel } from "../../src/live/channel.ts";
import { bandwidth, multivariantPlaylist } from "../../src/media/hls/multivariant-playlist.ts";
import { segmenterDefaults } from "../../src/media/hls/segmenter.ts";
import { encoder, type Manner, manner } from "./encoders.ts";

const playlists = Number(process.env.PLAYLISTS ?? 10_000);
const seed = Number(process.env.SEED ?? 20_261_121);
/** Captured of one channel, before the next is made. */
const OF_ONE = 250;

setOptions({ strictMode: true });

test(`a strict parser finds no fault in ${playlists} playlists (seed ${seed})`, () => {
  const seen = run(playlists, true);
  assert.ok(seen.delta > playlists / 50 && seen.discontinuities > 0 && seen.raised > 0 && seen.shortParts === 0, JSON.stringify(seen));
});

test(`where frames are missing or come as they like, it finds parts that are too short and nothing else (seed ${seed})`, () => {
  const seen = run(playlists / 2, false);
  assert.ok(seen.shortParts > 0 && seen.shortParts < seen.whole + seen.delta, JSON.stringify(seen));
});

function run(wanted: number, steady: boolean): Seen {
  const seen = { whole: 0, delta: 0, multivariant: 0, discontinuities: 0, raised: 0, shortParts: 0 };
  for (let number = 0, captured = 0; captured < wanted; number++) {
    const given = manner(new Prng(seed + number), steady);
    captured += capture(given, new Prng(seed - number), seen, `channel ${number} of seed ${seed}: ${JSON.stringify(given)}`);
  }
  return seen;
}

interface Seen {
  whole: number;
  delta: number;
  multivariant: number;
  discontinuities: number;
  raised: number;
  /** Shorter than 85 % of PART-TARGET, which no server can help where frames are further apart than that leaves room for. */
  shortParts: number;
}

function capture(given: Manner, prng: Prng, seen: Seen, what: string): number {
  const channel = channelFor(given);
  const steps = encoder(given, prng);
  let [captured, now, version] = [0, 0, 0];
  let before: readonly string[] = [];
  const rendition = channel.rendition("480p");
  const all = [channel, rendition];
  for (const each of all) each.start(0);
  while (captured < OF_ONE) {
    const step = steps.next().value!;
    now++;
    for (const each of all) {
      if (step.kind === "tracks") each.configure(step.tracks);
      else if (step.kind === "text") each.text(step.text);
      else if (step.kind === "unit") each.push(now, step.unit);
      else {
        each.end(now);
        each.start(now);
      }
    }
    if (channel.window.version === version) continue;
    version = channel.window.version;
    const [whole, delta] = [channel.playlists.playlist(false).text, channel.playlists.playlist(true).text];
    if (whole === "") continue;
    read(whole, rendition, given, seen, what);
    captured++;
    seen.whole++;
    if (delta !== whole) {
      read(delta, rendition, given, seen, what);
      captured++;
      seen.delta++;
      if (before.length > 0) assert.deepEqual(segmentsOf(updated(before, delta)), segmentsOf(whole.split("\n")), what);
    }
    before = whole.split("\n");
    if (captured % 10 === 0) {
      const { window, tracks } = channel;
      const text = multivariantPlaylist([{ tracks, bandwidth: bandwidth(window), uri: "media.m3u8" }], window.independentSegments);
      assert.ok(parse(text).isMasterPlaylist, what);
      seen.multivariant++;
    }
  }
  seen.discontinuities += channel.window.discontinuitySequence;
  seen.raised += channel.window.counters.targetDurationRaised;
  return captured;
}

function read(text: string, rendition: Channel, { unsteady, frameLost }: Manner, seen: Seen, what: string): void {
  try {
    const playlist = parse(text);
    assert.ok(playlist instanceof types.MediaPlaylist);
    reported(rendition, playlist, what);
    for (const { parts } of playlist.segments) {
      for (const { duration } of parts) assert.ok(duration === undefined || duration > 0, "a part without duration");
    }
  } catch (error) {
    const { message } = error as Error;
    if (unsteady + frameLost > 0 && message.includes("at least 85%")) seen.shortParts++;
    else assert.fail(`${message}\n${what}\n${text}`);
  }
}

/** What is said of the other rendition is what that one's own playlist has last. */
function reported({ window }: Channel, playlist: types.MediaPlaylist, what: string): void {
  const last = window.listed.at(-1);
  const expected = last === undefined ? [] : [{ uri: "r/480p/media.m3u8", lastMSN: last.msn, lastPart: last.parts.length - 1 }];
  assert.deepEqual(
    playlist.renditionReports.map(({ uri, lastMSN, lastPart }) => ({ uri, lastMSN, lastPart })),
    expected,
    what,
  );
}

/** What a player has after a delta update (RFC 8216bis section 6.3.7): segments it knew in place of those skipped. */
function updated(before: readonly string[], delta: string): readonly string[] {
  const lines = delta.split("\n");
  const at = lines.findIndex((line) => line.startsWith("#EXT-X-SKIP:"));
  const skipped = Number(/SKIPPED-SEGMENTS=(\d+)/.exec(lines[at]!)![1]);
  const first = Number(sequence(lines)) - Number(sequence(before));
  assert.ok(first >= 0, "media sequence numbers rise");
  const known = segmentsOf(before).slice(first, first + skipped);
  return [...known, ...lines.slice(at + 1)];
}

function sequence(lines: readonly string[]): string {
  return /:(\d+)$/.exec(lines.find((line) => line.startsWith("#EXT-X-MEDIA-SEQUENCE:"))!)![1]!;
}

/** The addresses of segments, in their order. */
function segmentsOf(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => /^\d+\.m4s$/.test(line));
}

function channelFor({ part, segment, window }: Manner): Channel {
  return new Channel("show", {
    window: {
      firstMsn: 1000,
      segmentsMax: window,
      segmentsKept: 2,
      bytesMax: 2 ** 26,
      targetDuration: Math.max(1, Math.round(segment / 1000)),
    },
    segmenter: { ...segmenterDefaults, partTarget: part * 1000, segmentTarget: segment * 1000 },
    waitersMax: 1,
    offlineKeep: 60_000,
    compress: () => new Uint8Array(),
  });
}
