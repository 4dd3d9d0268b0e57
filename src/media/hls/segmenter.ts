/**
 * Cuts a stream of Units into parts and segments.
 *
 *   units      K p p p p p │ p p p p p p │ … │ p p p K      a part ends before the frame that would make it too long,
 *   parts      ── 0 ────── │ ── 1 ────── │ … │ ── 9 ─│      or before the key frame that starts the next segment
 *   segments   ────────────────── msn 7 ──────────────│─ msn 8 …
 *
 * Source: RFC 8216bis sections 3, 4.4.4.9 and 6.2.1. Each part is muxed into one fragment (media/cmaf) and handed to the window.
 *
 * A part is cut when the frame after it is known. That costs one frame of delay, and in return the duration of every frame is exact and the preload
 * hint always names the part that really comes next.
 *
 * Deviations: where an encoder leaves the RFC no way, a part longer than the target (frames missing) or a segment longer than announced (key frames
 * too far apart) is published and counted; EXT-X-TARGETDURATION then grows, and PART-TARGET is more for as long as that part is listed.
 * A segment is cut before a frame that is not a key frame only at the limits.
 */
import type { Bytes, Micros } from "../../base/units.ts";
import { Muxer } from "../cmaf/fragment.ts";
import { timedMetadata } from "../cmaf/timed-metadata.ts";
import type { Track, Unit } from "../unit.ts";
import { Beginning } from "./beginning.ts";
import { KeyframeInterval } from "./keyframe-interval.ts";
import { fits, PART_DURATION_MIN, partTarget } from "./part-target.ts";
import { ProgramDateTime } from "./program-date-time.ts";
import type { Window } from "./window.ts";

export interface SegmenterOptions {
  /** Duration a part should have. */
  readonly partTarget: Micros;
  /** Duration a segment should have. */
  readonly segmentTarget: Micros;
  /** A segment is cut here even without a key frame. */
  readonly segmentMax: Micros;
  /** A jump of all tracks by more than this starts a new timeline. */
  readonly gapMax: Micros;
  /** Bytes of one part. */
  readonly partBytesMax: Bytes;
  /** Bytes of one segment. */
  readonly segmentBytesMax: Bytes;
  /** Units of one kind in one part. */
  readonly partUnitsMax: number;
  /** Texts waiting for the next part. */
  readonly textsMax: number;
}

export const segmenterDefaults: SegmenterOptions = {
  partTarget: 200_000,
  segmentTarget: 2_000_000,
  segmentMax: 10_000_000,
  gapMax: 1_000_000,
  partBytesMax: 8 * 2 ** 20,
  segmentBytesMax: 32 * 2 ** 20,
  partUnitsMax: 512,
  textsMax: 64,
};

export class Segmenter {
  readonly #window: Window;
  readonly #options: SegmenterOptions;
  #tracks: readonly Track[] = [];
  /** The kind whose frames decide where cuts fall. */
  #leader: "video" | "audio" = "video";
  #muxer: Muxer | undefined;
  #init = -1;
  #discontinuity: boolean;
  /** What is held before anything is published. */
  #beginning: Beginning | undefined;
  #running = false;
  #segmentOpen = false;
  #clock = new ProgramDateTime();
  /** Where the last segment began, and the date it was given; NaN: it is not continued. */
  #datedAt: Micros = Number.NaN;
  #dated = 0;
  #keyframes = new KeyframeInterval(0);
  readonly #video: Unit[] = [];
  readonly #audio: Unit[] = [];
  /** Timed metadata for the next part. */
  readonly #texts: string[] = [];
  #textId = 0;
  #bytes = 0;
  #segmentBytes = 0;
  #partStart: Micros = 0;
  #segmentStart: Micros = 0;
  /** Decode time of the leader's last frame, and its distance to the one before. */
  #last: Micros = 0;
  #frame: Micros = 0;
  /** See `cut`; undefined: by its own rules. */
  #cutAt: Micros | undefined;
  /** Part Target Duration; 0 while the frame rate is unknown. */
  #partTarget: Micros = 0;
  /** Latest decode time of any track. */
  #latest: Micros = 0;
  readonly counters = {
    units: 0,
    beforeKeyframe: 0,
    disorder: 0,
    partsLong: 0,
    partsShort: 0,
    partsCutByLimit: 0,
    segmentsWithoutKeyframe: 0,
    audioDropped: 0,
    discontinuities: 0,
    texts: 0,
    textsDropped: 0,
  };

