/**
 * The multivariant playlist, of what is live and of what was recorded: one variant as the encoder sent it, and others where there are renditions of it.
 *
 *   #EXTM3U
 *   #EXT-X-VERSION:9
 *   #EXT-X-INDEPENDENT-SEGMENTS
 *   #EXT-X-STREAM-INF:BANDWIDTH=3500000,AVERAGE-BANDWIDTH=3100000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=30.000
 *   media.m3u8
 *
 * Source: RFC 8216bis section 4.4.6.2.
 */
import type { BitsPerSecond } from "../../base/units.ts";
import type { Track } from "../unit.ts";
import type { Window } from "./window.ts";

export interface Bandwidth {
  /** Highest rate of any segment, whole. */
  readonly peak: BitsPerSecond;
  /** Rate over all segments, whole; 0: not told. */
  readonly average: BitsPerSecond;
}

/** Measured over the listed segments, the open one included when there is no other; zeros while there is nothing to measure. */
export function bandwidth(window: Window): Bandwidth {
  let bytes = 0;
  let duration = 0;
  let peak = 0;
  const segments = window.listed;
  for (const segment of segments) {
    if ((!segment.complete && segments.length > 1) || segment.duration === 0) continue;
    bytes += segment.byteLength;
    duration += segment.duration;
    peak = Math.max(peak, segment.byteLength / segment.duration);
  }
  return { peak: Math.ceil(peak * 8_000_000), average: duration === 0 ? 0 : Math.ceil((bytes * 8_000_000) / duration) };
}

export interface Variant {
  readonly tracks: readonly Track[];
  readonly bandwidth: Bandwidth;
  /** The media playlist, relative to this one. */
  readonly uri: string;
}

/** `version`: of HLS, that its media playlists need. */
export function multivariantPlaylist(variants: readonly Variant[], independentSegments: boolean, version = 9): string {
  const lines = ["#EXTM3U", `#EXT-X-VERSION:${version}`, ...(independentSegments ? ["#EXT-X-INDEPENDENT-SEGMENTS"] : [])];
  for (const { tracks, bandwidth, uri } of variants) lines.push(streamInf(tracks, bandwidth), uri);
  return [...lines, ""].join("\n");
}

function streamInf(tracks: readonly Track[], { peak, average }: Bandwidth): string {
  const attributes = [`BANDWIDTH=${Math.max(1, peak)}`];
  if (average > 0) attributes.push(`AVERAGE-BANDWIDTH=${average}`);
  attributes.push(`CODECS="${tracks.map(({ codec }) => codec).join(",")}"`);
  for (const track of tracks) {
    if (track.kind !== "video") continue;
    attributes.push(`RESOLUTION=${track.width}x${track.height}`);
    if (track.framesPerSecond > 0) attributes.push(`FRAME-RATE=${track.framesPerSecond.toFixed(3)}`);
  }
  return `#EXT-X-STREAM-INF:${attributes.join(",")}`;
}
