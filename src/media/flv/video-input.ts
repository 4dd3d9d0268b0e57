/**
 * One picture of a stream: its configuration, and its frames from the first key frame on. A stream with multitrack video has several, which share a clock and an end.
 */
import type { Bytes, Millis } from "../../base/units.ts";
import { HAS_SLICE, HAS_START } from "../nal/access-unit.ts";
import type { Timeline } from "../timeline.ts";
import type { UnitQueue } from "../unit-queue.ts";
import type { ToUnitStats } from "./to-unit.ts";
import type { VideoCodec } from "./video-codec.ts";
import type { VideoTag } from "./video-tag.ts";

/** What the pictures of a stream have in common. */
export interface VideoInputOptions {
  readonly queue: UnitQueue;
  readonly timeline: Timeline;
  readonly stats: ToUnitStats;
  readonly configurationBytesMax: Bytes;
}

export class VideoInput {
  /** As the encoder numbers it. */
  readonly trackId: number;
  readonly #options: VideoInputOptions;
  /** On the timeline. */
  readonly #clock: number;
  #codec: VideoCodec | undefined;
  /** The configuration as it came, to tell a repeated one. */
  #record: Uint8Array | undefined;
  #lengthBytes = 4;
  #sawKeyframe = false;

  constructor(trackId: number, clock: number, options: VideoInputOptions) {
    this.trackId = trackId;
    this.#clock = clock;
    this.#options = options;
  }

  /** `record` is borrowed for the call. */
  configure(codec: VideoCodec, record: Uint8Array): void {
    if (codec === this.#codec && this.#record !== undefined && sameBytes(record, this.#record)) return;
    const { queue, stats, configurationBytesMax } = this.#options;
    const configuration = record.length > configurationBytesMax ? undefined : codec.configure(record);
    if (configuration === undefined) {
      stats.damaged++;
      return;
    }
    this.#codec = codec;
    this.#record = record.slice();
    this.#lengthBytes = configuration.lengthBytes;
    this.#sawKeyframe = false;
    queue.track(configuration.track, this.trackId);
  }

  /** The frame that `tag` has found in `payload`, which is given away and ends where the frame does. */
  take(codec: VideoCodec, tag: VideoTag, timestamp: Millis, payload: Uint8Array, arrival: number): void {
    const { queue, timeline, stats } = this.#options;
    // Before looking into it: the length of lengths is that of the codec that was configured.
    if (codec !== this.#codec) {
      stats.early++;
      return;
    }
    const found = codec.inspect(payload, tag.start, this.#lengthBytes);
    if ((found & HAS_SLICE) === 0) {
      stats.damaged++;
      return;
    }
    const keyframe = tag.keyframe || (found & HAS_START) !== 0;
    if (!keyframe && !this.#sawKeyframe) {
      stats.early++;
      return;
    }
    if (keyframe && (found & HAS_START) === 0) stats.keyframesWithoutIdr++;
    this.#sawKeyframe = true;
    const dts = timeline.map(this.#clock, timestamp);
    const pts = dts + this.#compositionTime(tag) * 1000;
    const data = codec.picture(payload, tag.start, this.#lengthBytes);
    stats.videoUnits++;
    queue.unit({ kind: "video", dts, pts, keyframe, data, arrival }, this.trackId);
  }

  #compositionTime({ compositionTime }: VideoTag): Millis {
    if (Math.abs(compositionTime) <= COMPOSITION_MILLIS_MAX) return compositionTime;
    this.#options.stats.compositionTimes++;
    return 0;
  }
}

/** Reordering by 16 pictures at 5 a second. */
const COMPOSITION_MILLIS_MAX = 3200;

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
