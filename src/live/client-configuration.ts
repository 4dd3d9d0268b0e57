/**
 * Which pictures an encoder should send (GetClientConfiguration): asked by OBS and others that speak multitrack video before they publish, with their stream key, what they can
 * encode and what their user wants.
 *
 *   preferences ─▶ sizes no larger than the canvas and the channel's limit ─▶ rates ─▶ as many from the top as fit into bandwidth, tracks and the processor ─▶ encoders
 *
 * Source: IVS's Broadcast Software Integration API, GetClientConfiguration; what OBS reads of the answer.
 *
 * Deviations: H.264 only, so that every viewer has all renditions; without B-frames, which would cost delay; a key that is refused is told by `status`, not by HTTP's code,
 * since OBS shows only that. Rates are ours.
 */
import { z } from "zod";
import type { Millis } from "../base/units.ts";
import type { MultitrackRules } from "./publisher.ts";

const whole = (most: number) => z.int().min(0).max(most);
const framerate = z.object({ numerator: z.int().min(1).max(1e6), denominator: z.int().min(1).max(1e6) });
const canvas = z.object({ width: whole(16_384), height: whole(16_384), framerate });

/** What is read of a request; all else is let through. OBS from 31 on names its canvases, others have one in the preferences themselves. */
export const clientConfigurationRequest = z.object({
  authentication: z.string().min(1).max(512),
  client: z
    .object({ name: z.string().max(256), version: z.string().max(256) })
    .partial()
    .optional(),
  capabilities: z
    .object({
      cpu: z.object({ physical_cores: whole(4096), logical_cores: whole(4096) }).partial(),
      gpu: z
        .array(z.object({ vendor_id: whole(65_535) }).partial())
        .max(64)
        .nullable(),
      system: z.object({ name: z.string().max(256) }).partial(),
    })
    .partial()
    .optional(),
  preferences: canvas
    .partial()
    .extend({
      canvases: z.array(canvas).max(16).optional(),
      composition_gpu_index: whole(63).nullable().optional(),
      maximum_aggregate_bitrate: whole(10_000_000).nullable().optional(),
      maximum_streaming_bandwidth: whole(10_000_000).nullable().optional(),
      maximum_video_tracks: whole(256).nullable().optional(),
    })
    .optional(),
});

export type ClientConfigurationRequest = z.output<typeof clientConfigurationRequest>;

export interface ClientConfigurationOptions {
  readonly rules: MultitrackRules;
  /** Distance of key frames. */
  readonly segment: Millis;
  /** Where to publish, the safest first: "rtmps://host:1936/app/{stream_key}". */
  readonly ingest: readonly string[];
  /** Of this answer; the encoder shows it when it publishes. */
  readonly id: string;
}

interface Rung {
  readonly width: number;
  readonly height: number;
  /** kbit/s. */
  readonly bitrate: number;
}

/** Heights, and kbit/s at 30 pictures a second; 60 take 1.4 times as much. */
const ladder: readonly (readonly [height: number, bitrate: number])[] = [
  [1080, 4500],
  [720, 2500],
  [480, 1200],
  [360, 700],
  [240, 350],
];
const FAST = 1.4;
/** A rung this near to the picture itself is left out. */
const APART = 0.9;
const AUDIO_KBITS = 160;
/** Pixels a second that x264 "veryfast" codes with a core, and half of the cores for it. */
const PIXELS_PER_CORE = 20e6;
const CPU_ENCODER = "obs_x264";
/** PCI vendor → what OBS calls its encoder; the best first. */
const hardware: readonly (readonly [vendor: number, type: string])[] = [
  [0x10de, "jim_nvenc"],
  [0x1002, "h264_texture_amf"],
  [0x8086, "obs_qsv11_v2"],
];
const APPLE_ENCODER = "com.apple.videotoolbox.videoencoder.ave.avc";
/** Where an encoder goes when the path becomes slow: shares of its rate. */
const INTERPOLATION = [0.2, 0.4, 0.6, 0.8, 1];

export function clientConfiguration(request: ClientConfigurationRequest, options: ClientConfigurationOptions): object {
  const { rules, id, ingest, segment } = options;
  if (rules.policy === "none")
    return refusal("This channel does not take multitrack video: set its multitrackInputConfiguration.", "warning");
  const type = encoderOf(request);
  const { canvases, width = 1920, height = 1080, framerate: rate = { numerator: 30, denominator: 1 } } = request.preferences ?? {};
  const picture = canvases?.[0] ?? { width, height, framerate: rate };
  const { framerate } = picture;
  const rungs = chosen(request, sizes(picture, rules.pixelsMax), type, rules.tracksMax, framerate.numerator / framerate.denominator);
  return {
    meta: { service: "IVS", schema_version: "2025-01-25", config_id: id },
    status: { result: "success" },
    ingest_endpoints: ingest.map((url) => ({
      protocol: url.startsWith("rtmps:") ? "RTMPS" : "RTMP",
      url_template: url,
      authentication: request.authentication,
    })),
    encoder_configurations: rungs.map(({ bitrate, ...size }) => ({
      ...{ type, ...size, framerate, canvas_index: 0, gpu_scale_type: "OBS_SCALE_BICUBIC", format: "VIDEO_FORMAT_NV12" },
      bitrate_interpolation_points: INTERPOLATION.map((share) => Math.round(share * bitrate)),
      settings: { ...settings(type), rate_control: "CBR", bitrate, keyint_sec: Math.max(1, Math.round(segment / 1000)), profile: "high" },
    })),
    audio_configurations: { live: [{ codec: "ffmpeg_aac", track_id: 0, channels: 2, settings: { bitrate: AUDIO_KBITS } }] },
  };
}

