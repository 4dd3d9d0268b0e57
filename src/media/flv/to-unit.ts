/**
 * Turns the audio and video messages of one stream into Tracks and Units.
 *
 * A configuration makes a Track; only a changed one makes another. Frames without a configuration, and pictures before the first keyframe after
 * one, are counted and dropped: no decoder could show them. The first message in a codec we do not carry ends the stream with a sentence for
 * its publisher. Damage is counted, never thrown.
 *
 * Deviations: a picture counts as a keyframe when its header says so or when it holds an IDR slice; with neither IDR slices nor the header's
 * word (gradual refresh) a stream never starts. Parameter sets inside the pictures are left there and not read.
 */
import type { Bytes, Millis } from "../../base/units.ts";
import { parseAudioSpecificConfig } from "../aac/audio-specific-config.ts";
import { HAS_SLICE, HAS_START } from "../nal/access-unit.ts";
import { AUDIO_TRACK, Timeline, type TimelineStats, VIDEO_TRACK } from "../timeline.ts";
import type { AudioTrack, UnitEvent, VideoTrack } from "../unit.ts";
import { UnitQueue, type UnitQueueStats } from "../unit-queue.ts";
import { AudioTag } from "./audio-tag.ts";
import { multitrackRefused, unsupportedAudio, unsupportedVideo } from "./codec.ts";
import { AUDIO, VIDEO } from "./tag.ts";
import { type VideoCodec, videoCodec } from "./video-codec.ts";
import { VideoTag } from "./video-tag.ts";

export interface ToUnitStats extends UnitQueueStats {
  videoUnits: number;
  audioUnits: number;
  /** Configurations and frames that could not be read, and empty messages. */
  damaged: number;
  /** Frames before a configuration, pictures before a keyframe. */
  early: number;
  /** Packets with nothing to show: player commands, metadata, ends of sequence. */
  ignored: number;
  /** Composition times beyond what any encoder makes, taken as zero. */
  compositionTimes: number;
  /** Keyframes by the header's word alone, without an IDR slice. */
  keyframesWithoutIdr: number;
}

export interface FlvToUnitOptions {
  /** Events waiting for `event`; default 1024. */
  readonly eventsMax?: number;
  /** Largest configuration record; default 16 KiB. */
  readonly configurationBytesMax?: Bytes;
}

export class FlvToUnit {
  readonly stats: ToUnitStats;
  readonly #timeline = new Timeline();
  readonly #queue: UnitQueue;
  readonly #configurationBytesMax: Bytes;
  readonly #videoTag = new VideoTag();
  readonly #audioTag = new AudioTag();
  #video: VideoTrack | undefined;
  #videoCodec: VideoCodec | undefined;
  #audio: AudioTrack | undefined;
  /** The configurations as they came, to tell a repeated one. */
  #videoRecord: Uint8Array | undefined;
  #lengthBytes = 4;
  #sawKeyframe = false;

  constructor(options: FlvToUnitOptions = {}) {
    this.#configurationBytesMax = options.configurationBytesMax ?? 16_384;
    this.stats = {
      videoUnits: 0,
      audioUnits: 0,
      configurations: 0,
      damaged: 0,
      early: 0,
      ignored: 0,
      compositionTimes: 0,
      keyframesWithoutIdr: 0,
      dropped: 0,
    };
    this.#queue = new UnitQueue(this.stats, options.eventsMax ?? 1024);
  }

  get timelineStats(): Readonly<TimelineStats> {
    return this.#timeline.stats;
  }

  /**
   * One message or tag of a type out of tag.ts; others are ignored. `timestamp`: 0…2^32−1. `arrival`: Unix milliseconds.
   * `payload` passes to the units made from it: it must not be changed afterwards.
   */
  receive(type: number, timestamp: Millis, payload: Uint8Array, arrival: number): void {
    if (this.#queue.failed || (type !== AUDIO && type !== VIDEO)) return;
    if (payload.length === 0) this.stats.damaged++;
    else if (type === VIDEO) this.#receiveVideo(timestamp, payload, arrival);
    else this.#receiveAudio(timestamp, payload, arrival);
  }

  event(): UnitEvent | undefined {
    return this.#queue.event();
  }

  #receiveVideo(timestamp: Millis, payload: Uint8Array, arrival: number): void {
    const tag = this.#videoTag;
    tag.read(payload);
    if (tag.packet === "multitrack") this.#queue.fail(multitrackRefused("video"));
    else if (tag.packet === "damaged") this.stats.damaged++;
    else if (tag.packet === "other" || tag.packet === "end") this.stats.ignored++;
    else {
      const codec = videoCodec(tag.codec);
      if (codec === undefined) this.#queue.fail(unsupportedVideo(tag.codec));
      else if (tag.packet === "configuration") this.#configureVideo(codec, payload.subarray(tag.start));
      else this.#takePicture(codec, timestamp, payload, arrival);
    }
  }

