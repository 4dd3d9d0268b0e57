import assert from "node:assert/strict";
import { test } from "node:test";
import { TestSource } from "../live/testing/source.ts";
import { audioTrack, videoTrack } from "../media/hls/testing/stream.ts";
import type { Track, Unit } from "../media/unit.ts";
import { WhipEncodings } from "./whip-encodings.ts";

const FRAME = 33_333;
const widths: Readonly<Record<string, number>> = { h: 960, m: 480, l: 240 };
const tracksOf = (rid: string): Track[] => [{ ...videoTrack, width: widths[rid]!, height: 100 }, audioTrack];

class Publisher {
  readonly source = new TestSource();
  readonly channel = this.source.channel;
  readonly asked: string[] = [];
  readonly pushed: Unit[] = [];
  readonly encodings: WhipEncodings;
  frame = 0;

  constructor(rids: readonly string[]) {
    const ingest = { requestKeyFrame: (rid = ""): void => void this.asked.push(rid) };
    const now = (): number => this.source.time;
    this.encodings = new WhipEncodings(rids, { channel: this.channel, ingest, now, wallClock: now });
    this.channel.listeners.add({ tracks() {}, unit: (unit) => this.pushed.push(unit), ended() {} });
    this.encodings.start();
  }

  /** These encodings for so long, key frames every second and where they were asked for; `late` µs lie between the stamps of one and the next. */
  send(seconds: number, rids: string, late = 0): void {
    for (const end = this.frame + seconds * 30; this.frame < end; this.frame++) {
      this.source.time = Math.round((this.frame * FRAME) / 1000);
      for (const [i, rid] of [...rids].entries()) {
        const time = this.frame * FRAME - i * late;
        const keyframe = this.frame % 30 === 0 || this.asked.includes(rid);
        if (keyframe) this.encodings.tracks(tracksOf(rid), rid);
        const common = { dts: time, pts: time, data: new Uint8Array(100), arrival: this.source.time };
        this.encodings.unit({ kind: "video", keyframe, ...common }, rid);
        this.encodings.unit({ kind: "audio", keyframe: true, ...common }, rid);
      }
      this.asked.length = 0;
    }
  }

  get width(): number {
    const [video] = this.channel.tracks;
    return video?.kind === "video" ? video.width : 0;
  }
}

test("the largest is the channel's own, smaller ones are renditions in the order of the offer", () => {
  const publisher = new Publisher(["h", "m", "l"]);
  const { channel } = publisher;
  publisher.send(1, "l");
  assert.deepEqual([publisher.width, channel.encodings, channel.renditions.size], [240, 3, 0]);
  publisher.send(4, "hml");
  assert.equal(publisher.width, 960);
  assert.deepEqual([...channel.renditions.keys()].sort(), ["s1", "s2"]);
  assert.ok([...channel.renditions.values()].every(({ live, window }) => live && window.listed.length > 0));
  publisher.encodings.end();
  assert.ok([channel, ...channel.renditions.values()].every(({ live }) => !live));
});

test("when the largest stops, the next one takes its place, under stamps that rise", () => {
  const publisher = new Publisher(["h", "m"]);
  publisher.send(3, "hm", 50_000);
  assert.equal(publisher.width, 960);
  publisher.send(3, "m");
  assert.equal(publisher.width, 480);
  publisher.send(4, "mh", 50_000);
  assert.equal(publisher.width, 960);
  for (const kind of ["video", "audio"] as const) {
    const times = publisher.pushed.filter((unit) => unit.kind === kind).map(({ dts }) => dts);
    assert.ok(
      times.every((time, i) => i === 0 || time > times[i - 1]!),
      kind,
    );
  }
  assert.ok(publisher.channel.renditions.get("s1")!.live, "who watched the smaller one goes on");
});

test("one encoding alone is the channel's, as it comes", () => {
  const publisher = new Publisher([]);
  publisher.encodings.tracks(tracksOf("h"), "");
  publisher.encodings.unit({ kind: "video", dts: 5, pts: 5, keyframe: true, data: new Uint8Array(9), arrival: 1 }, "");
  assert.deepEqual([publisher.pushed.length, publisher.channel.encodings, publisher.channel.renditions.size], [1, 1, 0]);
});
