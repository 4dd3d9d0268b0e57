/**
 * `longhaul/hls`: low-latency HLS (RFC 8216bis) without HTTP: units in, parts, segments and playlists out.
 *
 * ```ts
 * const window = new Window({ firstMsn: 0, segmentsMax: 10, segmentsKept: 4, bytesMax: 96 << 20, targetDuration: 2 });
 * const segmenter = new Segmenter(window, segmenterDefaults);
 * segmenter.configure(tracks);
 * segmenter.push(unit);                                                    // kept; ends a part every 200 ms, a segment at key frames
 * const text = mediaPlaylist(window, false);
 * const reload = blockingReload(window, "12", "3");                        // what a request with _HLS_msn and _HLS_part is to be answered with
 * ```
 *
 * Times are microseconds. The window holds at most `bytesMax`; what it answers is its own memory, to be read only.
 */
export type { BitsPerSecond, Bytes, Micros } from "../../base/units.ts";
export type { AudioTrack, Track, Unit, VideoTrack } from "../unit.ts";
export { blockingReload, holds, type Reload } from "./blocking-reload.ts";
export * as hls from "./index.ts";
export { mediaPlaylist } from "./media-playlist.ts";
export { type Bandwidth, bandwidth, multivariantPlaylist } from "./multivariant-playlist.ts";
export { Segmenter, type SegmenterOptions, segmenterDefaults } from "./segmenter.ts";
export { initUri, parseUri, partUri, type Resource, segmentUri } from "./uri.ts";
export { type Part, type Segment, type SegmentStart, Window, type WindowOptions } from "./window.ts";
