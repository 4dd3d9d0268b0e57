/**
 * Turns the audio and video messages of one stream into Tracks and Units.
 *
 * A configuration makes a Track; only a changed one makes another. Frames without a configuration, and pictures before the first keyframe after
 * one, are counted and dropped: no decoder could show them. The first message in a codec we do not carry ends the stream with a sentence for
 * its publisher. Damage is counted, never thrown.
 *
 * With multitrack video (Enhanced RTMP v2) each picture has a track and units of its own, named by its track id; of several sounds the first that is configured is taken.
 *
 * Deviations: a picture counts as a keyframe when its header says so or when it holds an IDR slice; with neither IDR slices nor the header's
 * word (gradual refresh) a stream never starts. Parameter sets inside the pictures are left there and not read.
 */
import type { Bytes, Millis } from "../../base/units.ts";
import { AUDIO_TRACK, flvClock, Timeline, type TimelineStats, VIDEO_TRACK } from "../timeline.ts";
import type { UnitEvent } from "../unit.ts";
import { UnitQueue, type UnitQueueStats } from "../unit-queue.ts";
import { AudioInput, type AudioInputOptions, audioCarried } from "./audio-input.ts";
import { AudioTag } from "./audio-tag.ts";
import { multitrackRefused, unsupportedAudio, unsupportedVideo } from "./codec.ts";
import { AUDIO, VIDEO } from "./tag.ts";
import { videoCodec } from "./video-codec.ts";
import { VideoInput, type VideoInputOptions } from "./video-input.ts";
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
  /** Messages of sound tracks beside the first. */
  otherSound: number;
}

export interface FlvToUnitOptions {
  /** Events waiting for `event`; default 1024. */
  readonly eventsMax?: number;
  /** Largest configuration record; default 16 KiB. */
  readonly configurationBytesMax?: Bytes;
  /** Most pictures of one stream (multitrack video), 1…256; default 1. One more ends it. */
  readonly picturesMax?: number;
}

export class FlvToUnit {
  readonly stats: ToUnitStats;
  readonly #timeline: Timeline;
  readonly #queue: UnitQueue;
  readonly #picturesMax: number;
  readonly #videoTag = new VideoTag();
  readonly #audioTag = new AudioTag();
  readonly #inputOptions: VideoInputOptions & AudioInputOptions;
  readonly #pictures: VideoInput[] = [];
  readonly #sound: AudioInput;

  constructor(options: FlvToUnitOptions = {}) {
    const { configurationBytesMax = 16_384 } = options;
    this.#picturesMax = options.picturesMax ?? 1;
    this.#timeline = new Timeline(flvClock, 1 + this.#picturesMax);
    this.stats = {
      videoUnits: 0,
      audioUnits: 0,
      configurations: 0,
      damaged: 0,
      early: 0,
      ignored: 0,
      compositionTimes: 0,
      keyframesWithoutIdr: 0,
      otherSound: 0,
      dropped: 0,
    };
    this.#queue = new UnitQueue(this.stats, options.eventsMax ?? 1024);
    const [queue, timeline, stats] = [this.#queue, this.#timeline, this.stats];
    this.#inputOptions = { queue, timeline, stats, configurationBytesMax };
    this.#sound = new AudioInput(this.#inputOptions);
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
    this.#videoTag.read(payload);
    do this.#takeVideo(timestamp, payload, arrival);
    while (!this.#queue.failed && this.#videoTag.next(payload));
  }

  #takeVideo(timestamp: Millis, payload: Uint8Array, arrival: number): void {
    const tag = this.#videoTag;
    if (tag.packet === "damaged") this.stats.damaged++;
    else if (tag.packet === "other" || tag.packet === "end") this.stats.ignored++;
    else {
      const codec = videoCodec(tag.codec);
      const picture = this.#picture(tag.track);
      if (codec === undefined) this.#queue.fail(unsupportedVideo(tag.codec));
      else if (picture === undefined) this.#queue.fail(multitrackRefused(this.#picturesMax));
      else if (tag.packet === "configuration") picture.configure(codec, payload.subarray(tag.start, tag.end));
      else picture.take(codec, tag, timestamp, tag.end === payload.length ? payload : payload.subarray(0, tag.end), arrival);
    }
  }

  /** Undefined: there are as many as there may be. */
  #picture(trackId: number): VideoInput | undefined {
    for (const picture of this.#pictures) if (picture.trackId === trackId) return picture;
    const known = this.#pictures.length;
    if (known >= this.#picturesMax) return undefined;
    const made = new VideoInput(trackId, known === 0 ? VIDEO_TRACK : AUDIO_TRACK + known, this.#inputOptions);
    this.#pictures.push(made);
    return made;
  }

  #receiveAudio(timestamp: Millis, payload: Uint8Array, arrival: number): void {
    this.#audioTag.read(payload);
    do this.#takeAudio(timestamp, payload, arrival);
    while (!this.#queue.failed && this.#audioTag.next(payload));
  }

  #takeAudio(timestamp: Millis, payload: Uint8Array, arrival: number): void {
    const tag = this.#audioTag;
    if (tag.packet === "damaged") this.stats.damaged++;
    else if (tag.packet === "other" || tag.packet === "end") this.stats.ignored++;
    else if (this.#sound.leaves(tag.track)) this.stats.otherSound++;
    else if (!audioCarried(tag.codec)) this.#queue.fail(unsupportedAudio(tag.codec));
    else if (tag.packet === "configuration") this.#sound.configure(tag, payload.subarray(tag.start, tag.end));
    else this.#sound.take(timestamp, payload.subarray(tag.start, tag.end), arrival);
  }
}
