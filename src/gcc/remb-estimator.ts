/**
 * The receiver's own estimate of what the path carries, for senders that get no feedback per packet (REMB).
 *
 *   abs-send-time, arrival ─▶ inter-arrival ─▶ overuse-estimator ─▶ overuse-detector ─┐
 *   size ─▶ incoming-bitrate ───────────────────────────────────────────────────────▶ aimd ─▶ remb-throttle ─▶ REMB
 *   first packets of a call ─▶ receive-probe ────────────────────────────────────────┘
 *
 * One estimate covers all streams of the transport. Streams that sent nothing for 2 s are not covered any more; when none is left the filter
 * begins anew.
 *
 * Source: reference/gcc.md C3; libwebrtc f3ae3eb6 remote_bitrate_estimator_abs_send_time and remb_throttler.
 *
 * Deviations:
 *   - send times are unwrapped from 24 bits on the way in, instead of computing modulo 2^32 throughout
 *   - streams are bounded; those beyond load the estimate but are not listed
 *   - senders without abs-send-time have an estimator of their own: remb-single-stream.ts, chosen by remb-receiver.ts
 */
import { SequenceUnwrapper } from "../base/sequence-unwrapper.ts";
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { Aimd } from "./aimd.ts";
import { IncomingBitrate } from "./incoming-bitrate.ts";
import { InterArrival } from "./inter-arrival.ts";
import { OveruseDetector } from "./overuse-detector.ts";
import { OveruseEstimator } from "./overuse-estimator.ts";
import { ReceiveProbe } from "./receive-probe.ts";
import { RembThrottle } from "./remb-throttle.ts";

/** Spec: 6.18 fixed seconds. */
const SEND_TIME_BITS = 24;
const SEND_TIME_TICKS = 1 << 18;

/** Tuning of libwebrtc. */
const STREAM_TIMEOUT: Micros = 2_000_000;
const PROBING_TIME: Micros = 2_000_000;
const PROBE_BYTES_MIN: Bytes = 200;
const DELTAS_MIN = 2;

/** Tuning. */
const STREAMS_MAX = 64;

export interface RembEstimatorOptions {
  /** Most streams listed; 64. */
  readonly streamsMax?: number;
  /** Shared by estimators that follow one another; by default one of its own. */
  readonly throttle?: RembThrottle;
}

export interface RembEstimatorStats {
  /** Limit hit: packets of streams that could not be listed. */
  streamsRefused: number;
}

export class RembEstimator {
  readonly stats: RembEstimatorStats = { streamsRefused: 0 };
  readonly throttle: RembThrottle;
  /** The last packet brought a new estimate. */
  updated = false;
  readonly #aimd = new Aimd();
  readonly #interArrival = new InterArrival();
  readonly #estimator = new OveruseEstimator();
  readonly #detector = new OveruseDetector();
  readonly #incoming = new IncomingBitrate();
  readonly #probe = new ReceiveProbe();
  /** When each stream was last heard, by SSRC. */
  readonly #ssrcs: Float64Array;
  readonly #heard: Float64Array;
  #streams = 0;
  readonly #sendTicks = new SequenceUnwrapper(SEND_TIME_BITS);
  #firstPacket: Micros = Number.NaN;
  #updatedAt: Micros = Number.NEGATIVE_INFINITY;

  constructor(options: RembEstimatorOptions = {}) {
    const streamsMax = options.streamsMax ?? STREAMS_MAX;
    this.throttle = options.throttle ?? new RembThrottle();
    this.#ssrcs = new Float64Array(streamsMax);
    this.#heard = new Float64Array(streamsMax);
  }

  /** The estimate, 0 while there is none. */
  get rate(): BitsPerSecond {
    return this.#aimd.valid && this.#streams > 0 ? this.#aimd.rate : 0;
  }

  get streams(): number {
    return this.#streams;
  }

  /** SSRC of stream i, 0…streams−1, for the list in REMB. */
  ssrc(i: number): number {
    return this.#ssrcs[i]!;
  }

