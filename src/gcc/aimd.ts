/**
 * Rate control by additive or multiplicative increase and multiplicative decrease, driven by the delay detector.
 *
 *              underusing              normal
 *   ┌──────────┐ ◀──────── ┌──────┐ ────────▶ ┌──────────┐      increase: × 1.08 a second while the link's capacity is unknown,
 *   │ decrease │           │ hold │           │ increase │                about half a packet per response time once it is known,
 *   └──────────┘ ────────▶ └──────┘ ◀──────── └──────────┘                never above 1.5 × acknowledged + 10 kbit/s
 *        ▲        done                underusing    │           decrease: 0.85 × acknowledged − 5 kbit/s
 *        └──────────────── overusing ───────────────┘
 *
 * Source: reference/gcc.md C2; libwebrtc f3ae3eb6 remote_bitrate_estimator/aimd_rate_control.
 *
 * An estimate of the link from elsewhere (network-estimate.ts) bounds the rate: no rise above its upper value, no fall below 0.85 × its lower one.
 *
 * Deviations:
 *   - below `recoverTo`, which the caller sets while the queue is empty, the additive increase is four times as fast, and at least 6 % a second:
 *     so much has gone through before. libwebrtc takes back what it gave up as slowly as it tries out more.
 *   - while nothing is known of the throughput an overuse halves the rate at most every 200 ms (`initialTimeToReduceFurther`); so did libwebrtc behind a
 *     trial. Without it each report halves, which twenty reports a second make a fall to the least rate by one queue of a moment.
 */
import { unreachable } from "../base/assert.ts";
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { LinkCapacity } from "./link-capacity.ts";
import type { BandwidthUsage } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const BACKOFF = 0.85;
const BACKOFF_EXTRA: BitsPerSecond = 5000;
const RATE_MIN: BitsPerSecond = 5000;
const RATE_INITIAL: BitsPerSecond = 30_000_000;
const RTT_DEFAULT: Micros = 200_000;
const REDUCTION_INTERVAL_MIN: Micros = 10_000;
const REDUCTION_INTERVAL_MAX: Micros = 200_000;
const INITIAL_BACKOFF_INTERVAL: Micros = 200_000;
const INITIALIZATION_TIME: Micros = 5_000_000;
const GROWTH_PER_SECOND = 1.08;
const INCREASE_MIN: BitsPerSecond = 1000;
const ADDITIVE_MIN: BitsPerSecond = 4000;
const ACKNOWLEDGED_FACTOR = 1.5;
const ACKNOWLEDGED_MARGIN: BitsPerSecond = 10_000;
const FRAMES_PER_SECOND = 30;
const PACKET_BYTES: Bytes = 1200;
/** Tuning, ours: the increase up to what went through before. */
const RECOVERY_FACTOR = 4;
const RECOVERY_SHARE = 0.06;
/** How long the detector takes to see an overuse. */
const DETECTION_TIME: Micros = 100_000;
const PERIOD_MIN: Micros = 2_000_000;
const PERIOD_DEFAULT: Micros = 3_000_000;
const PERIOD_MAX: Micros = 50_000_000;
/** Receiver reports of the estimate (REMB) take 5 % of the rate. */
const FEEDBACK_BYTES: Bytes = 80;
const FEEDBACK_SHARE = 0.05;
const FEEDBACK_INTERVAL_MIN: Micros = 200_000;
const FEEDBACK_INTERVAL_MAX: Micros = 1_000_000;

export interface AimdOptions {
  /** Whether the rate may rise while the application sends less than it could; true. */
  readonly increaseInAlr?: boolean;
  /** Factor of a decrease, 0…1 exclusive; 0.85. */
  readonly backoff?: number;
}

