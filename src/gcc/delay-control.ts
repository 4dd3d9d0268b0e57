/**
 * The delay-based estimate with what libwebrtc's leaves open: it sees only how the queue changes, this sees the queue itself.
 *
 *   feedback ─▶ queue-delay ─┬─▶ competing-traffic active or testing? ─▶ its rate
 *                            ├─▶ queue-guard asks?                    ─▶ as if overused
 *                            └─▶ delay-based, with the carried rate of the last 250 ms where that changed, and a fast recovery while nothing waits
 *
 * Each part can be switched off; with none of them this is delay-based as libwebrtc has it (LIBWEBRTC below).
 *
 * Source: RFC 8867 asks for what each of them brings; figures with and without in bench/README.md.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";
import { CompetingTraffic } from "./competing-traffic.ts";
import { DelayBased } from "./delay-based.ts";
import type { BandwidthUsage, TransportFeedback } from "./packet-result.ts";
import { QueueDelay } from "./queue-delay.ts";
import { QueueGuard } from "./queue-guard.ts";
import { RobustThroughput } from "./robust-throughput.ts";

/** Tuning. */
const RECENT_TIME: Micros = 250_000;
const RECENT_SHARE = 0.8;
/** It takes a walk over the window; peers that report each packet do not need one each time. */
const RECENT_INTERVAL: Micros = 20_000;
const RECENT_QUEUE: Micros = 60_000;
const EMPTY_TIME: Micros = 500_000;
/** Growth back to all of what came through takes long at its end. */
const FULL_SHARE = 0.97;
const COMPETING_LIMIT_FACTOR = 1.5;
const COMPETING_LIMIT_MARGIN: BitsPerSecond = 10_000;

/** What is done beyond libwebrtc; each is true by default. */
export interface Extensions {
  /** Probe for more at 2 × the estimate while the queue is empty, instead of finding out with a few kbit/s each second. */
  readonly capacityProbes?: boolean;
  /** Grow back fast to what came through before, while the queue is empty. */
  readonly quickRecovery?: boolean;
  /**
   * Measure the carried rate over 250 ms instead of 1 s where it fell while a queue stands, so that a drop of capacity is followed at once, and where it
   * rose, so that an overuse after a probe takes back what was too much and not what the probe found.
   */
  readonly recentThroughput?: boolean;
  /** Lower the rate for a long queue that does not grow. */
  readonly queueGuard?: boolean;
  /** Send like a TCP while others fill the queue; whether they do is tested by sending half for 2 s when they seem to. */
  readonly competition?: boolean;
}

/** Nothing beyond it. */
export const LIBWEBRTC: Extensions = {
  capacityProbes: false,
  quickRecovery: false,
  recentThroughput: false,
  queueGuard: false,
  competition: false,
};

export class DelayControl {
  readonly queue = new QueueDelay();
  readonly competing = new CompetingTraffic();
  /** What the last `receive` brought: whether `rate` is new, whether it is a probe's, and whether a drained queue is normal again. */
  updated = false;
  probe = false;
  recoveredFromOveruse = false;
  /** Times the guard asked for less. */
  guarded = 0;
  readonly #based = new DelayBased();
  readonly #guard = new QueueGuard();
  readonly #recent = new RobustThroughput({ durationMin: RECENT_TIME });
  readonly #extensions: Extensions;
  #recentRate: BitsPerSecond | undefined;
  #nextRecent: Micros = Number.NEGATIVE_INFINITY;
  /** Jumps of the receiver's clock seen so far. */
  #resets = 0;
  /** What came through when the path was full last, 0 = it never was. */
  #carriedWhenFull: BitsPerSecond = 0;

  constructor(extensions: Extensions = {}) {
    this.#extensions = extensions;
  }

  get state(): BandwidthUsage {
    return this.#based.state;
  }

  get valid(): boolean {
    return this.#based.valid;
  }

  /** The estimate; meaningless until `valid`. */
  get rate(): BitsPerSecond {
    return this.#based.rate;
  }

  setStartRate(rate: BitsPerSecond): void {
    this.#based.setStartRate(rate);
  }

  setRateMin(rate: BitsPerSecond): void {
    this.#based.setRateMin(rate);
  }

  setRtt(rtt: Micros): void {
    this.#based.setRtt(rtt);
  }

  /** What the link carries at least and at most; 0 and Infinity = not known. */
  setLinkBounds(lower: BitsPerSecond, upper: BitsPerSecond): void {
    this.#based.aimd.setLinkBounds(lower, upper);
  }

