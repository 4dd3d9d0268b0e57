/**
 * Turns what a browser publishes into Tracks and Units: H.264 and Opus.
 *
 *   packets ─▶ ReorderBuffer ─▶ H264Assembler ─▶ Unit          a hole: units are dropped up to the next key frame, which is asked for
 *   packets ─▶ ReorderBuffer ─────────────────▶ Unit (Opus)
 *
 * Browsers make a key frame only when they are asked, and segments begin with one: it is asked for every `keyFrameInterval`.
 *
 * Both streams are laid on one clock by when their first packets came, which is right within the difference of their encoders' delays.
 *
 * Source: RFC 6184, RFC 7587 section 4; ISO/IEC 14496-15 section 5.3.3.1 for the configuration, RFC 7845 section 5.1 for that of Opus.
 */

import { SequenceUnwrapper } from "../base/sequence-unwrapper.ts";
import type { Micros, Millis } from "../base/units.ts";
import { decoderConfigurationOf } from "../media/h264/decoder-configuration.ts";
import { H264Assembler } from "../media/rtp/h264-payload.ts";
import type { RtpPacket } from "../media/rtp/rtp-packet.ts";
import type { AudioTrack, Track, Unit, VideoTrack } from "../media/unit.ts";
import type { InboundStream, PacketSink } from "./inbound-stream.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";

/** Where units go. */
export interface UnitSink {
  /** All tracks there are, video first; again when one changes. */
  tracks(tracks: readonly Track[]): void;
  unit(unit: Unit): void;
}

export interface IngestOptions {
  readonly keyFrameInterval: Micros;
  /** Unix milliseconds. */
  readonly wallClock: () => Millis;
}

/** Samples of 20 ms, which is what browsers send. */
const OPUS_SAMPLES = 960;
const OPUS_RATE = 48_000;
/** Nobody sends lost audio again; this is for what overtook. */
const AUDIO_WAIT: Micros = 60_000;
/** OpusSpecificBox without its head: version 0, 2 channels, pre-skip 312, 48 kHz, gain 0, mapping family 0. */
const OPUS_CONFIGURATION = Uint8Array.of(0, 2, 0x01, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0);

/** One stream in order, and its place on the common clock. */
interface Ordered {
  readonly stream: InboundStream;
  readonly buffer: ReorderBuffer;
  readonly timestamps: SequenceUnwrapper;
  /** Time of the first packet on the common clock, and its RTP timestamp. */
  readonly start: Micros;
  first: number;
}

export class Ingest implements PacketSink {
  readonly stats = { units: 0, /** Pictures dropped because something was missing. */ broken: 0, keyFramesAsked: 0 };
  readonly #options: IngestOptions;
  readonly #sink: UnitSink;
  readonly #assembler = new H264Assembler();
  #video: Ordered | undefined;
  #audio: Ordered | undefined;
  #began: Micros = Number.NaN;
  #videoTrack: VideoTrack | undefined;
  #audioTrack: AudioTrack | undefined;
  #sets: readonly [Uint8Array, Uint8Array] | undefined;
  /** Nothing can be decoded before the next key frame. */
  #waiting = true;
  #pictureTimestamp = Number.NaN;
  #lastKeyFrame: Micros = Number.NEGATIVE_INFINITY;

