/**
 * Fragments: a run of coded frames of all tracks with the times they belong to. One fragment is one EXT-X-PART.
 *
 *   moof ─ mfhd   sequence number
 *        ─ traf (one a track that has samples) ─ tfhd   track, "data offsets count from the moof"
 *                                              ─ tfdt   decode time of the first sample, 64 bit
 *                                              ─ trun   per sample: duration, size, flags, composition offset
 *   mdat   the video samples, then the audio samples
 *
 * Source: ISO/IEC 14496-12 sections 8.8.4 to 8.8.12 and 8.1.1; ISO/IEC 23000-19 (CMAF) section 7.3.2.
 *
 * Deviations: no styp and no prft, which no player of HLS needs; EXT-X-PROGRAM-DATE-TIME says the same as prft.
 */
import { assert } from "../../base/assert.ts";
import { Writer } from "../../base/cursor.ts";
import type { Micros } from "../../base/units.ts";
import type { Track, Unit } from "../unit.ts";
import { AudioClock } from "./audio-clock.ts";
import { closeBox, openBox, openFullBox } from "./box.ts";
import { initSegment, NON_SYNC_SAMPLE, SYNC_SAMPLE } from "./init-segment.ts";
import { AUDIO_TRACK_ID, VIDEO_TIMESCALE, VIDEO_TRACK_ID } from "./track-id.ts";

/** Turns Units of one configuration into fragments. A change of configuration needs a new muxer. */
export class Muxer {
  /** The init segment every fragment of this muxer needs. */
  readonly init: Uint8Array;
  readonly #audioClock: AudioClock | undefined;
  #sequence = 0;

  /** `tracks`: at most one of video and one of audio, of codecs that `codecSupported` affirms. */
  constructor(tracks: readonly Track[]) {
    this.init = initSegment(tracks);
    for (const track of tracks) if (track.kind === "audio") this.#audioClock = new AudioClock(track.sampleRate, track.samplesPerUnit);
  }

  /** Times at which the audio's own clock was set anew because time stamps had left it. */
  get audioResyncs(): number {
    return this.#audioClock?.resyncs ?? 0;
  }

  /**
   * Writes one fragment; the bytes are the caller's, the units are only read. Units are in order of decoding with rising decode times.
   * `end` is the decode time of the first video unit that is not in the fragment: it gives the last one its duration.
   */
  fragment(video: readonly Unit[], audio: readonly Unit[], end: Micros): Uint8Array {
    assert(video.length + audio.length > 0, "a fragment has a sample");
    const header = MOOF_BYTES_MAX + video.length * VIDEO_SAMPLE_BYTES + audio.length * AUDIO_SAMPLE_BYTES_MAX;
    const videoBytes = sizeOf(video);
    const audioBytes = sizeOf(audio);
    const into = new Writer(header + 8 + videoBytes + audioBytes);
    const moof = openBox(into, "moof");
    const mfhd = openFullBox(into, "mfhd", 0, 0);
    into.u32(++this.#sequence);
    closeBox(into, mfhd);
    const videoOffset = video.length > 0 ? writeVideo(into, video, end) : -1;
    const audioOffset = audio.length > 0 && this.#audioClock !== undefined ? writeAudio(into, audio, this.#audioClock) : -1;
    closeBox(into, moof);
    const data = into.length + 8;
    if (videoOffset >= 0) into.patch32(videoOffset, data - moof);
    if (audioOffset >= 0) into.patch32(audioOffset, data - moof + videoBytes);
    into.u32(8 + videoBytes + audioBytes).ascii("mdat");
    for (let i = 0; i < video.length; i++) into.put(video[i]!.data);
    for (let i = 0; i < audio.length; i++) into.put(audio[i]!.data);
    return into.finish();
  }
}

/** Answers where the data offset is to be patched in. */
function writeVideo(into: Writer, units: readonly Unit[], end: Micros): number {
  const traf = openBox(into, "traf");
  const offset = writeTrackFragment(into, VIDEO_TRACK_ID, videoTicks(units[0]!.dts), VIDEO_TRUN_FLAGS, units.length);
  for (let i = 0; i < units.length; i++) {
    const unit = units[i]!;
    const tick = videoTicks(unit.dts);
    // Differences of rounded times, so that rounding never adds up.
    into.u32(videoTicks(i + 1 < units.length ? units[i + 1]!.dts : end) - tick);
    into.u32(unit.data.length);
    into.u32(unit.keyframe ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
    into.u32(videoTicks(unit.pts) - tick);
  }
  closeBox(into, offset.trun);
  closeBox(into, traf);
  return offset.data;
}

function writeAudio(into: Writer, units: readonly Unit[], clock: AudioClock): number {
  const traf = openBox(into, "traf");
  const uniform = clock.place(units);
  const flags = uniform ? AUDIO_TRUN_FLAGS : AUDIO_TRUN_FLAGS | TRUN_SAMPLE_DURATION;
  const offset = writeTrackFragment(into, AUDIO_TRACK_ID, clock.start, flags, units.length);
  for (let i = 0; i < units.length; i++) {
    if (!uniform) into.u32(clock.duration(i));
    into.u32(units[i]!.data.length);
  }
  closeBox(into, offset.trun);
  closeBox(into, traf);
  return offset.data;
}

function writeTrackFragment(into: Writer, track: number, time: number, flags: number, samples: number): { trun: number; data: number } {
  const tfhd = openFullBox(into, "tfhd", 0, TFHD_DEFAULT_BASE_IS_MOOF);
  into.u32(track);
  closeBox(into, tfhd);
  const tfdt = openFullBox(into, "tfdt", 1, 0);
  into.u64(time);
  closeBox(into, tfdt);
  // Version 1: composition offsets are signed.
  const trun = openFullBox(into, "trun", 1, flags);
  into.u32(samples);
  const data = into.length;
  into.u32(0);
  return { trun, data };
}

function videoTicks(time: Micros): number {
  return Math.round((time * VIDEO_TIMESCALE) / 1_000_000);
}

function sizeOf(units: readonly Unit[]): number {
  let bytes = 0;
  for (let i = 0; i < units.length; i++) bytes += units[i]!.data.length;
  return bytes;
}

const TFHD_DEFAULT_BASE_IS_MOOF = 0x020000;
const TRUN_DATA_OFFSET = 0x000001;
const TRUN_SAMPLE_DURATION = 0x000100;
const TRUN_SAMPLE_SIZE = 0x000200;
const TRUN_SAMPLE_FLAGS = 0x000400;
const TRUN_COMPOSITION_OFFSET = 0x000800;
const VIDEO_TRUN_FLAGS = TRUN_DATA_OFFSET | TRUN_SAMPLE_DURATION | TRUN_SAMPLE_SIZE | TRUN_SAMPLE_FLAGS | TRUN_COMPOSITION_OFFSET;
const AUDIO_TRUN_FLAGS = TRUN_DATA_OFFSET | TRUN_SAMPLE_SIZE;
/** moof, mfhd and twice traf, tfhd, tfdt and trun without their samples: 8 + 16 + 2 × (8 + 16 + 20 + 20). */
const MOOF_BYTES_MAX = 152;
const VIDEO_SAMPLE_BYTES = 16;
const AUDIO_SAMPLE_BYTES_MAX = 8;
