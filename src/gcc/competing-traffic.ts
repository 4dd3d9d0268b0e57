/**
 * Sees that others fill the queue until it overflows, and how fast to send beside them.
 *
 *   overuse, each time with less carried than the time before, down to 0.6 of it, for 3 s ─┐
 *   overuse four times in 15 s or more, each after a deep queue and none empty between ──────┴─▶ testing
 *   testing: half of what was carried for 2 s and a round trip; the queue goes as if all of it were ours, at once and for good?
 *            ─ yes ▶ alone ─ no ▶ active
 *   queue empty for 2 s, or 1.5 s long ─▶ alone
 *
 *   active: × 0.7 once per RTT with loss, and between losses as CUBIC grows, W = C·(t − K)³ + W_max packets per RTT, or as Reno where that is faster:
 *   what a TCP would do; losses lower the target nowhere else meanwhile (target-rate.ts)
 *
 * A flow that is alone builds a queue only by sending more than the path carries, and sending 15 % less empties it. Where less and less is sent and
 * the queue still grows, it is another's, and yielding to it never ends: the adaptive threshold of the detector only slows the starvation down.
 *
 * Source: none in libwebrtc, which starves beside TCP in deep queues (reference/gcc.md L, P5). The idea is Copa's mode switching (NSDI 2018, 2.2);
 * it is needed for RFC 8867 5.6.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";

/** Tuning. */
const YIELDS_MIN = 3;
const YIELD_TIME: Micros = 3_000_000;
/** Overuse at more than this share of what was carried at the one before is our own doing. */
const PROVOKED_SHARE = 0.95;
/** Share of the rate that must have been given up. */
const YIELDED_SHARE = 0.6;
const DEEP_QUEUE: Micros = 100_000;
const STARVED_OVERUSES = 4;
const STARVED_TIME: Micros = 15_000_000;
/** Overuses less apart than this are one, which lowers the rate several times. */
const OVERUSE_GAP: Micros = 1_000_000;
/**
 * The test: a queue of our own shrinks by half a second in each, and then stays empty. Another's may be at its least but does not stay there, or
 * shrinks by our share only, even below what was its least before and seemed to be the empty path.
 */
const TEST_SHARE = 0.5;
const TEST_TIME: Micros = 2_000_000;
const TEST_END: Micros = 1_000_000;
const OWN_QUEUE_DROP: Micros = 700_000;
const HALVING_SLACK: Micros = 200_000;
const FLAT: Micros = 20_000;
const FLAT_SHARE = 0.25;
/** A test that found our own queue is not repeated before this, and then twice as long each time. */
const TEST_APART_MIN: Micros = 20_000_000;
const TEST_APART_MAX: Micros = 320_000_000;
const EMPTY_TIME: Micros = 2_000_000;
const QUEUE_MAX: Micros = 1_500_000;
const PACKET_BYTES: Bytes = 1200;
const RTT_MIN: Micros = 100_000;
/** Growth before the first loss, when no window is known to grow back to: as at this round trip at most. */
const RTT_GROWTH_MAX: Micros = 350_000;
/** CUBIC (RFC 9438 section 4): C and β; α is what makes it as fast as Reno. */
const C = 0.4;
const BACKOFF = 0.7;
const RENO_ALPHA = (3 * (1 - BACKOFF)) / (1 + BACKOFF);
/** Packets per RTT each second: beyond, more would be lost in a round trip than is known of. */
const GROWTH_MAX = 40;

export class CompetingTraffic {
  active = false;
  /** The rate is `testRate` for a while, to see what the queue does. */
  testing = false;
  testRate: BitsPerSecond = 0;
  /** Times it tested, and times it became active. */
  tests = 0;
  entered = 0;
  #testUntil: Micros = 0;
  #testDeepest: Micros = 0;
  #testLeast: Micros = 0;
  #testMost: Micros = 0;
  #testEmptied = false;
  /** When the lower rate shows at the sender, and when half of the queue was gone. */
  #testEffect: Micros = 0;
  #testHalvedAt: Micros = 0;
  #testApart: Micros = TEST_APART_MIN;
  #nextTest: Micros = Number.NEGATIVE_INFINITY;
  #overusedAt: Micros = Number.NEGATIVE_INFINITY;
  /** Carried at the last overuse. */
  #carried: BitsPerSecond = 0;
  /** Overuses in a row at which less was carried; when they began, and with what. */
  #yields = 0;
  #yieldedAt: Micros = 0;
  #yieldedFrom: BitsPerSecond = 0;
  #deepest: Micros = 0;
  /** Overuses after a deep queue since it was empty, and the deepest since the last of any. */
  #deepOveruses = 0;
  #firstDeepAt: Micros = 0;
  #peak: Micros = 0;
  #updatedAt: Micros = 0;
  #reducedAt: Micros = Number.NEGATIVE_INFINITY;
  /** CUBIC's window before the last loss, in packets, and the time it takes to grow back to it, in seconds. */
  #windowMax = 0;
  #k = 0;

