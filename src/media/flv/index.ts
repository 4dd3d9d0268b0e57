/**
 * `longhaul/flv`: FLV tags, which are RTMP's messages too, and their way to tracks and units on one clock that never wraps.
 *
 * ```ts
 * const flv = new FlvToUnit();
 * const reader = new FlvReader(file, firstTag(file));
 * while (reader.next()) {
 *   flv.receive(reader.type, reader.timestamp, file.slice(reader.start, reader.end), Date.now());   // the payload is given away
 *   for (let event; (event = flv.event()) !== undefined; ) if (event.kind === "unit") take(event.unit);
 * }
 * ```
 *
 * Time stamps are milliseconds in tags and microseconds in units. H.264, H.265 and AV1, AAC and Opus; another codec brings the event "failed".
 */
export { ProtocolError } from "../../base/errors.ts";
export type { Micros, Millis } from "../../base/units.ts";
export type { TimelineStats } from "../timeline.ts";
export type { AudioTrack, Track, Unit, UnitEvent, VideoTrack } from "../unit.ts";
export * as flv from "./index.ts";
export { FlvLoop, type LoopTag } from "./loop.ts";
export { AUDIO, FlvReader, firstTag, SCRIPT, VIDEO } from "./tag.ts";
export { FlvToUnit, type FlvToUnitOptions, type ToUnitStats } from "./to-unit.ts";