export class Aimd {
  readonly capacity = new LinkCapacity();
  /** False until a start rate, a probe, an overuse or 5 s of throughput set the rate. */
  valid = false;
  /** The estimate. Meaningless until `valid`. */
  rate: BitsPerSecond = RATE_INITIAL;
  rtt: Micros = RTT_DEFAULT;
  /** The application sends less than it could. */
  inAlr = false;
  /** Up to here the rate may grow back fast; 0 = nowhere. */
  recoverTo: BitsPerSecond = 0;
  readonly #increaseInAlr: boolean;
  readonly #backoff: number;
  /** What is known of the link from elsewhere. */
  #linkLower: BitsPerSecond = 0;
  #linkUpper: BitsPerSecond = Number.POSITIVE_INFINITY;
  #rateMin: BitsPerSecond = RATE_MIN;
  #state: "hold" | "increase" | "decrease" = "hold";
  #throughput: BitsPerSecond = RATE_INITIAL;
  #changedAt: Micros = Number.NEGATIVE_INFINITY;
  #decreasedAt: Micros = Number.NEGATIVE_INFINITY;
  #firstThroughputAt: Micros = Number.NaN;
  /** Size of the last decrease; NaN = none yet. */
  #lastDecrease: BitsPerSecond = Number.NaN;

  constructor(options: AimdOptions = {}) {
    this.#increaseInAlr = options.increaseInAlr ?? true;
    this.#backoff = options.backoff ?? BACKOFF;
  }

  setStartRate(rate: BitsPerSecond): void {
    this.rate = rate;
    this.#throughput = rate;
    this.valid = true;
  }

  setRateMin(rate: BitsPerSecond): void {
    this.#rateMin = rate;
    this.rate = Math.max(rate, this.rate);
  }

  /** What the link carries at least and at most; 0 and Infinity = not known. */
  setLinkBounds(lower: BitsPerSecond, upper: BitsPerSecond): void {
    this.#linkLower = lower;
    this.#linkUpper = upper;
  }

  /** Sets the estimate from a measurement, such as a probe. */
  setEstimate(rate: BitsPerSecond, now: Micros): void {
    const before = this.rate;
    this.valid = true;
    this.rate = this.#bounded(rate);
    this.#changedAt = now;
    if (this.rate < before) this.#decreasedAt = now;
  }

