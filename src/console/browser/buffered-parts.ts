/**
 * Tells hls.js which parts the buffer holds already.
 *
 * hls.js counts a part as loaded only when it has asked for it as a part. Of a segment that was loaded whole, or joined in its middle, some never are. The
 * browser rounds a picture's end down to a microsecond (31.999999), so the end of the buffer can seem to lie in that segment still: hls.js 1.7.4 then takes the
 * segment for the next to load because it has such parts, does not load it because the segment is there, and stands still until the buffer has run dry
 * (`getFragmentAtPosition`, `loadFragment`). Its own allowance for the rounding compares with the sound's end.
 */
import type { Part } from "hls.js";

/** Marks the parts between `start` and `end`, a buffered range in seconds of the media's timeline, as loaded; answers how many were not. */
export function markBuffered(parts: readonly Part[], start: number, end: number): number {
  let marked = 0;
  for (const part of parts) {
    if (part.loaded || part.gap || part.start < start - ROUNDING_SECONDS || part.end > end + ROUNDING_SECONDS) continue;
    const stream = { startPTS: part.start, endPTS: part.end, startDTS: part.start, endDTS: part.end };
    part.elementaryStreams = { ...part.elementaryStreams, audiovideo: stream };
    marked++;
  }
  return marked;
}

/** Less than a frame of sound or picture. */
const ROUNDING_SECONDS = 0.005;
