/**
 * The only place where the one estimate of a transport becomes rates of streams.
 *
 *   target, loss, RTT ─▶ allocation.ts ─▶ each observer's allocation ─▶ its encoder; it answers what it spends on protection
 *   streams ─▶ limits {Σ enforced minima, Σ padding, Σ maxima} ─▶ the network controller
 *
 * A stream with an allocation of 0 is paused; pauses and resumptions are counted.
 *
 * Source: reference/gcc.md H; libwebrtc 2026-08-22 call/bitrate_allocator.
 *
 * Deviations: the number of streams is bounded; elastic streams are left out.
 */
import { assert } from "../base/assert.ts";
import type { BitsPerSecond, Micros } from "../base/units.ts";
import { allocate, minWithHysteresis, type Share } from "./allocation.ts";

/** Tuning of libwebrtc. */
const INITIAL_BITRATE: BitsPerSecond = 300_000;

const STREAMS_MAX_DEFAULT = 256;

export interface StreamLimits {
  /** Below it the stream is of no use. */
  readonly min: BitsPerSecond;
  /** At least `min`. */
  readonly max: BitsPerSecond;
  /** Padding wanted, so that the estimate grows to where the stream needs it. */
  readonly padUp?: BitsPerSecond;
  readonly priorityBitrate?: BitsPerSecond;
  /** The stream is never paused. Default true. */
  readonly enforceMin?: boolean;
  /** Weight in sharing, above 0. Default 1. */
  readonly weight?: number;
}

/** Borrowed until the observer returns. */
export interface BitrateUpdate {
  readonly target: BitsPerSecond;
  /** 0…1. */
  readonly lossRatio: number;
  readonly roundTripTime: Micros;
  /** Share of the target to save by dropping frames (frame-dropper.ts), 0…1; usually 0. */
  readonly windowReduction: number;
}

export interface BitrateObserver {
  /** Answers how much of the target it spends on protection (FEC, retransmissions). */
  onBitrate(update: BitrateUpdate): BitsPerSecond;
}

export interface AllocationLimits {
  /** Sums over all streams. */
  minAllocated: BitsPerSecond;
  maxPadding: BitsPerSecond;
  maxAllocated: BitsPerSecond;
}

interface Stream extends Share {
  readonly observer: BitrateObserver;
  readonly padUp: BitsPerSecond;
}

export class BitrateAllocator {
  readonly limits: AllocationLimits = { minAllocated: 0, maxPadding: 0, maxAllocated: 0 };
  /** Streams that were refused because there were too many. */
  refused = 0;
  pauses = 0;
  resumptions = 0;
  readonly #streamsMax: number;
  readonly #streams: Stream[] = [];
  readonly #update = { target: 0, lossRatio: 0, roundTripTime: 0, windowReduction: 0 };
  #target: BitsPerSecond = 0;
  #lastNonZero: BitsPerSecond = INITIAL_BITRATE;

  constructor(streamsMax = STREAMS_MAX_DEFAULT) {
    this.#streamsMax = streamsMax;
  }

  get streams(): number {
    return this.#streams.length;
  }

  /** Adds a stream, or gives one that is known other limits; false when there are too many. Shares out what there is again. */
  set(observer: BitrateObserver, limits: StreamLimits): boolean {
    const { min, max, padUp = 0, priorityBitrate = 0, enforceMin = true, weight = 1 } = limits;
    assert(min >= 0 && max >= min && weight > 0, `min ${min}, max ${max}, weight ${weight}`);
    const at = this.#streams.findIndex((stream) => stream.observer === observer);
    const known = this.#streams[at];
    if (known === undefined && this.#streams.length >= this.#streamsMax) {
      this.refused++;
      return false;
    }
    const kept = known ?? { allocated: -1, mediaRatio: 1, next: 0 };
    const { allocated, mediaRatio, next } = kept;
    const stream: Stream = { observer, padUp, min, max, priorityBitrate, enforceMin, weight, allocated, mediaRatio, next };
    if (known === undefined) this.#streams.push(stream);
    else this.#streams[at] = stream;
    if (this.#target > 0) this.#share();
    else this.#publishLimits();
    return true;
  }

  delete(observer: BitrateObserver): void {
    const at = this.#streams.findIndex((stream) => stream.observer === observer);
    if (at < 0) return;
    this.#streams.splice(at, 1);
    this.#publishLimits();
  }

  /** What a stream got, undefined when it is not known; 0 = paused. */
  allocation(observer: BitrateObserver): BitsPerSecond | undefined {
    const found = this.#streams.find((stream) => stream.observer === observer);
    return found === undefined ? undefined : Math.max(0, found.allocated);
  }

  /** What a stream that is about to be added may start with. */
  startBitrate(observer: BitrateObserver): BitsPerSecond {
    const found = this.#streams.find((stream) => stream.observer === observer);
    if (found === undefined) return this.#lastNonZero / (this.#streams.length + 1);
    return found.allocated === -1 ? this.#lastNonZero / this.#streams.length : found.allocated;
  }

  /** A new estimate, bit/s; 0 pauses all streams. */
  onEstimate(target: BitsPerSecond, lossRatio: number, roundTripTime: Micros, windowReduction = 0): void {
    this.#target = target;
    if (target > 0) this.#lastNonZero = target;
    this.#update.lossRatio = lossRatio;
    this.#update.roundTripTime = roundTripTime;
    this.#update.windowReduction = windowReduction;
    this.#share();
  }

  #share(): void {
    allocate(this.#streams, this.#target);
    for (const stream of this.#streams) {
      const { allocated, next } = stream;
      if (allocated > 0 && next === 0) this.pauses++;
      if (allocated === 0 && next > 0) this.resumptions++;
      this.#update.target = next;
      const protection = stream.observer.onBitrate(this.#update);
      // A paused stream tells nothing new of its share of media.
      if (next > 0) stream.mediaRatio = Math.min(1, Math.max(0, (next - protection) / next));
      stream.allocated = next;
    }
    this.#publishLimits();
  }

  #publishLimits(): void {
    let minAllocated = 0;
    let maxPadding = 0;
    let maxAllocated = 0;
    for (const stream of this.#streams) {
      if (stream.enforceMin) minAllocated += stream.min;
      // A paused stream pads so far that the estimate shows when it may resume.
      maxPadding += stream.allocated === 0 ? minWithHysteresis(stream) : stream.padUp;
      maxAllocated += stream.max;
    }
    this.limits.minAllocated = minAllocated;
    this.limits.maxPadding = maxPadding;
    this.limits.maxAllocated = maxAllocated;
  }
}
