/**
 * What a channel's type lets in (reference/aws-live.md 3): more, and the stream is ended with an event that says which limit it was, how much it is and how far it was passed,
 * in the words of IVS's limit events.
 */
import type { BitsPerSecond } from "../../base/units.ts";
import { type Track, videoTrack } from "../../media/unit.ts";

export interface Breach {
  readonly name: "Ingest Resolution" | "Ingest Bitrate";
  readonly limit: number;
  readonly exceededBy: number;
  readonly unit: "total pixels" | "pixels per edge" | "bits per second";
}

const FULL_HD = 1920 * 1080;
const EDGE = 1920;
const SD = 854 * 480;
const BASIC_SD: BitsPerSecond = 1_500_000;
const BASIC_ABOVE: BitsPerSecond = 3_500_000;
const TRANSCODED: BitsPerSecond = 8_500_000;
/** Rates are measured over a few seconds: an encoder's peaks are no breach. */
const TOLERANCE = 1.2;

/** Undefined: within them. */
export function breach(type: string, tracks: readonly Track[], rate: BitsPerSecond): Breach | undefined {
  const video = videoTrack(tracks);
  const [width, height] = [video?.width ?? 0, video?.height ?? 0];
  const pixels = width * height;
  const edge = Math.max(width, height);
  if (pixels > FULL_HD) return { name: "Ingest Resolution", limit: FULL_HD, exceededBy: pixels - FULL_HD, unit: "total pixels" };
  if (edge > EDGE) return { name: "Ingest Resolution", limit: EDGE, exceededBy: edge - EDGE, unit: "pixels per edge" };
  const most = type === "BASIC" ? (pixels <= SD ? BASIC_SD : BASIC_ABOVE) : TRANSCODED;
  if (rate <= most * TOLERANCE) return undefined;
  return { name: "Ingest Bitrate", limit: most, exceededBy: Math.round(rate - most), unit: "bits per second" };
}
