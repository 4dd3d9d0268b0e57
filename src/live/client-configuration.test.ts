import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientConfigurationOptions, clientConfiguration, clientConfigurationRequest } from "./client-configuration.ts";
import type { MultitrackRules } from "./publisher.ts";

const FULL_HD = 1920 * 1080;
const rules: MultitrackRules = { policy: "allowed", pixelsMax: FULL_HD, tracksMax: 5 };
const options: ClientConfigurationOptions = {
  rules,
  segment: 2000,
  ingest: ["rtmps://media.example.org:1936/app/{stream_key}"],
  id: "id-1",
};

interface Answer {
  readonly status: { readonly result: string; readonly html_en_us?: string };
  readonly ingest_endpoints: readonly object[];
  readonly encoder_configurations: readonly {
    readonly type: string;
    readonly width: number;
    readonly height: number;
    readonly bitrate_interpolation_points: readonly number[];
    readonly settings: { readonly bitrate: number; readonly keyint_sec: number; readonly bf?: number };
  }[];
}

/** As OBS 32 asks. */
function asked(preferences: object, capabilities: object = {}): object {
  const cpu = { physical_cores: 8, logical_cores: 16, speed: 3600, name: "a processor" };
  const gpu = [{ model: "a card", vendor_id: 4318, device_id: 9348, dedicated_video_memory: 8e9, shared_system_memory: 8e9 }];
  return {
    ...{ service: "IVS", schema_version: "2025-01-25", authentication: "sk_key", stream_attempt_start_time: "2026-11-22T12:00:00.000Z" },
    client: { name: "obs-studio", version: "32.0.4", supported_codecs: ["h264", "av1"] },
    capabilities: { cpu, memory: { total: 3e10, free: 1e10 }, gpu, system: { name: "Windows", bits: 64 }, ...capabilities },
    preferences: { vod_track_audio: false, composition_gpu_index: 0, audio_channels: 2, ...preferences },
  };
}

function canvas(width: number, height: number, numerator = 30): object {
  return { canvases: [{ width, height, canvas_width: width, canvas_height: height, framerate: { numerator, denominator: 1 } }] };
}

function answered(request: object, changed: Partial<MultitrackRules> = {}): Answer {
  return clientConfiguration(clientConfigurationRequest.parse(request), { ...options, rules: { ...rules, ...changed } }) as Answer;
}

function sizes({ encoder_configurations }: Answer): readonly string[] {
  return encoder_configurations.map(({ width, height, settings }) => `${width}x${height} ${settings.bitrate}`);
}

test("a canvas of 1080 lines: the ladder below it, the largest first, by the card's encoder", () => {
  const answer = answered(asked(canvas(1920, 1080)));
  assert.deepEqual(sizes(answer), ["1920x1080 4500", "1280x720 2500", "854x480 1200", "640x360 700", "426x240 350"]);
  assert.deepEqual(answer.ingest_endpoints, [
    { protocol: "RTMPS", url_template: "rtmps://media.example.org:1936/app/{stream_key}", authentication: "sk_key" },
  ]);
  for (const { type, bitrate_interpolation_points: points, settings } of answer.encoder_configurations) {
    assert.equal(type, "jim_nvenc");
    assert.deepEqual([points.length, points.at(-1)], [5, settings.bitrate]);
    assert.deepEqual([settings.keyint_sec, settings.bf], [2, 0]);
  }
});

test("what the channel and the user limit: size, tracks, bandwidth, and 60 pictures a second", () => {
  assert.deepEqual(sizes(answered(asked(canvas(1920, 1080)), { pixelsMax: 1280 * 720 }))[0], "1280x720 2500");
  assert.deepEqual(sizes(answered(asked(canvas(1920, 1080)), { tracksMax: 2 })).length, 2);
  assert.deepEqual(sizes(answered(asked({ ...canvas(1920, 1080), maximum_video_tracks: 3 }))).length, 3);
  assert.deepEqual(sizes(answered(asked(canvas(1280, 720, 60)))), ["1280x720 3500", "854x480 1680", "640x360 980", "426x240 490"]);
  assert.deepEqual(sizes(answered(asked({ ...canvas(1920, 1080), maximum_aggregate_bitrate: 6000 }))), ["1920x1080 4500", "854x480 1200"]);
  assert.deepEqual(sizes(answered(asked({ ...canvas(1920, 1080), maximum_streaming_bandwidth: 3000 }))), ["1280x720 2500"]);
  assert.deepEqual(sizes(answered(asked({ ...canvas(1920, 1080), maximum_aggregate_bitrate: 400 }))), ["426x240 240"]);
});

test("pictures that stand, are small, or of no usual height", () => {
  assert.deepEqual(sizes(answered(asked(canvas(1080, 1920))))[1], "720x1280 2500");
  assert.deepEqual(sizes(answered(asked(canvas(1366, 768)))), ["1366x768 2500", "854x480 1200", "640x360 700", "426x240 350"]);
  assert.deepEqual(sizes(answered(asked(canvas(3840, 2160))))[0], "1920x1080 4500");
  assert.deepEqual(sizes(answered(asked(canvas(320, 180)))), ["320x180 350"]);
  assert.deepEqual(sizes(answered(asked(canvas(2560, 1080))))[0], "1706x720 2500", "no edge is longer than 1920");
});

test("without a card as many as the processor codes; other cards by their own encoders", () => {
  const of = (capabilities: object): Answer => answered(asked(canvas(1280, 720), capabilities));
  const slow = of({ gpu: null, cpu: { physical_cores: 2, logical_cores: 4 } });
  assert.deepEqual(sizes(slow), ["1280x720 2500", "854x480 1200"]);
  assert.equal(slow.encoder_configurations[0]!.type, "obs_x264");
  assert.equal(sizes(of({ gpu: [] })).length, 4);
  assert.equal(of({ gpu: [{ vendor_id: 4098 }] }).encoder_configurations[0]!.type, "h264_texture_amf");
  assert.equal(of({ gpu: [{ vendor_id: 32_902 }] }).encoder_configurations[0]!.type, "obs_qsv11_v2");
  assert.equal(of({ gpu: null, system: { name: "macOS" } }).encoder_configurations[0]!.type, "com.apple.videotoolbox.videoencoder.ave.avc");
});

test("the older form has its picture in the preferences; without one it is 1080 lines at 30", () => {
  const preferences = { width: 1280, height: 720, canvas_width: 1920, canvas_height: 1080, framerate: { numerator: 60, denominator: 1 } };
  assert.equal(sizes(answered(asked(preferences)))[0], "1280x720 3500");
  assert.equal(sizes(answered({ authentication: "key" }))[0], "1920x1080 4500");
});

test("a channel without multitrack video: one picture may go on", () => {
  const answer = answered(asked(canvas(1920, 1080)), { policy: "none" });
  assert.equal(answer.status.result, "warning");
  assert.match(answer.status.html_en_us!, /multitrackInputConfiguration/);
  assert.deepEqual(answer.encoder_configurations, []);
});
