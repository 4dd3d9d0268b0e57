/**
 * What a CUBIC that lost here would have in flight by now: who shares a queue with one, and lets no more stand in it, gets as much as it does.
 *
 *   bound(t) = max(C·(t − K)³ + W_max, β·W_max + α·t/RTT)      K = ∛((1 − β)·W_max / C)
 *
 * Source: RFC 9438 sections 4.2, 4.3 and 4.7. Deviations: time alone makes it grow, not acknowledgements; how much may be in flight besides is the owner's; a reduction
 * is not followed by another before half of K has passed; room is left for newcomers whenever the window was come back to, and never before: to come to even
 * shares takes two CUBICs more than a minute, and who overflows a queue before the others are back, a BBR, would get all.
 */
import type { Bytes, Millis } from "../base/units.ts";

/** Spec. */
const C = 0.4;
const BETA = 0.7;
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** Fast convergence: room is left for newcomers. */
const CONVERGENCE = (1 + BETA) / 2;

/** Tuning: of K; sooner nothing is reduced again, since who overflows a queue as often as that, a BBR, does not slow down for what is lost, and would get all. */
const AGAIN = 0.5;

export class CubicBound {
  readonly #segment: Bytes;
  /** In segments; 0: nothing was lost, or so long ago that it is forgotten. */
  #most = 0;
  #k = 0;
  #since: Millis = 0;

  /** Of segments of so many bytes. */
  constructor(segment: Bytes) {
    this.#segment = segment;
  }

  /** So much was in flight when the queue overflowed. */
  reduce(now: Millis, inFlight: Bytes): void {
    const t = (now - this.#since) / 1000;
    if (this.#most > 0 && t < this.#k * AGAIN) return;
    const lost = inFlight / this.#segment;
    this.#most = this.#most === 0 || t >= this.#k ? lost * CONVERGENCE : lost;
    this.#k = Math.cbrt(Math.max(0, this.#most - lost * BETA) / C);
    this.#since = now;
  }

  /** Most bytes in flight. */
  at(now: Millis, rtt: Millis): Bytes {
    if (this.#most === 0) return Number.POSITIVE_INFINITY;
    const t = now - this.#since;
    const cubic = C * (t / 1000 - this.#k) ** 3 + this.#most;
    const reno = this.#most * BETA + (ALPHA * t) / Math.max(rtt, 1);
    return Math.max(cubic, reno) * this.#segment;
  }

  /** More may be in flight than its owner would have there: it bounds nothing any more. */
  forget(): void {
    this.#most = 0;
  }
}