  /** Every feedback: how long packets wait, and for how long the queue has been empty. */
  onQueue(now: Micros, delay: Micros, emptyFor: Micros): void {
    if (delay > this.#deepest) this.#deepest = delay;
    if (delay > this.#peak) this.#peak = delay;
    if (this.testing) this.#test(now, delay, emptyFor > 0);
    else if (emptyFor >= EMPTY_TIME || delay >= QUEUE_MAX) this.#forget();
  }

  #test(now: Micros, delay: Micros, empty: boolean): void {
    if (delay > this.#testDeepest) this.#testDeepest = delay;
    // The queue is one that shrinks as fast as it would if all of it were ours.
    if (delay <= this.#testDeepest / 2 && now < this.#testHalvedAt) this.#testHalvedAt = now;
    if (now >= this.#testUntil - TEST_END) {
      if (empty) this.#testEmptied = true;
      if (delay < this.#testLeast) this.#testLeast = delay;
      if (delay > this.#testMost) this.#testMost = delay;
    }
    if (now < this.#testUntil) return;
    this.testing = false;
    const shrunk = this.#testDeepest - this.#testLeast;
    const soon = this.#testHalvedAt - this.#testEffect <= this.#testDeepest + HALVING_SLACK;
    const flat = this.#testMost - this.#testLeast <= Math.max(FLAT, FLAT_SHARE * this.#testDeepest);
    if (shrunk >= OWN_QUEUE_DROP || (soon && this.#testEmptied && flat)) {
      this.#forget();
      this.#nextTest = now + this.#testApart;
      this.#testApart = Math.min(2 * this.#testApart, TEST_APART_MAX);
    } else {
      this.active = true;
      this.entered++;
      this.#updatedAt = now;
      this.#testApart = TEST_APART_MIN;
    }
  }

  #forget(): void {
    this.active = false;
    this.#carried = 0;
    this.#yields = 0;
    this.#deepOveruses = 0;
  }

  /** The detector reports overuse and the rate is lowered for it; `carried`: what came through. */
  onOveruse(now: Micros, carried: BitsPerSecond, rtt: Micros): void {
    const goesOn = now - this.#overusedAt < OVERUSE_GAP;
    this.#overusedAt = now;
    if (goesOn) return;
    if (this.#peak <= DEEP_QUEUE) this.#deepOveruses = 0;
    else if (this.#deepOveruses++ === 0) this.#firstDeepAt = now;
    this.#peak = 0;
    if (carried >= PROVOKED_SHARE * this.#carried) {
      this.#yields = 0;
    } else if (this.#yields++ === 0) {
      this.#yieldedAt = now;
      this.#yieldedFrom = this.#carried;
      this.#deepest = 0;
    }
    this.#carried = carried;
    if (this.active || this.testing || now < this.#nextTest || !(this.#yielding(now) || this.#starving(now))) return;
    this.tests++;
    this.testing = true;
    this.testRate = TEST_SHARE * carried;
    this.#testUntil = now + TEST_TIME + rtt;
    this.#testDeepest = 0;
    this.#testLeast = Number.POSITIVE_INFINITY;
    this.#testMost = 0;
    this.#testEmptied = false;
    this.#testHalvedAt = Number.POSITIVE_INFINITY;
    this.#testEffect = now + rtt;
  }

  /** While active: the rate that follows `rate`. `lost`: something of this feedback was. */
  next(now: Micros, rate: BitsPerSecond, rtt: Micros, lost: boolean): BitsPerSecond {
    const roundTrip = Math.max(rtt, RTT_MIN);
    const elapsed = Math.min(now - this.#updatedAt, roundTrip);
    this.#updatedAt = now;
    if (!lost) return rate + (this.#growth(now, roundTrip) * elapsed) / 1e6;
    if (now - this.#reducedAt <= roundTrip) return rate;
    this.#reducedAt = now;
    const window = (rate * roundTrip) / (PACKET_BYTES * 8e6);
    // Fast convergence: who shrinks leaves room for newcomers.
    this.#windowMax = window < this.#windowMax ? (window * (1 + BACKOFF)) / 2 : window;
    this.#k = Math.cbrt(Math.max(0, this.#windowMax - BACKOFF * window) / C);
    return rate * BACKOFF;
  }

  /** bit/s each second. */
  #growth(now: Micros, roundTrip: Micros): BitsPerSecond {
    const packetPerTrip = (PACKET_BYTES * 8e6) / roundTrip;
    if (this.#windowMax === 0) return (PACKET_BYTES * 8e12) / Math.min(roundTrip, RTT_GROWTH_MAX) ** 2;
    const cubic = 3 * C * ((now - this.#reducedAt) / 1e6 - this.#k) ** 2;
    const reno = (RENO_ALPHA * 1e6) / roundTrip;
    return packetPerTrip * Math.max(Math.min(cubic, GROWTH_MAX), reno);
  }

  #yielding(now: Micros): boolean {
    const long = this.#yields >= YIELDS_MIN && now - this.#yieldedAt >= YIELD_TIME;
    return long && this.#carried <= YIELDED_SHARE * this.#yieldedFrom && this.#deepest > DEEP_QUEUE;
  }

  /** Nothing is left to yield: the rate comes back from each overuse to where it was. */
  #starving(now: Micros): boolean {
    return this.#deepOveruses >= STARVED_OVERUSES && now - this.#firstDeepAt >= STARVED_TIME;
  }
}
