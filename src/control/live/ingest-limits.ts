/** What a channel's type lets in (reference/aws-live.md 3): more, and the stream is ended with an event that says which limit it was. */
import type { BitsPerSecond } from "../../base/units.ts";
import type { Track } from "../../media/unit.ts";

export type Breach = "Ingest Resolution" | "Ingest Bitrate";

const FULL_HD = 1920 * 1080;
const SD = 854 * 480;
const BASIC_SD: BitsPerSecond = 1_500_000;
const BASIC_ABOVE: BitsPerSecond = 3_500_000;
const TRANSCODED: BitsPerSecond = 8_500_000;
/** Rates are measured over a few seconds: an encoder's peaks are no breach. */
const TOLERANCE = 1.2;

/** Undefined: within them. */
export function breach(type: string, tracks: readonly Track[], rate: BitsPerSecond): Breach | undefined {
  const video = tracks.find((track) => track.kind === "video");
  const pixels = video === undefined ? 0 : video.width * video.height;
  if (pixels > FULL_HD) return "Ingest Resolution";
  const most = type === "BASIC" ? (pixels <= SD ? BASIC_SD : BASIC_ABOVE) : TRANSCODED;
  return rate > most * TOLERANCE ? "Ingest Bitrate" : undefined;
}
