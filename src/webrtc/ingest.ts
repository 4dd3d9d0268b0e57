/**
 * Turns what a browser publishes into Tracks and Units: H.264, in one encoding or several (simulcast), and Opus.
 *
 *   packets ─▶ VideoIngest, one for each encoding ─▶ Unit
 *   packets ─▶ ReorderBuffer ──────────────────────▶ Unit (Opus), once for each encoding
 *
 * Browsers make a key frame only when they are asked, and segments begin with one: it is asked for every `keyFrameInterval`.
 *
 * All streams are laid on one clock by when their first packets came, which is right within the difference of their encoders' delays.
 *
 * Source: RFC 7587 section 4; RFC 7845 section 5.1 for the configuration of Opus; RFC 8853 for simulcast.
 */
import type { Micros, Millis } from "../base/units.ts";
import type { RtpPacket } from "../media/rtp/rtp-packet.ts";
import type { AudioTrack, Track, Unit } from "../media/unit.ts";
import type { InboundStream, PacketSink } from "./inbound-stream.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import { StreamClock } from "./stream-clock.ts";
import { VideoIngest, type VideoSink } from "./video-ingest.ts";

/** Where units go; `rid` names the encoding of a simulcast, "" where there is one alone. */
export interface UnitSink {
  /** All tracks there are, video first; again when one changes. */
  tracks(tracks: readonly Track[], rid: string): void;
  unit(unit: Unit, rid: string): void;
}

export interface IngestOptions {
  readonly keyFrameInterval: Micros;
  /** Unix milliseconds. */
  readonly wallClock: () => Millis;
}

export interface IngestStats {
  units: number;
  /** Pictures dropped because something was missing. */
  broken: number;
  keyFramesAsked: number;
}

/** Samples of 20 ms, which is what browsers send. */
const OPUS_SAMPLES = 960;
const OPUS_RATE = 48_000;
/** Nobody sends lost audio again; this is for what overtook. */
const AUDIO_WAIT: Micros = 60_000;
/** OpusSpecificBox without its head: version 0, 2 channels, pre-skip 312, 48 kHz, gain 0, mapping family 0. */
const OPUS_CONFIGURATION = Uint8Array.of(0, 2, 0x01, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0);
const OPUS: AudioTrack = {
  kind: "audio",
  codec: "opus",
  sampleRate: OPUS_RATE,
  channels: 2,
  samplesPerUnit: OPUS_SAMPLES,
  configuration: OPUS_CONFIGURATION,
};

interface Sound {
  readonly stream: InboundStream;
  readonly buffer: ReorderBuffer;
  readonly clock: StreamClock;
}

export class Ingest implements PacketSink, VideoSink {
  readonly stats: IngestStats = { units: 0, broken: 0, keyFramesAsked: 0 };
  readonly #options: IngestOptions;
  readonly #sink: UnitSink;
  /** By `rid`, at most as many as were negotiated. */
  readonly #videos = new Map<string, VideoIngest>();
  #sound: Sound | undefined;
  #heard = false;
  #began: Micros = Number.NaN;

  constructor(sink: UnitSink, options: IngestOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  packet(now: Micros, stream: InboundStream, packet: RtpPacket, bytes: Uint8Array, sequence: number): void {
    this.#insert(now, stream, sequence, bytes, packet.payloadStart, packet.payloadEnd, packet.timestamp, packet.marker);
  }

  /** Padding fills its place in the order of packets. */
  padding(now: Micros, stream: InboundStream, sequence: number): void {
    this.#insert(now, stream, sequence, EMPTY, 0, 0, 0, false);
  }

  /** A viewer of an encoding needs one soon; how often the browser is really asked, the stream limits. */
  requestKeyFrame(rid = ""): void {
    this.#videos.get(rid)?.stream.requestKeyFrame();
  }

  /** Gives up what was waited for too long; asks for key frames. Answers when it wants to be called next. */
  advance(now: Micros): Micros {
    let deadline = Number.POSITIVE_INFINITY;
    if (this.#sound !== undefined) {
      if (now >= this.#sound.buffer.deadline()) this.#drainSound(now, this.#sound);
      deadline = this.#sound.buffer.deadline();
    }
    for (const video of this.#videos.values()) {
      if (now >= video.buffer.deadline()) video.drain(now);
      deadline = Math.min(deadline, video.buffer.deadline(), video.askInTime(now));
    }
    return deadline;
  }

  configured({ stream }: VideoIngest): void {
    this.#publish(stream.rid);
  }

  picture({ stream }: VideoIngest, unit: Unit): void {
    this.#sink.unit(unit, stream.rid);
  }

  #insert(
    now: Micros,
    stream: InboundStream,
    sequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    marker: boolean,
  ): void {
    if (stream.section.kind === "video") {
      const video = this.#videoOf(now, stream);
      video.buffer.insert(sequence, bytes, start, end, timestamp, marker);
      video.drain(now);
    } else {
      const sound = this.#soundOf(now, stream);
      sound.buffer.insert(sequence, bytes, start, end, timestamp, marker);
      this.#drainSound(now, sound);
    }
  }

  #videoOf(now: Micros, stream: InboundStream): VideoIngest {
    const known = this.#videos.get(stream.rid);
    if (known?.stream === stream) return known;
    const { stats } = this;
    const made = new VideoIngest(now, stream, this.#clock(now, stream), this, { ...this.#options, stats });
    this.#videos.set(stream.rid, made);
    return made;
  }

  #soundOf(now: Micros, stream: InboundStream): Sound {
    if (this.#sound?.stream === stream) return this.#sound;
    this.#sound = { stream, buffer: new ReorderBuffer({ wait: AUDIO_WAIT }), clock: this.#clock(now, stream) };
    return this.#sound;
  }

  #clock(now: Micros, stream: InboundStream): StreamClock {
    if (Number.isNaN(this.#began)) this.#began = now;
    return new StreamClock(now - this.#began, stream.section.format.clockRate);
  }

  #drainSound(now: Micros, { buffer, clock }: Sound): void {
    while (buffer.next(now)) {
      if (!this.#heard) {
        this.#heard = true;
        for (const rid of this.#videos.keys()) this.#publish(rid);
      }
      const time = clock.time(buffer.timestamp);
      if (time < 0) continue;
      let unit: Unit | undefined;
      for (const [rid, { track }] of this.#videos) {
        // Without a picture there is no segment to begin.
        if (track === undefined) continue;
        unit ??= this.#soundUnit(time, buffer);
        this.#sink.unit(unit, rid);
      }
    }
  }

  #soundUnit(time: Micros, { bytes, start, end }: ReorderBuffer): Unit {
    this.stats.units++;
    return { kind: "audio", dts: time, pts: time, keyframe: true, data: bytes.slice(start, end), arrival: this.#options.wallClock() };
  }

  #publish(rid: string): void {
    const video = this.#videos.get(rid)?.track;
    if (video !== undefined) this.#sink.tracks(this.#heard ? [video, OPUS] : [video], rid);
  }
}

const EMPTY = new Uint8Array(0);
