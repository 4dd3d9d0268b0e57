/**
 * `longhaul/cmaf`: fragmented MP4 (ISO/IEC 14496-12, CMAF) of H.264 and AAC units.
 *
 * ```ts
 * const muxer = new Muxer(tracks);                                         // tracks and units as `longhaul/flv` makes them
 * write(muxer.init);                                                       // ftyp + moov
 * write(muxer.fragment(videoUnits, audioUnits, end));                      // moof + mdat; `end`: decode time behind the last picture, µs
 * ```
 *
 * What is answered is fresh memory of the caller's; units are borrowed for the call.
 */
export type { Micros } from "../../base/units.ts";
export type { AudioTrack, Track, Unit, VideoTrack } from "../unit.ts";
export { Muxer } from "./fragment.ts";
export * as cmaf from "./index.ts";
export { initSegment } from "./init-segment.ts";
export { codecSupported } from "./sample-entry.ts";
