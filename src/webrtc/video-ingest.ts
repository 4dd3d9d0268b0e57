/**
 * One encoding of a published picture: packets to a Track and Units.
 *
 *   packets ─▶ ReorderBuffer ─▶ H264Assembler ─▶ Unit          a hole: units are dropped up to the next key frame, which is asked for
 *
 * Source: RFC 6184; ISO/IEC 14496-15 section 5.3.3.1 for the configuration.
 */
import type { Micros, Millis } from "../base/units.ts";
import { decoderConfigurationOf } from "../media/h264/decoder-configuration.ts";
import { H264Assembler } from "../media/rtp/h264-payload.ts";
import type { Unit, VideoTrack } from "../media/unit.ts";
import type { InboundStream } from "./inbound-stream.ts";
import type { IngestStats } from "./ingest.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import type { StreamClock } from "./stream-clock.ts";

export interface VideoSink {
  /** The track changed. */
  configured(from: VideoIngest): void;
  picture(from: VideoIngest, unit: Unit): void;
}

export interface VideoIngestOptions {
  /** A key frame is asked for when none came for so long. */
  readonly keyFrameInterval: Micros;
  /** Unix milliseconds. */
  readonly wallClock: () => Millis;
  readonly stats: IngestStats;
}

export class VideoIngest {
  readonly stream: InboundStream;
  readonly buffer = new ReorderBuffer();
  track: VideoTrack | undefined;
  readonly #clock: StreamClock;
  readonly #sink: VideoSink;
  readonly #options: VideoIngestOptions;
  readonly #assembler = new H264Assembler();
  #sets: readonly [Uint8Array, Uint8Array] | undefined;
  /** Nothing can be decoded before the next key frame. */
  #waiting = true;
  #pictureTimestamp = Number.NaN;
  #lastKeyFrame: Micros;

  constructor(now: Micros, stream: InboundStream, clock: StreamClock, sink: VideoSink, options: VideoIngestOptions) {
    this.stream = stream;
    this.#clock = clock;
    this.#sink = sink;
    this.#options = options;
    this.#lastKeyFrame = now;
  }

  /** Takes what is in order by now. */
  drain(now: Micros): void {
    const { buffer } = this;
    while (buffer.next(now)) this.#take(now, buffer);
  }

  /** Asks for a key frame when it is time; answers when it will be. */
  askInTime(now: Micros): Micros {
    const { keyFrameInterval, stats } = this.#options;
    if (now >= this.#lastKeyFrame + keyFrameInterval) {
      this.#lastKeyFrame = now;
      stats.keyFramesAsked++;
      this.stream.requestKeyFrame();
    }
    return this.#lastKeyFrame + keyFrameInterval;
  }

  #take(now: Micros, buffer: ReorderBuffer): void {
    const assembler = this.#assembler;
    if (buffer.gap || buffer.timestamp !== this.#pictureTimestamp) {
      // A picture that was not ended by its marker has lost its end.
      if (buffer.gap || assembler.length > 0) this.#lose();
      assembler.clear();
      this.#pictureTimestamp = buffer.timestamp;
    }
    assembler.add(buffer.bytes, buffer.start, buffer.end);
    if (!buffer.marker) return;
    const data = assembler.take();
    const { keyframe, broken } = assembler;
    this.#pictureTimestamp = Number.NaN;
    assembler.clear();
    const time = this.#clock.time(buffer.timestamp);
    if (broken) this.#lose();
    if (data === undefined || (this.#waiting && !keyframe)) return;
    if (keyframe) {
      this.#lastKeyFrame = now;
      if (!this.#configure()) return;
      this.#waiting = false;
    }
    const { stats, wallClock } = this.#options;
    stats.units++;
    this.#sink.picture(this, { kind: "video", dts: time, pts: time, keyframe, data, arrival: wallClock() });
  }

  #configure(): boolean {
    const { sequenceSet, pictureSet } = this.#assembler;
    if (sequenceSet === undefined || pictureSet === undefined) return false;
    if (this.#sets?.[0] === sequenceSet && this.#sets[1] === pictureSet) return true;
    const configuration = decoderConfigurationOf(sequenceSet, pictureSet);
    if (configuration === undefined) return false;
    this.#sets = [sequenceSet, pictureSet];
    const { width, height, framesPerSecond } = configuration.sequence;
    this.track = { kind: "video", codec: configuration.codec, width, height, framesPerSecond, configuration: configuration.record };
    this.#sink.configured(this);
    return true;
  }

  #lose(): void {
    this.#options.stats.broken++;
    this.#waiting = true;
    this.stream.requestKeyFrame();
  }
}