  /** `window` may hold segments of an earlier stream: then the first new segment is a discontinuity. */
  constructor(window: Window, options: SegmenterOptions) {
    this.#window = window;
    this.#options = options;
    this.#discontinuity = window.version > 0;
  }

  /** Decode time at which the open segment begins; undefined: nothing was published yet. */
  get segmentStart(): Micros | undefined {
    return this.#running ? this.#segmentStart : undefined;
  }

  /** How much later than the fastest the last unit came, in milliseconds. */
  get lateMs(): number {
    return this.#clock.lateMs;
  }

  /** The tracks of the stream, at the start and whenever they change. Media begins, again, with the next key frame. */
  configure(tracks: readonly Track[]): void {
    if (this.#muxer !== undefined && sameTracks(tracks, this.#tracks)) return;
    if (this.#beginning === undefined && (!this.#running || this.#init >= 0)) this.end();
    else if (!sameTracks(videoOf(tracks), videoOf(this.#tracks))) this.#forget();
    // Otherwise audio announced itself a moment after video, before anything was published: it belongs to the same beginning.
    this.#tracks = tracks;
    this.#leader = tracks.some(({ kind }) => kind === "video") ? "video" : "audio";
    this.#muxer = tracks.length > 0 ? new Muxer(tracks) : undefined;
    this.#init = -1;
  }

  /** Takes a unit over. */
  push(unit: Unit): void {
    if (this.#muxer === undefined || !this.#tracks.some(({ kind }) => kind === unit.kind)) return;
    this.counters.units++;
    this.#offer(unit);
  }

  #offer(unit: Unit): void {
    if (this.#beginning === undefined && !this.#running && unit.kind === this.#leader && unit.keyframe) {
      const { partBytesMax, partUnitsMax } = this.#options;
      this.#beginning = new Beginning(this.#leader, { bytesMax: partBytesMax, unitsMax: partUnitsMax });
    }
    if (this.#beginning === undefined) this.#take(unit);
    else if (!this.#beginning.hold(unit)) this.#release();
  }

  /** The beginning is over: how it is dated is known. */
  #release(): void {
    const beginning = this.#beginning;
    if (beginning === undefined) return;
    this.#beginning = undefined;
    this.#clock = beginning.clock;
    this.#begin(beginning.units[0]!);
    // One of them may be another beginning.
    for (let i = 1; i < beginning.units.length; i++) this.#offer(beginning.units[i]!);
  }

  #take(unit: Unit): void {
    if (
      this.#running &&
      Math.abs(unit.dts - this.#latest) > this.#options.gapMax &&
      Math.abs(unit.dts - this.#last) > this.#options.gapMax
    ) {
      this.#restart();
      this.#offer(unit);
      return;
    }
    if (unit.kind !== this.#leader) this.#follow(unit);
    else if (!this.#running) this.#begin(unit);
    else this.#lead(unit);
  }

  /** Timed metadata: shown with the frame that comes next. False: too many wait already. */
  text(text: string): boolean {
    if (this.#texts.length >= this.#options.textsMax) {
      this.counters.textsDropped++;
      return false;
    }
    this.#texts.push(text);
    this.counters.texts++;
    return true;
  }

  /** Of sound alone: from now on segments begin with the first frame from `dts` on, where those of the picture do, and otherwise at the limits only. */
  cut(dts: Micros): void {
    this.#cutAt = dts;
  }

  /** The stream ended: what is waiting becomes the last part. A later `push` goes on after a discontinuity. */
  end(): void {
    while (this.#beginning !== undefined) this.#release();
    if (this.#running && this.#video.length + this.#audio.length > 0)
      this.#cut(this.#last + (this.#frame > 0 ? this.#frame : FRAME_UNKNOWN), true);
    this.#window.closeSegment();
    this.#running = false;
    this.#segmentOpen = false;
    this.#discontinuity = this.#window.version > 0;
    this.#clear();
  }

  /** What waits was never published and cannot be shown any more. */
  #forget(): void {
    this.#beginning = undefined;
    this.#running = false;
    this.#clear();
  }

  #restart(): void {
    this.counters.discontinuities++;
    this.end();
    this.#muxer = new Muxer(this.#tracks);
    this.#init = -1;
  }

  #begin(unit: Unit): void {
    if (!unit.keyframe) {
      this.counters.beforeKeyframe++;
      return;
    }
    this.#running = true;
    this.#datedAt = Number.NaN;
    this.#clock.observe(unit.dts, unit.arrival);
    this.#keyframes = new KeyframeInterval(this.#options.segmentTarget);
    this.#keyframes.observe(unit.dts);
    this.#partStart = unit.dts;
    this.#segmentStart = unit.dts;
    this.#last = unit.dts;
    this.#latest = unit.dts;
    this.#frame = this.#nominalFrame();
    this.#partTarget = this.#frame > 0 ? this.#target(this.#frame, 0) : 0;
    this.#keep(unit);
  }

  /** A frame of the leading track: decides whether what came before it is a part, or the end of a segment. */
  #lead(given: Unit): void {
    let unit = given;
    if (unit.dts <= this.#last) {
      this.counters.disorder++;
      unit = { ...given, dts: this.#last + 1 };
    }
    this.#clock.observe(unit.dts, unit.arrival);
    this.#frame = unit.dts - this.#last;
    if (this.#partTarget === 0) this.#partTarget = this.#target(this.#frame, FRAME_ROUNDING);
    const endsSegment = this.#endsSegment(unit);
    if (endsSegment || this.#endsPart(unit)) this.#cut(unit.dts, endsSegment);
    if (unit.keyframe) this.#keyframes.observe(unit.dts);
    this.#last = unit.dts;
    this.#latest = Math.max(this.#latest, unit.dts);
    this.#keep(unit);
  }

  /** A frame of the other track goes along. */
  #follow(unit: Unit): void {
    if (!this.#running || unit.dts < this.#segmentStart - this.#options.gapMax) return;
    if (this.#audio.length >= this.#options.partUnitsMax || this.#bytes + unit.data.length > this.#options.partBytesMax) {
      this.counters.audioDropped++;
      return;
    }
    this.#latest = Math.max(this.#latest, unit.dts);
    this.#keep(unit);
  }

  #endsSegment(unit: Unit): boolean {
    const duration = unit.dts - this.#segmentStart;
    if (unit.keyframe && this.#leader === "video") {
      const limit = (this.#window.targetDuration + 0.5) * 1_000_000;
      if (duration >= this.#options.segmentTarget - this.#frame / 2 || duration + this.#keyframes.longest(unit.dts) >= limit) return true;
    }
    if (unit.keyframe && this.#leader === "audio") {
      const at = this.#cutAt;
      if (at === undefined ? duration >= this.#options.segmentTarget - this.#frame / 2 : this.#segmentStart < at && unit.dts >= at)
        return true;
    }
    if (duration < this.#options.segmentMax && this.#segmentBytes + this.#bytes < this.#options.segmentBytesMax) return false;
    if (!unit.keyframe) this.counters.segmentsWithoutKeyframe++;
    return true;
  }

  #endsPart(unit: Unit): boolean {
    const duration = unit.dts - this.#partStart;
    if (duration + this.#frame + FRAME_ROUNDING > this.#partTarget) return true;
    if (this.#bytes < this.#options.partBytesMax && this.#leading.length < this.#options.partUnitsMax) return false;
    this.counters.partsCutByLimit++;
    return true;
  }

  #cut(end: Micros, last: boolean): void {
    const muxer = this.#muxer!;
    if (this.#partTarget === 0) this.#partTarget = this.#options.partTarget;
    if (this.#init < 0) this.#init = this.#window.addInit(muxer.init);
    if (!this.#segmentOpen) {
      this.#window.openSegment({
        date: this.#date(this.#partStart),
        discontinuity: this.#discontinuity,
        init: this.#init,
        partTarget: this.#partTarget,
      });
      this.#discontinuity = false;
      this.#segmentOpen = true;
    }
    const duration = end - this.#partStart;
    const bytes = this.#withTexts(muxer.fragment(this.#video, this.#audio, end));
    if (duration > this.#partTarget) this.counters.partsLong++;
    else if (!last && duration < this.#partTarget * PART_DURATION_MIN) this.counters.partsShort++;
    this.#window.addPart({ bytes, duration, independent: this.#leading[0]?.keyframe === true }, last);
    this.#segmentBytes = last ? 0 : this.#segmentBytes + bytes.length;
    this.#partStart = end;
    this.#clear();
    if (last) {
      this.#segmentStart = end;
      this.#segmentOpen = false;
    }
  }

  /** Of a segment that begins there: what the clock says, but for players' sake never far from where the segment before ends. */
  #date(at: Micros): number {
    let date = this.#clock.date(at);
    const duration = (at - this.#datedAt) / 1000;
    if (duration >= 0) {
      const slack = duration * DATE_SLEW;
      date = Math.max(this.#dated + duration - slack, Math.min(this.#dated + duration + slack, date));
    }
    this.#datedAt = at;
    this.#dated = date;
    return date;
  }

  #withTexts(fragment: Uint8Array): Uint8Array {
    if (this.#texts.length === 0) return fragment;
    const events = this.#texts.map((text) => timedMetadata(text, this.#last, this.#textId++));
    this.#texts.length = 0;
    const bytes = new Uint8Array(events.reduce((sum, event) => sum + event.length, fragment.length));
    let at = 0;
    for (const piece of [...events, fragment]) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  get #leading(): Unit[] {
    return this.#leader === "video" ? this.#video : this.#audio;
  }

  #keep(unit: Unit): void {
    (unit.kind === "video" ? this.#video : this.#audio).push(unit);
    this.#bytes += unit.data.length;
  }

  #clear(): void {
    this.#video.length = 0;
    this.#audio.length = 0;
    this.#bytes = 0;
  }

  /** As announced already, where whole frames fit into that: a player does not learn another target for every encoder that comes. */
  #target(frame: Micros, rounding: Micros): Micros {
    const announced = this.#window.partTarget;
    const wanted = this.#options.partTarget;
    return Math.abs(announced - wanted) <= wanted / 2 && fits(announced, frame) ? announced : partTarget(wanted, frame + rounding);
  }

  /** What the configuration says of the time between frames; 0 when it says nothing or nonsense. */
  #nominalFrame(): Micros {
    const track = this.#tracks.find(({ kind }) => kind === this.#leader);
    const rate = track?.kind === "video" ? track.framesPerSecond : track?.kind === "audio" ? track.sampleRate / track.samplesPerUnit : 0;
    return rate >= 1 && rate <= 300 ? 1_000_000 / rate : 0;
  }
}

/** A measured distance of frames may be too short by the rounding of time stamps to milliseconds. */
const FRAME_ROUNDING: Micros = 1000;
/** Dates of segments follow the clock by this share of time at most: hls.js shows wrong delays where they contradict durations by a tenth, and leaves media out where by more. */
const DATE_SLEW = 0.02;
/** How long the only frame of a stream is shown whose rate nobody has told. */
const FRAME_UNKNOWN: Micros = 33_333;

function videoOf(tracks: readonly Track[]): Track[] {
  return tracks.filter(({ kind }) => kind === "video");
}

function sameTracks(a: readonly Track[], b: readonly Track[]): boolean {
  return a.length === b.length && a.every((track, i) => sameTrack(track, b[i]!));
}

function sameTrack(a: Track, b: Track): boolean {
  if (a.kind !== b.kind || a.codec !== b.codec || a.configuration.length !== b.configuration.length) return false;
  for (let i = 0; i < a.configuration.length; i++) if (a.configuration[i] !== b.configuration[i]) return false;
  return true;
}
