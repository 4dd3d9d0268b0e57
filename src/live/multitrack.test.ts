import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "../base/errors.ts";
import { silentLog } from "../host/log.ts";
import { audioTrack, EPOCH, videoTrack } from "../media/hls/testing/stream.ts";
import type { Unit, UnitEvent, VideoTrack } from "../media/unit.ts";
import type { Channel } from "./channel.ts";
import { Multitrack } from "./multitrack.ts";
import type { Refusal } from "./publisher.ts";
import { TestSource } from "./testing/source.ts";
import { UnitFeed } from "./unit-feed.ts";

const FRAME = 33_333;
const heights = [720, 480, 360];
const pictureOf = (id: number): VideoTrack => ({ ...videoTrack, width: heights[id]! * 2, height: heights[id]! });

class Encoder {
  readonly source = new TestSource();
  readonly channel = this.source.channel;
  readonly feed: UnitFeed;
  readonly refusals: Refusal[] = [];
  frame = 0;
  readonly #events: UnitEvent[] = [];

  constructor(least = 1) {
    this.feed = new UnitFeed(this.channel, silentLog, (_now, refusal) => this.refusals.push(refusal), least);
    this.channel.start(EPOCH);
  }

  give(...events: UnitEvent[]): void {
    this.#events.push(...events);
    this.feed.take(this.source.time, { event: () => this.#events.shift() });
  }

  configure(...ids: readonly number[]): void {
    for (const trackId of ids) this.give({ kind: "track", track: pictureOf(trackId), trackId });
    this.give({ kind: "track", track: audioTrack, trackId: 0 });
  }

  /** Pictures in the order in which their messages come, those behind the first `late` µs later; key frames every `gop` frames, of `shifted` ones half of that later. */
  send(seconds: number, ids: readonly number[], { gop = 60, shifted = [] as readonly number[], late = 0 } = {}): void {
    for (const end = this.frame + seconds * 30; this.frame < end; this.frame++) {
      this.source.time = Math.round((this.frame * FRAME) / 1000);
      const arrival = EPOCH + this.source.time;
      const unit = (kind: Unit["kind"], keyframe: boolean, after = 0): Unit => {
        const dts = Math.max(0, this.frame * FRAME + 50_000 + after);
        return { kind, keyframe, dts, pts: dts, data: new Uint8Array(100), arrival };
      };
      for (const trackId of ids) {
        const at = shifted.includes(trackId) ? this.frame + gop / 2 : this.frame;
        this.give({ kind: "unit", unit: unit("video", at % gop === 0, trackId === ids[0] ? 0 : late), trackId });
      }
      this.give({ kind: "unit", unit: unit("audio", true), trackId: 0 });
    }
  }

  get renditions(): readonly string[] {
    return [...this.channel.renditions.keys()];
  }
}

/** Number, duration, date of complete segments. */
function segmentsOf({ window }: Channel): readonly (readonly [number, number, number])[] {
  return window.listed.filter(({ complete }) => complete).map(({ msn, duration, date }) => [msn, duration, Math.round(date)]);
}

test("the first picture is the channel's own, others are renditions with the same sound in the same segments under the same dates", () => {
  const encoder = new Encoder();
  const { channel } = encoder;
  encoder.configure(0, 1, 2);
  encoder.send(7, [0, 1, 2]);
  assert.deepEqual(encoder.renditions, ["t1", "t2"]);
  assert.equal(channel.encodings, 3, "so that no transcoder begins");
  assert.deepEqual(
    [...channel.others].map(([name, { height }]) => [name, height]),
    [
      ["t1", 480],
      ["t2", 360],
    ],
  );
  const own = segmentsOf(channel);
  assert.equal(own.length, 3);
  for (const [name, rendition] of channel.renditions) {
    assert.deepEqual(segmentsOf(rendition), own, name);
    assert.deepEqual(
      rendition.tracks.map(({ kind }) => kind),
      ["video", "audio"],
    );
  }
  encoder.feed.end(7000);
  channel.end(7000);
  assert.ok([channel, ...channel.renditions.values()].every(({ live }) => !live));
});

test("whichever message comes first: the lowest track id is the channel's own", () => {
  const encoder = new Encoder();
  encoder.configure(2, 1, 0);
  encoder.send(5, [2, 1, 0]);
  const [video] = encoder.channel.tracks;
  assert.equal(video?.kind === "video" && video.height, 720);
  assert.deepEqual([...encoder.renditions].sort(), ["t1", "t2"]);
  const own = segmentsOf(encoder.channel);
  for (const rendition of encoder.channel.renditions.values()) assert.deepEqual(segmentsOf(rendition), own);
});

test("stamps of one moment may differ by some milliseconds, either way", () => {
  for (const late of [-7000, 7000]) {
    const encoder = new Encoder();
    encoder.configure(0, 1);
    encoder.send(5, [0, 1], { late });
    const own = segmentsOf(encoder.channel);
    const others = segmentsOf(encoder.channel.renditions.get("t1")!);
    assert.deepEqual(
      others.map(([msn]) => msn),
      own.map(([msn]) => msn),
    );
  }
});

test("a picture that comes later begins with a segment of the channel's own", () => {
  const encoder = new Encoder();
  encoder.configure(0);
  encoder.send(5, [0]);
  encoder.configure(1);
  encoder.send(4, [0, 1]);
  const own = segmentsOf(encoder.channel);
  const late = segmentsOf(encoder.channel.renditions.get("t1")!);
  assert.equal(late.length, 1);
  assert.deepEqual(late, own.slice(-1));
});

test("key frames elsewhere: it begins three segments later, under dates of the same clock", () => {
  const encoder = new Encoder();
  encoder.configure(0, 1);
  encoder.send(4.5, [0, 1], { shifted: [1] });
  assert.equal(encoder.renditions.length, 0);
  encoder.send(11.5, [0, 1], { shifted: [1] });
  const rendition = encoder.channel.renditions.get("t1")!;
  const [first] = segmentsOf(rendition);
  const beside = segmentsOf(encoder.channel).find(([msn]) => msn === first![0])!;
  assert.ok(Math.abs(first![2] - beside[2]) <= 1001, `${first![2] - beside[2]} ms`);
});

test("sound that says what it is only behind the pictures, and a picture that changes, reach the renditions", () => {
  const encoder = new Encoder();
  for (const trackId of [0, 1]) encoder.give({ kind: "track", track: pictureOf(trackId), trackId });
  encoder.send(3, [0, 1]);
  const rendition = encoder.channel.renditions.get("t1")!;
  assert.equal(rendition.tracks.length, 1);
  encoder.give({ kind: "track", track: audioTrack, trackId: 0 });
  encoder.give({ kind: "track", track: { ...pictureOf(1), height: 400 }, trackId: 1 });
  encoder.send(4, [0, 1]);
  assert.deepEqual(
    rendition.tracks.map((track) => (track.kind === "video" ? track.height : track.kind)),
    [400, "audio"],
  );
  assert.equal(encoder.channel.others.get("t1")?.height, 400);
});

test("where multitrack video is required one picture alone is refused with its first frame; a failure ends all", () => {
  const encoder = new Encoder(2);
  encoder.configure(0);
  assert.equal(encoder.refusals.length, 0);
  encoder.send(1 / 30, [0]);
  assert.deepEqual(
    encoder.refusals.map(({ reason }) => reason),
    ["multitrack"],
  );
  const both = new Encoder(2);
  both.configure(0, 1);
  both.send(3, [0, 1]);
  assert.deepEqual([both.refusals.length, both.renditions.length], [0, 1]);
  both.give({ kind: "failed", error: new ProtocolError("flv.tracks", "too many") });
  assert.equal(both.refusals.length, 1);
});

test("what is held of a picture that never begins is bounded, and counted", () => {
  const { channel } = new TestSource();
  channel.start(EPOCH);
  const multitrack = new Multitrack(channel, silentLog);
  multitrack.configure(1, pictureOf(1));
  const unit = (frame: number, bytes: number): Unit => ({
    ...{ kind: "video", keyframe: false, dts: frame * FRAME, pts: frame * FRAME },
    ...{ data: new Uint8Array(bytes), arrival: EPOCH },
  });
  let most = 0;
  for (let frame = 0; frame < 100; frame++) {
    multitrack.other(0, 1, unit(frame, 2 ** 20));
    most = Math.max(most, multitrack.counters.heldBytes);
  }
  assert.equal(most, 16 * 2 ** 20);
  for (let frame = 0; frame < 3000; frame++) multitrack.other(0, 1, unit(frame, 100));
  assert.ok(multitrack.counters.heldBytes <= 1024 * 100);
  assert.ok(multitrack.counters.dropped >= 96 + 2048, `${multitrack.counters.dropped}`);
});
