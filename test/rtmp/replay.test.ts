/** What real encoders sent, given to the server again in pieces of every size (README.md says how it was recorded). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Prng } from "../../src/base/prng.ts";
import { FlvToUnit } from "../../src/media/flv/to-unit.ts";
import { parseMetadata } from "../../src/media/rtmp/metadata.ts";
import { RtmpServer } from "../../src/media/rtmp/server.ts";
import type { Track, Unit } from "../../src/media/unit.ts";

/** Counts as ffprobe finds them in the stream that the encoder wrote. */
const recordings = [
  { file: "ffmpeg-5.1.bin", video: 30, audio: 88, encoder: "Lavf59.27.100" },
  { file: "gstreamer-1.22.bin", video: 30, audio: 89, encoder: "GStreamer 1.22.0 FLV muxer" },
] as const;

for (const { file, video, audio, encoder } of recordings) {
  for (const [name, piece] of [
    ["in large pieces", () => 8192],
    ["byte by byte", () => 1],
    ["in random pieces", random(0x99)],
  ] as const) {
    test(`${file} publishes and ends, ${name}`, () => {
      const bytes = new Uint8Array(readFileSync(join(import.meta.dirname, file)));
      const session = replay(bytes, piece);
      assert.deepEqual(session.heard, ["publish app demo-key", "track video avc1", "track audio mp4a", "unpublish"]);
      assert.deepEqual(
        session.tracks.map((track) =>
          track.kind === "video" ? [track.width, track.height, track.framesPerSecond] : [track.sampleRate, track.channels],
        ),
        [
          [160, 90, 15],
          [44_100, 1],
        ],
      );
      const pictures = session.units.filter(({ kind }) => kind === "video");
      assert.deepEqual([pictures.length, session.units.length - pictures.length], [video, audio]);
      assert.deepEqual(
        pictures.flatMap(({ keyframe }, i) => (keyframe ? [i] : [])),
        [0, 15],
      );
      assert.ok(
        pictures.every(({ dts }, i) => Math.abs(dts - pictures[0]!.dts - (i * 1_000_000) / 15) <= 1000),
        "15 pictures a second",
      );
      assert.equal(session.encoder, encoder);
      const { stats } = session.server;
      assert.deepEqual([stats.receivedBytes, stats.damagedMessages, stats.ignoredMessages, stats.unknownCommands], [bytes.length, 0, 0, 0]);
      assert.equal(session.server.heldBytes, 0);
    });
  }
}

function random(seed: number): () => number {
  const prng = new Prng(seed);
  return () => 1 + prng.below(3000);
}

function replay(bytes: Uint8Array, piece: () => number) {
  const server = new RtmpServer({ random: new Uint8Array(1528) });
  const converter = new FlvToUnit();
  const heard: string[] = [];
  const tracks: Track[] = [];
  const units: Unit[] = [];
  let encoder: string | undefined;
  const answers = new Uint8Array(8192);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + piece(), bytes.length);
    server.receive(at, bytes, at, end);
    at = end;
    while (server.transmit(answers, 0, answers.length) > 0);
    for (let event = server.event(); event !== undefined; event = server.event()) {
      if (event.kind === "media") {
        const { type, timestamp, payload } = event.message;
        encoder ??= parseMetadata(payload)?.encoder;
        converter.receive(type, timestamp, payload, 0);
        for (let made = converter.event(); made !== undefined; made = converter.event()) {
          if (made.kind === "unit") units.push(made.unit);
          else if (made.kind === "failed") heard.push(made.error.message);
          else {
            tracks.push(made.track);
            heard.push(`track ${made.track.kind} ${made.track.codec.slice(0, 4)}`);
          }
        }
      } else if (event.kind === "publish") {
        heard.push(`publish ${event.app} ${event.key}`);
        server.accept(at);
      } else heard.push(event.kind === "failed" ? event.error.message : event.kind);
    }
  }
  return { server, heard, tracks, units, encoder };
}
