/** What the segmenter and the muxer make of the demo, read by ffmpeg, which shares no line with them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FlvReader, firstTag } from "../flv/tag.ts";
import { FlvToUnit } from "../flv/to-unit.ts";
import type { Track } from "../unit.ts";
import { Segmenter, segmenterDefaults } from "./segmenter.ts";
import { Window } from "./window.ts";

const missing = spawnSync("ffmpeg", ["-version"]).error === undefined ? false : "ffmpeg is not installed";

function demo(): Window {
  const file = readFileSync(join(import.meta.dirname, "../../../assets/demo.flv"));
  const window = new Window({ firstMsn: 0, segmentsMax: 10, segmentsKept: 1, bytesMax: 1e8, targetDuration: 2 });
  const segmenter = new Segmenter(window, segmenterDefaults);
  const flv = new FlvToUnit();
  const tracks: Track[] = [];
  const reader = new FlvReader(file, firstTag(file));
  while (reader.next()) {
    flv.receive(reader.type, reader.timestamp, file.subarray(reader.start, reader.end), reader.timestamp);
    for (let event = flv.event(); event !== undefined; event = flv.event()) {
      if (event.kind === "unit") segmenter.push(event.unit);
      if (event.kind === "track") {
        tracks.push(event.track);
        segmenter.configure([...tracks]);
      }
    }
  }
  segmenter.end();
  return window;
}

function ffmpeg(program: "ffmpeg" | "ffprobe", args: readonly string[], input: Uint8Array): string {
  const { stdout, stderr, status } = spawnSync(program, ["-hide_banner", "-v", "warning", ...args], {
    input,
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  assert.deepEqual([status, stderr], [0, ""], `${program} is content`);
  return stdout;
}

test("ffprobe finds every frame of the demo at its time, ffmpeg decodes them without a word", { skip: missing }, () => {
  const window = demo();
  const whole = Buffer.concat([window.init(0)!, ...window.listed.map(({ bytes }) => bytes!)]);
  const probe = JSON.parse(ffmpeg("ffprobe", ["-of", "json", "-show_streams", "-show_packets", "-"], whole)) as {
    streams: Record<string, unknown>[];
    packets: { codec_type: string; pts_time: string; duration_time: string; flags: string }[];
  };
  assert.deepEqual(
    probe.streams.map((s) => [s.codec_name, s.profile, s.width ?? s.sample_rate, s.height ?? s.channels]),
    [
      ["h264", "High", 640, 360],
      ["aac", "LC", "32000", 2],
    ],
  );
  const video = probe.packets.filter(({ codec_type }) => codec_type === "video");
  const audio = probe.packets.filter(({ codec_type }) => codec_type === "audio");
  assert.deepEqual([video.length, audio.length], [120, 125]);
  assert.deepEqual(
    video.map(({ pts_time }) => Math.round(Number(pts_time) * 1000)),
    Array.from({ length: 120 }, (_, i) => Math.round((i * 1000) / 30)),
  );
  assert.ok(audio.every(({ pts_time }, i) => i === 0 || Math.abs(Number(pts_time) - Number(audio[i - 1]!.pts_time) - 0.032) < 1e-6));
  assert.deepEqual(
    video.flatMap(({ flags }, i) => (flags.startsWith("K") ? [i] : [])),
    [0, 30, 60, 90],
  );
  ffmpeg("ffmpeg", ["-xerror", "-i", "-", "-f", "null", "-"], whole);
});

test("every independent part can be decoded with nothing but the init segment before it", { skip: missing }, () => {
  const window = demo();
  const part = window.listed[1]!.parts[0]!;
  assert.equal(part.independent, true);
  const probe = ffmpeg(
    "ffprobe",
    ["-of", "csv=p=0", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-"],
    Buffer.concat([window.init(0)!, part.bytes]),
  );
  assert.equal(Number(probe), 6);
});
