/**
 * What a channel's type lets in (reference/aws-live.md 3): more, and the stream is ended with an event that says which limit it was, how much it is and how far it was passed,
 * in the words of IVS's limit events.
 */
import type { BitsPerSecond } from "../../base/units.ts";
import { type Track, videoTrack } from "../../media/unit.ts";
import { pixels } from "./resolution.ts";

export interface Breach {
  readonly name: "Ingest Resolution" | "Ingest Bitrate";
  readonly limit: number;
  readonly exceededBy: number;
  readonly unit: "total pixels" | "pixels per edge" | "bits per second";
}

const EDGE = 1920;
const BASIC_SD: BitsPerSecond = 1_500_000;
const BASIC_ABOVE: BitsPerSecond = 3_500_000;
const TRANSCODED: BitsPerSecond = 8_500_000;
/** Rates are measured over a few seconds: an encoder's peaks are no breach. */
const TOLERANCE = 1.2;

/** Undefined: within them. `most`: pixels, where the channel has a limit of its own. */
export function breach(type: string, tracks: readonly Track[], rate: BitsPerSecond, most: number = pixels.FULL_HD): Breach | undefined {
  const video = videoTrack(tracks);
  const [width, height] = [video?.width ?? 0, video?.height ?? 0];
  const size = width * height;
  const edge = Math.max(width, height);
  if (size > most) return { name: "Ingest Resolution", limit: most, exceededBy: size - most, unit: "total pixels" };
  if (edge > EDGE) return { name: "Ingest Resolution", limit: EDGE, exceededBy: edge - EDGE, unit: "pixels per edge" };
  const rateMost = type === "BASIC" ? (size <= pixels.SD ? BASIC_SD : BASIC_ABOVE) : TRANSCODED;
  if (rate <= rateMost * TOLERANCE) return undefined;
  return { name: "Ingest Bitrate", limit: rateMost, exceededBy: Math.round(rate - rateMost), unit: "bits per second" };
}
