/**
 * The receiver's estimate whatever the sender tells: by abs-send-time as soon as a packet has it, by RTP timestamps again after 30 without.
 *
 *   packet ─▶ abs-send-time? ─▶ remb-estimator            a change begins with a new estimator: what the other learnt has another meaning
 *                       └─ no ─▶ remb-single-stream
 *
 * Source: reference/gcc.md C3; libwebrtc bd635df3 congestion_controller/receive_side_congestion_controller, PickEstimator. Deviations: none.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { RembEstimator, type RembEstimatorOptions } from "./remb-estimator.ts";
import { SingleStreamEstimator } from "./remb-single-stream.ts";
import { RembThrottle } from "./remb-throttle.ts";

/** Tuning of libwebrtc. */
const TIMESTAMP_PACKETS = 30;

/** `absSendTime` of a packet without the extension. */
export const NO_SEND_TIME = -1;

export class RembReceiver {
  readonly throttle: RembThrottle;
  readonly #options: RembEstimatorOptions;
  #byTimestamp: SingleStreamEstimator;
  #bySendTime: RembEstimator | undefined;
  #packetsWithout = 0;

  constructor(options: RembEstimatorOptions = {}) {
    this.throttle = options.throttle ?? new RembThrottle();
    this.#options = { ...options, throttle: this.throttle };
    this.#byTimestamp = new SingleStreamEstimator(this.#options);
  }

  /** abs-send-time is what the estimate goes by. */
  get usesSendTime(): boolean {
    return this.#bySendTime !== undefined;
  }

  /** The estimate, 0 while there is none. */
  get rate(): BitsPerSecond {
    return this.#estimator.rate;
  }

  get streams(): number {
    return this.#estimator.streams;
  }

  ssrc(i: number): number {
    return this.#estimator.ssrc(i);
  }

  setRtt(rtt: Micros): void {
    this.#estimator.setRtt(rtt);
  }

  removeStream(ssrc: number): void {
    this.#estimator.removeStream(ssrc);
  }

  /**
   * Takes a packet: the 24 bits of abs-send-time or NO_SEND_TIME, RTP timestamp plus transmission offset, and the bytes of payload and padding.
   * Answers the rate to send in a REMB at once, or 0 = nothing.
   */
  receive(now: Micros, absSendTime: number, timestamp: number, size: Bytes, ssrc: number): BitsPerSecond {
    if (absSendTime !== NO_SEND_TIME) {
      this.#bySendTime ??= new RembEstimator(this.#options);
      this.#packetsWithout = 0;
    } else if (this.#bySendTime !== undefined && ++this.#packetsWithout >= TIMESTAMP_PACKETS) {
      this.#bySendTime = undefined;
      this.#byTimestamp = new SingleStreamEstimator(this.#options);
    }
    if (this.#bySendTime === undefined) return this.#byTimestamp.receive(now, timestamp, size, ssrc);
    return absSendTime === NO_SEND_TIME ? 0 : this.#bySendTime.receive(now, absSendTime, size, ssrc);
  }

  /** When `advance` wants to be called; Infinity while packets alone drive it. */
  deadline(): Micros {
    return this.#bySendTime === undefined ? this.#byTimestamp.deadline() : Number.POSITIVE_INFINITY;
  }

  advance(now: Micros): BitsPerSecond {
    return this.#bySendTime === undefined ? this.#byTimestamp.advance(now) : 0;
  }

  get #estimator(): RembEstimator | SingleStreamEstimator {
    return this.#bySendTime ?? this.#byTimestamp;
  }
}
