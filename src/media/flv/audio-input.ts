/**
 * The sound of a stream: its configuration and its frames. Of several tracks the first that is configured is taken.
 *
 * A track of Opus begins with its first packet, which says how long it sounds; packets of another length are taken for as long.
 */
import type { Bytes, Millis } from "../../base/units.ts";
import { parseAudioSpecificConfig } from "../aac/audio-specific-config.ts";
import { parseOpusHead } from "../opus/opus-head.ts";
import { samplesOf } from "../opus/packet.ts";
import { AUDIO_TRACK, type Timeline } from "../timeline.ts";
import type { AudioTrack } from "../unit.ts";
import type { UnitQueue } from "../unit-queue.ts";
import type { AudioTag } from "./audio-tag.ts";
import { CODEC_AAC, FOURCC_AAC, FOURCC_OPUS } from "./codec.ts";
import type { ToUnitStats } from "./to-unit.ts";
import { sameBytes } from "./video-input.ts";

export interface AudioInputOptions {
  readonly queue: UnitQueue;
  readonly timeline: Timeline;
  readonly stats: ToUnitStats;
  readonly configurationBytesMax: Bytes;
}

export class AudioInput {
  readonly #options: AudioInputOptions;
  /** As it came. */
  #record: Uint8Array | undefined;
  #track: AudioTrack | undefined;
  /** Of Opus, whose track waits for its first packet. */
  #opus: Omit<AudioTrack, "samplesPerUnit"> | undefined;
  /** Which of several is taken; −1 before there was any. */
  #trackId = -1;

  constructor(options: AudioInputOptions) {
    this.#options = options;
  }

  /** Another track's sound is taken. */
  leaves(trackId: number): boolean {
    return this.#trackId >= 0 && trackId !== this.#trackId;
  }

  /** `record` is borrowed for the call. */
  configure(tag: AudioTag, record: Uint8Array): void {
    if (this.#record !== undefined && sameBytes(record, this.#record)) return;
    const { stats, configurationBytesMax, queue } = this.#options;
    const found = record.length > configurationBytesMax ? undefined : parse(tag.codec, record);
    if (found === undefined) {
      stats.damaged++;
      return;
    }
    this.#record = record.slice();
    this.#trackId = tag.track;
    this.#opus = found.samplesPerUnit === 0 ? found : undefined;
    this.#track = found.samplesPerUnit === 0 ? undefined : found;
    if (this.#track !== undefined) queue.track(this.#track);
  }

  /** `data` is given away. */
  take(timestamp: Millis, data: Uint8Array, arrival: number): void {
    const { queue, timeline, stats } = this.#options;
    if (this.#opus !== undefined) this.#begin(this.#opus, data);
    if (this.#track === undefined) stats.early++;
    else if (data.length === 0) stats.damaged++;
    else {
      const dts = timeline.map(AUDIO_TRACK, timestamp);
      stats.audioUnits++;
      queue.unit({ kind: "audio", dts, pts: dts, keyframe: true, data, arrival });
    }
  }

  #begin(opus: Omit<AudioTrack, "samplesPerUnit">, first: Uint8Array): void {
    const samplesPerUnit = samplesOf(first);
    if (samplesPerUnit === 0) return;
    this.#opus = undefined;
    this.#track = { ...opus, samplesPerUnit };
    this.#options.queue.track(this.#track);
  }
}

/** Of Opus without the length of its packets: 0. */
function parse(codec: number, record: Uint8Array): AudioTrack | undefined {
  if (codec === FOURCC_OPUS) {
    const head = parseOpusHead(record);
    return head && { kind: "audio", codec: "opus", sampleRate: OPUS_RATE, samplesPerUnit: 0, ...head };
  }
  const found = parseAudioSpecificConfig(record);
  if (found === undefined) return undefined;
  const { samplesPerFrame: samplesPerUnit, ...rest } = found;
  return { kind: "audio", ...rest, samplesPerUnit, configuration: record.slice() };
}

/** Whether frames of a codec, by SoundFormat or FourCC, are carried. */
export function audioCarried(codec: number): boolean {
  return codec === CODEC_AAC || codec === FOURCC_AAC || codec === FOURCC_OPUS;
}

/** Whatever the encoder was given: RFC 7845 section 5.1. */
const OPUS_RATE = 48_000;
