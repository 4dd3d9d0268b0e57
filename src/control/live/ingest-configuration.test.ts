import assert from "node:assert/strict";
import { test } from "node:test";
import type { Track } from "../../media/unit.ts";
import { ingestConfiguration } from "./ingest-configuration.ts";

const video = (codec: string, configuration: readonly number[]): Track => ({
  ...{ kind: "video", codec, width: 1280, height: 720, framesPerSecond: 29.97 },
  configuration: new Uint8Array(configuration),
});
const audio: Track = {
  ...{ kind: "audio", codec: "mp4a.40.2", sampleRate: 48_000, channels: 2, samplesPerUnit: 1024 },
  configuration: new Uint8Array([0x11, 0x90]),
};

test("what the encoder told of itself comes before what was measured", () => {
  const told = {
    ...{ encoder: "obs-output module", width: 1280, height: 720, framesPerSecond: 30 },
    ...{ videoRate: 2_500_000, audioRate: 160_000 },
  };
  assert.deepEqual(ingestConfiguration([video("avc1.42c01f", [1, 66, 0xc0, 31]), audio], 3_000_000, told), {
    video: {
      ...{ codec: "avc1.42c01f", avcProfile: "Constrained Baseline", avcLevel: "3.1", profile: "Constrained Baseline", level: "3.1" },
      ...{
        encoder: "obs-output module",
        videoWidth: 1280,
        videoHeight: 720,
        targetFramerate: 30,
        targetBitrate: 2_500_000,
        track: "Track0",
      },
    },
    audio: { codec: "mp4a.40.2", sampleRate: 48_000, channels: 2, targetBitrate: 160_000, track: "Track0" },
  });
  const { video: measured } = ingestConfiguration([video("avc1.640028", [1, 100, 0, 40])], 3_000_000, undefined) as {
    video: Record<string, unknown>;
  };
  assert.deepEqual(
    [measured.profile, measured.level, measured.encoder, measured.targetBitrate, measured.targetFramerate],
    ["High", "4.0", "", 3_000_000, 30],
  );
});

test("profile and level of the other codecs", () => {
  const of = (codec: string, configuration: readonly number[]): string => {
    const { video: shown } = ingestConfiguration([video(codec, configuration)], 0, undefined) as { video: Record<string, string> };
    assert.equal(shown.avcProfile, undefined);
    return `${shown.profile} ${shown.level}`;
  };
  assert.equal(of("hvc1.1.6.L93.B0", [1, 1, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 93]), "Main 3.1");
  assert.equal(of("hvc1.2.4.L153.B0", [1, 2, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 153]), "Main 10 5.1");
  assert.equal(of("av01.0.08M.08", [0x81, 8, 0, 0]), "Main 4.0");
  assert.equal(of("av01.1.13M.08", [0x81, 0x20 | 13, 0, 0]), "High 5.1");
});