/** What OBS shows its user; "warning": it may go on with one picture. */
export function refusal(text: string, result: "warning" | "error" = "error"): object {
  const html = text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return {
    meta: { service: "IVS", schema_version: "2025-01-25", config_id: "" },
    status: { result, html_en_us: html },
    ingest_endpoints: [],
    encoder_configurations: [],
    audio_configurations: { live: [] },
  };
}

function encoderOf({ capabilities, preferences }: ClientConfigurationRequest): string {
  if (/mac|darwin/i.test(capabilities?.system?.name ?? "")) return APPLE_ENCODER;
  const gpus = capabilities?.gpu ?? [];
  const composing = gpus[preferences?.composition_gpu_index ?? 0] ?? gpus[0];
  return hardware.find(([vendor]) => vendor === composing?.vendor_id)?.[1] ?? CPU_ENCODER;
}

/** The picture itself or, where it is too large, the largest that is allowed; and the ladder's below it, all of its shape. */
function sizes({ width, height }: { readonly width: number; readonly height: number }, pixelsMax: number): Rung[] {
  const [long, short] = [Math.max(width, height, 64), Math.max(Math.min(width, height), 64)];
  const top = Math.min(short, ladder[0]![0]);
  const heights = [top, ...ladder.map(([each]) => each).filter((each) => each < APART * top)];
  return heights
    .map((each) => {
      const across = even((long * each) / short);
      const bitrate = ladder.find(([rung]) => rung <= each)?.[1] ?? ladder.at(-1)![1];
      return width >= height ? { width: across, height: even(each), bitrate } : { width: even(each), height: across, bitrate };
    })
    .filter((rung) => rung.width * rung.height <= pixelsMax && Math.max(rung.width, rung.height) <= 1920);
}

/** As many from the top as fit; at least one. Where the first takes too much of the bandwidth a smaller one is the first. */
function chosen(
  request: ClientConfigurationRequest,
  rungs: readonly Rung[],
  type: string,
  tracksMax: number,
  fps: number,
): readonly Rung[] {
  const { maximum_aggregate_bitrate, maximum_streaming_bandwidth, maximum_video_tracks } = request.preferences ?? {};
  const bandwidth = (maximum_aggregate_bitrate ?? maximum_streaming_bandwidth ?? Number.POSITIVE_INFINITY) - AUDIO_KBITS;
  const most = Math.max(1, Math.min(tracksMax, maximum_video_tracks ?? tracksMax));
  const cores = request.capabilities?.cpu?.physical_cores ?? request.capabilities?.cpu?.logical_cores ?? 4;
  let pixels = type === CPU_ENCODER ? cores * PIXELS_PER_CORE : Number.POSITIVE_INFINITY;
  let left = bandwidth;
  const taken: Rung[] = [];
  for (const { width, height, bitrate } of rungs) {
    const rate = Math.round(bitrate * (fps > 35 ? FAST : 1));
    const work = width * height * fps;
    if (taken.length === most || rate > left || (taken.length > 0 && work > pixels)) continue;
    taken.push({ width, height, bitrate: rate });
    left -= rate;
    pixels -= work;
  }
  const smallest = rungs.at(-1) ?? { width: 426, height: 240, bitrate: ladder.at(-1)![1] };
  return taken.length > 0 ? taken : [{ ...smallest, bitrate: Math.max(100, Math.min(smallest.bitrate, Math.floor(left))) }];
}

/** What is the encoder's own: no frames before and behind others, and nothing that waits for more of them. */
function settings(type: string): object {
  switch (type) {
    case "jim_nvenc":
      return { preset2: "p4", tune: "ll", multipass: "qres", lookahead: false, psycho_aq: true, bf: 0 };
    case "h264_texture_amf":
      return { preset: "balanced", bf: 0 };
    case "obs_qsv11_v2":
      return { target_usage: "TU4", latency: "low", bframes: 0 };
    case APPLE_ENCODER:
      return { bframes: false };
    default:
      return { preset: "veryfast", tune: "zerolatency", bf: 0 };
  }
}

function even(size: number): number {
  return Math.max(64, 2 * Math.round(size / 2));
}