  setRtt(rtt: Micros): void {
    this.#aimd.rtt = rtt;
  }

  removeStream(ssrc: number): void {
    const i = this.#find(ssrc);
    if (i >= 0) this.#forget(i);
  }

  /**
   * Takes a packet that arrived at `now`: `absSendTime` is the 24 bits of its extension, `size` the bytes that loaded the path. Answers the rate
   * to send in a REMB at once, or 0 = nothing.
   */
  receive(now: Micros, absSendTime: number, size: Bytes, ssrc: number): BitsPerSecond {
    this.updated = this.#update(now, absSendTime, size, ssrc);
    if (!this.updated) return 0;
    this.#updatedAt = now;
    return this.throttle.offer(Math.floor(this.#aimd.rate), now);
  }

  /** True when there is a new estimate. */
  #update(now: Micros, absSendTime: number, size: Bytes, ssrc: number): boolean {
    const aimd = this.#aimd;
    this.#incoming.track(size, now);
    if (Number.isNaN(this.#firstPacket)) this.#firstPacket = now;
    this.#hear(now, ssrc);
    const sendTime = (this.#sendTicks.unwrap(absSendTime) * 1e6) / SEND_TIME_TICKS;
    const probed = size > PROBE_BYTES_MIN && (!aimd.valid || now - this.#firstPacket < PROBING_TIME) && this.#probes(now, sendTime, size);
    this.#detect(now, sendTime, size);
    if (!probed && !this.#due(now)) return false;
    aimd.update(this.#detector.state, this.#incoming.rate(now), now);
    return aimd.valid;
  }

  /** An estimate is made every feedback interval, and earlier when an overuse asks for less. */
  #due(now: Micros): boolean {
    if (now - this.#updatedAt > this.#aimd.feedbackInterval) return true;
    if (this.#detector.state !== "overusing") return false;
    const incoming = this.#incoming.rate(now);
    return incoming !== undefined && this.#aimd.timeToReduceFurther(now, incoming);
  }

  #detect(now: Micros, sendTime: Micros, size: Bytes): void {
    if (!this.#interArrival.receive(sendTime, now, now, size)) return;
    const { sendDelta, arrivalDelta, sizeDelta } = this.#interArrival;
    this.#estimator.update(arrivalDelta / 1000, sendDelta / 1000, sizeDelta, this.#detector.state);
    if (this.#estimator.deltas < DELTAS_MIN) return;
    this.#detector.detect(this.#estimator.signal, this.#estimator.offset, sendDelta / 1000, now / 1000);
  }

  /** True when a train of packets shows a higher rate than the estimate. */
  #probes(now: Micros, sendTime: Micros, size: Bytes): boolean {
    this.#probe.receive(sendTime, now, size);
    const { best } = this.#probe;
    if (best > 0 && (!this.#aimd.valid || best > this.#aimd.rate)) {
      this.#aimd.setEstimate(best, now);
      return true;
    }
    this.#probe.decline();
    return false;
  }

  #hear(now: Micros, ssrc: number): void {
    for (let i = this.#streams - 1; i >= 0; i--) if (now - this.#heard[i]! > STREAM_TIMEOUT) this.#forget(i);
    if (this.#streams === 0) {
      this.#interArrival.reset();
      this.#estimator.reset();
    }
    let i = this.#find(ssrc);
    if (i < 0) {
      if (this.#streams === this.#ssrcs.length) {
        this.stats.streamsRefused++;
        return;
      }
      i = this.#streams++;
      this.#ssrcs[i] = ssrc;
    }
    this.#heard[i] = now;
  }

  #find(ssrc: number): number {
    for (let i = 0; i < this.#streams; i++) if (this.#ssrcs[i] === ssrc) return i;
    return -1;
  }

  /** The last stream takes the place of the one that is forgotten. */
  #forget(i: number): void {
    const last = --this.#streams;
    this.#ssrcs[i] = this.#ssrcs[last]!;
    this.#heard[i] = this.#heard[last]!;
  }
}