  constructor(sink: UnitSink, options: IngestOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  packet(now: Micros, stream: InboundStream, packet: RtpPacket, bytes: Uint8Array, sequence: number): void {
    const ordered = this.#ordered(now, stream);
    ordered.buffer.insert(sequence, bytes, packet.payloadStart, packet.payloadEnd, packet.timestamp, packet.marker);
    this.#drain(now, ordered);
  }

  /** Padding fills its place in the order of packets. */
  padding(now: Micros, stream: InboundStream, sequence: number): void {
    const ordered = this.#ordered(now, stream);
    ordered.buffer.insert(sequence, EMPTY, 0, 0, 0, false);
    this.#drain(now, ordered);
  }

  /** A viewer needs one soon; how often the browser is really asked, the stream limits. */
  requestKeyFrame(): void {
    this.#video?.stream.requestKeyFrame();
  }

  /** Gives up what was waited for too long; asks for key frames. Answers when it wants to be called next. */
  advance(now: Micros): Micros {
    let deadline = Number.POSITIVE_INFINITY;
    for (const ordered of [this.#video, this.#audio]) {
      if (ordered === undefined) continue;
      if (now >= ordered.buffer.deadline()) this.#drain(now, ordered);
      deadline = Math.min(deadline, ordered.buffer.deadline());
    }
    if (this.#video === undefined) return deadline;
    const due = this.#lastKeyFrame + this.#options.keyFrameInterval;
    if (now >= due) {
      this.#lastKeyFrame = now;
      this.stats.keyFramesAsked++;
      this.#video.stream.requestKeyFrame();
    }
    return Math.min(deadline, this.#lastKeyFrame + this.#options.keyFrameInterval);
  }

  #ordered(now: Micros, stream: InboundStream): Ordered {
    const video = stream.section.kind === "video";
    const known = video ? this.#video : this.#audio;
    if (known?.stream === stream) return known;
    if (Number.isNaN(this.#began)) this.#began = now;
    const buffer = new ReorderBuffer(video ? {} : { wait: AUDIO_WAIT });
    const made = { stream, buffer, timestamps: new SequenceUnwrapper(32), start: now - this.#began, first: Number.NaN };
    if (video) {
      this.#video = made;
      this.#lastKeyFrame = now;
    } else this.#audio = made;
    return made;
  }

  #drain(now: Micros, ordered: Ordered): void {
    const { buffer } = ordered;
    while (buffer.next(now)) {
      if (ordered === this.#video) this.#takeVideo(now, ordered);
      else this.#takeAudio(ordered);
    }
  }

  #takeVideo(now: Micros, ordered: Ordered): void {
    const { buffer } = ordered;
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
    const time = this.#time(ordered, buffer.timestamp);
    if (broken) this.#lose();
    if (data === undefined || (this.#waiting && !keyframe)) return;
    if (keyframe) {
      this.#lastKeyFrame = now;
      if (!this.#configureVideo()) return;
      this.#waiting = false;
    }
    this.#emit({ kind: "video", dts: time, pts: time, keyframe, data, arrival: this.#options.wallClock() });
  }

  #takeAudio(ordered: Ordered): void {
    const { buffer } = ordered;
    if (this.#audioTrack === undefined) {
      const [sampleRate, samplesPerUnit] = [OPUS_RATE, OPUS_SAMPLES];
      this.#audioTrack = { kind: "audio", codec: "opus", sampleRate, channels: 2, samplesPerUnit, configuration: OPUS_CONFIGURATION };
      this.#publish();
    }
    const time = this.#time(ordered, buffer.timestamp);
    // Without a picture there is no segment to begin.
    if (this.#videoTrack === undefined || time < 0) return;
    const data = buffer.bytes.slice(buffer.start, buffer.end);
    this.#emit({ kind: "audio", dts: time, pts: time, keyframe: true, data, arrival: this.#options.wallClock() });
  }

  #time(ordered: Ordered, timestamp: number): Micros {
    const unwrapped = ordered.timestamps.unwrap(timestamp);
    if (Number.isNaN(ordered.first)) ordered.first = unwrapped;
    return ordered.start + Math.round(((unwrapped - ordered.first) * 1e6) / ordered.stream.section.format.clockRate);
  }

  #configureVideo(): boolean {
    const { sequenceSet, pictureSet } = this.#assembler;
    if (sequenceSet === undefined || pictureSet === undefined) return false;
    if (this.#sets?.[0] === sequenceSet && this.#sets[1] === pictureSet) return true;
    const configuration = decoderConfigurationOf(sequenceSet, pictureSet);
    if (configuration === undefined) return false;
    this.#sets = [sequenceSet, pictureSet];
    const { width, height, framesPerSecond } = configuration.sequence;
    this.#videoTrack = { kind: "video", codec: configuration.codec, width, height, framesPerSecond, configuration: configuration.record };
    this.#publish();
    return true;
  }

  #publish(): void {
    if (this.#videoTrack === undefined) return;
    this.#sink.tracks(this.#audioTrack === undefined ? [this.#videoTrack] : [this.#videoTrack, this.#audioTrack]);
  }

  #emit(unit: Unit): void {
    this.stats.units++;
    this.#sink.unit(unit);
  }

  #lose(): void {
    this.stats.broken++;
    this.#waiting = true;
    this.#video?.stream.requestKeyFrame();
  }
}

const EMPTY = new Uint8Array(0);