  /** Takes the detector's verdict and the acknowledged rate (undefined = not known yet); answers the new estimate. */
  update(usage: BandwidthUsage, acknowledged: BitsPerSecond | undefined, now: Micros): BitsPerSecond {
    if (!this.valid && acknowledged !== undefined) {
      if (Number.isNaN(this.#firstThroughputAt)) {
        this.#firstThroughputAt = now;
      } else if (now - this.#firstThroughputAt > INITIALIZATION_TIME) {
        this.rate = acknowledged;
        this.valid = true;
      }
    }
    if (acknowledged !== undefined) this.#throughput = acknowledged;
    // An overuse is acted on even before the first estimate, and makes it.
    if (!this.valid && usage !== "overusing") return this.rate;
    this.#changeState(usage, now);
    let rate = this.rate;
    if (this.#state === "increase") rate = this.#increase(now);
    else if (this.#state === "decrease") rate = this.#decrease(now);
    this.rate = this.#bounded(rate);
    return this.rate;
  }

  /** An overuse that lasts may lower the rate again. */
  timeToReduceFurther(now: Micros, acknowledged: BitsPerSecond): boolean {
    const interval = Math.min(Math.max(this.rtt, REDUCTION_INTERVAL_MIN), REDUCTION_INTERVAL_MAX);
    return now - this.#changedAt >= interval || (this.valid && acknowledged < 0.5 * this.rate);
  }

  /** The same before the acknowledged rate is known. */
  initialTimeToReduceFurther(now: Micros): boolean {
    return now - this.#decreasedAt >= INITIAL_BACKOFF_INTERVAL;
  }

  /** Bits per second by which the rate grows each second near the link's capacity. */
  get nearMaxIncrease(): BitsPerSecond {
    const frameBytes = this.rate / FRAMES_PER_SECOND / 8;
    const packetBytes = frameBytes / Math.ceil(frameBytes / PACKET_BYTES);
    const responseSeconds = (2 * (this.rtt + DETECTION_TIME)) / 1e6;
    return Math.max(ADDITIVE_MIN, (packetBytes * 8) / responseSeconds);
  }

  /** How long the rate will take to grow back what the last decrease took. */
  get expectedPeriod(): Micros {
    if (Number.isNaN(this.#lastDecrease)) return PERIOD_DEFAULT;
    const period = (this.#lastDecrease / this.nearMaxIncrease) * 1e6;
    return Math.min(Math.max(period, PERIOD_MIN), PERIOD_MAX);
  }

  /** Time between two reports of the estimate to a sender, so that they take 5 % of the rate. */
  get feedbackInterval(): Micros {
    const interval = (FEEDBACK_BYTES * 8e6) / (this.rate * FEEDBACK_SHARE);
    return Math.min(Math.max(interval, FEEDBACK_INTERVAL_MIN), FEEDBACK_INTERVAL_MAX);
  }

  #changeState(usage: BandwidthUsage, now: Micros): void {
    switch (usage) {
      case "normal":
        if (this.#state !== "hold") return;
        this.#changedAt = now;
        this.#state = "increase";
        return;
      case "overusing":
        this.#state = "decrease";
        return;
      case "underusing":
        this.#state = "hold";
        return;
      default:
        unreachable(usage);
    }
  }

  #bounded(rate: BitsPerSecond): BitsPerSecond {
    let bounded = Math.min(rate, Math.max(this.#linkUpper, this.rate));
    if (bounded < this.rate) bounded = Math.min(this.rate, Math.max(bounded, this.#backoff * this.#linkLower));
    return Math.max(bounded, this.#rateMin);
  }

  #increase(now: Micros): BitsPerSecond {
    const throughput = this.#throughput;
    if (throughput > this.capacity.upperBound) this.capacity.reset();
    // Without a limit the rate of an application that sends little would grow for ever: nothing tells that it is too high.
    const limit = this.inAlr && !this.#increaseInAlr ? this.rate : ACKNOWLEDGED_FACTOR * throughput + ACKNOWLEDGED_MARGIN;
    let { rate } = this;
    if (rate < limit) {
      const growth = this.capacity.known ? this.#additive(now) : this.#multiplicative(now);
      rate = Math.min(rate + growth, limit);
    }
    this.#changedAt = now;
    return rate;
  }

  #additive(now: Micros): BitsPerSecond {
    const seconds = (now - this.#changedAt) / 1e6;
    if (this.rate >= this.recoverTo) return this.nearMaxIncrease * seconds;
    return Math.max(RECOVERY_FACTOR * this.nearMaxIncrease, RECOVERY_SHARE * this.rate) * seconds;
  }

  #multiplicative(now: Micros): BitsPerSecond {
    const seconds = Math.min((now - this.#changedAt) / 1e6, 1);
    return Math.max(this.rate * (GROWTH_PER_SECOND ** seconds - 1), INCREASE_MIN);
  }

  #decrease(now: Micros): BitsPerSecond {
    const throughput = this.#throughput;
    // Somewhat less than what goes through drains the queue that we built.
    let decreased = throughput * this.#backoff;
    if (decreased > BACKOFF_EXTRA) decreased -= BACKOFF_EXTRA;
    if (decreased > this.rate && this.capacity.known) decreased = this.#backoff * this.capacity.estimate;
    const lowered = decreased < this.rate;
    if (this.valid && throughput < this.rate) this.#lastDecrease = lowered ? this.rate - decreased : 0;
    if (throughput < this.capacity.lowerBound) this.capacity.reset();
    this.valid = true;
    this.capacity.onOveruse(throughput);
    // The rate holds until the queue is empty.
    this.#state = "hold";
    this.#changedAt = now;
    this.#decreasedAt = now;
    return lowered ? decreased : this.rate;
  }
}