  #configureVideo(codec: VideoCodec, record: Uint8Array): void {
    if (codec === this.#videoCodec && this.#videoRecord !== undefined && equal(record, this.#videoRecord)) return;
    const configuration = record.length > this.#configurationBytesMax ? undefined : codec.configure(record);
    if (configuration === undefined) {
      this.stats.damaged++;
      return;
    }
    this.#videoCodec = codec;
    this.#videoRecord = record.slice();
    this.#lengthBytes = configuration.lengthBytes;
    this.#sawKeyframe = false;
    this.#video = configuration.track;
    this.#queue.track(this.#video);
  }

  #takePicture(codec: VideoCodec, timestamp: Millis, payload: Uint8Array, arrival: number): void {
    const tag = this.#videoTag;
    // Before looking into it: the length of lengths is that of the codec that was configured.
    if (codec !== this.#videoCodec) {
      this.stats.early++;
      return;
    }
    const found = codec.inspect(payload, tag.start, this.#lengthBytes);
    if ((found & HAS_SLICE) === 0) this.stats.damaged++;
    else {
      const keyframe = tag.keyframe || (found & HAS_START) !== 0;
      if (!keyframe && !this.#sawKeyframe) {
        this.stats.early++;
        return;
      }
      if (keyframe && (found & HAS_START) === 0) this.stats.keyframesWithoutIdr++;
      this.#sawKeyframe = true;
      const dts = this.#timeline.map(VIDEO_TRACK, timestamp);
      const pts = dts + this.#compositionTime() * 1000;
      const data = codec.picture(payload, tag.start, this.#lengthBytes);
      this.stats.videoUnits++;
      this.#queue.unit({ kind: "video", dts, pts, keyframe, data, arrival });
    }
  }

  #compositionTime(): Millis {
    const time = this.#videoTag.compositionTime;
    if (Math.abs(time) <= COMPOSITION_MILLIS_MAX) return time;
    this.stats.compositionTimes++;
    return 0;
  }

  #receiveAudio(timestamp: Millis, payload: Uint8Array, arrival: number): void {
    const tag = this.#audioTag;
    tag.read(payload);
    if (tag.packet === "multitrack") this.#queue.fail(multitrackRefused("audio"));
    else if (tag.packet === "damaged") this.stats.damaged++;
    else if (tag.packet === "other" || tag.packet === "end") this.stats.ignored++;
    else if (!tag.aac) this.#queue.fail(unsupportedAudio(tag.codec));
    else if (tag.packet === "configuration") this.#configureAudio(payload.subarray(tag.start));
    else if (this.#audio === undefined) this.stats.early++;
    else if (tag.start === payload.length) this.stats.damaged++;
    else {
      const dts = this.#timeline.map(AUDIO_TRACK, timestamp);
      this.stats.audioUnits++;
      this.#queue.unit({ kind: "audio", dts, pts: dts, keyframe: true, data: payload.subarray(tag.start), arrival });
    }
  }

  #configureAudio(record: Uint8Array): void {
    if (this.#audio !== undefined && equal(record, this.#audio.configuration)) return;
    const configuration = record.length > this.#configurationBytesMax ? undefined : parseAudioSpecificConfig(record);
    if (configuration === undefined) {
      this.stats.damaged++;
      return;
    }
    const { codec, sampleRate, channels, samplesPerFrame } = configuration;
    this.#audio = { kind: "audio", codec, sampleRate, channels, samplesPerUnit: samplesPerFrame, configuration: record.slice() };
    this.#queue.track(this.#audio);
  }
}

/** Reordering by 16 pictures at 5 a second. */
const COMPOSITION_MILLIS_MAX = 3200;

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