  /** As much is sent as came through when the path was full, and nothing waits all the same: there may be more room. */
  roomSeemsLeft(now: Micros): boolean {
    if (this.#extensions.capacityProbes === false || this.state !== "normal") return false;
    return this.queue.emptyFor(now) >= EMPTY_TIME && this.rate >= FULL_SHARE * this.#carriedWhenFull;
  }

  /** As DelayBased.receive. */
  receive(feedback: TransportFeedback, acknowledged: BitsPerSecond | undefined, probe: BitsPerSecond | undefined, inAlr: boolean): void {
    this.updated = false;
    this.probe = false;
    this.recoveredFromOveruse = false;
    if (feedback.received === 0) return;
    const now = feedback.feedbackTime;
    const { queue, competing } = this;
    queue.receive(feedback);
    this.#recent.receive(feedback);
    const carried = this.#carried(now, acknowledged);
    competing.onQueue(now, queue.delay, queue.emptyFor(now));
    const watched = this.#extensions.competition !== false && carried !== undefined;
    if (watched && competing.active) this.#compete(feedback, carried);
    else if (watched && competing.testing) this.#test(feedback);
    else this.#yield(feedback, carried, probe, inAlr);
  }

  /** The acknowledged rate, or the recent one where the path carries clearly less by now, or clearly more since a probe. */
  #carried(now: Micros, acknowledged: BitsPerSecond | undefined): BitsPerSecond | undefined {
    if (acknowledged === undefined || this.#extensions.recentThroughput === false) return acknowledged;
    if (now >= this.#nextRecent) {
      this.#nextRecent = now + RECENT_INTERVAL;
      this.#recentRate = this.#recent.rate;
    }
    const recent = this.#recentRate;
    if (recent === undefined) return acknowledged;
    if (RECENT_SHARE * recent > acknowledged) return recent;
    return this.queue.delay > RECENT_QUEUE && recent < RECENT_SHARE * acknowledged ? recent : acknowledged;
  }

  #compete(feedback: TransportFeedback, carried: BitsPerSecond): void {
    const now = feedback.feedbackTime;
    const { aimd } = this.#based;
    this.#based.measure(feedback);
    if (this.state === "overusing") this.#full(now, carried);
    const next = this.competing.next(now, aimd.rate, aimd.rtt, anyLost(feedback));
    const limit = COMPETING_LIMIT_FACTOR * carried + COMPETING_LIMIT_MARGIN;
    aimd.setEstimate(next > aimd.rate ? Math.max(aimd.rate, Math.min(next, limit)) : next, now);
    this.updated = true;
  }

  #test(feedback: TransportFeedback): void {
    const { aimd } = this.#based;
    this.#based.measure(feedback);
    if (aimd.rate <= this.competing.testRate) return;
    aimd.setEstimate(this.competing.testRate, feedback.feedbackTime);
    this.updated = true;
  }

  #yield(feedback: TransportFeedback, carried: BitsPerSecond | undefined, probe: BitsPerSecond | undefined, inAlr: boolean): void {
    const now = feedback.feedbackTime;
    const based = this.#based;
    const { aimd } = based;
    const recovers = this.#extensions.quickRecovery !== false && this.queue.emptyFor(now) >= EMPTY_TIME;
    aimd.recoverTo = recovers ? FULL_SHARE * this.#carriedWhenFull : 0;
    based.receive(feedback, carried, probe, inAlr);
    this.updated = based.updated;
    this.probe = based.probe;
    this.recoveredFromOveruse = based.recoveredFromOveruse;
    if (based.resets !== this.#resets) {
      this.#resets = based.resets;
      this.queue.reset();
    }
    if (carried === undefined) return;
    if (based.state === "overusing") {
      if (based.updated) this.#full(now, carried);
    } else if (based.state === "normal" && this.#extensions.queueGuard !== false && this.#guard.asks(now, this.queue.delay, aimd.rtt)) {
      this.guarded++;
      this.#full(now, carried);
      aimd.update("overusing", carried, now);
      this.updated = true;
    }
  }

  #full(now: Micros, carried: BitsPerSecond): void {
    this.#carriedWhenFull = carried;
    this.competing.onOveruse(now, carried, this.#based.aimd.rtt);
  }
}

function anyLost(feedback: TransportFeedback): boolean {
  return feedback.received < feedback.length;
}
