/**
 * Asks for less when the path holds a long queue that does not grow: a full drop-tail queue has no gradient, so the detector calls it normal, and loss
 * control settles at what comes through, which keeps the queue full for ever.
 *
 * It asks twice and is quiet then until the queue is shorter: what does not become shorter by that is another's queue, or a longer path.
 *
 * Source: none in libwebrtc.
 */
import type { Micros } from "../base/units.ts";

/** Tuning. */
const QUEUE_LONG: Micros = 100_000;
const ASKS_MAX = 2;
/** The queue became shorter when it is below this share of what it was. */
const SHORTER = 0.75;
/** On top of a round trip, for what was asked to show. */
const PATIENCE: Micros = 300_000;

export class QueueGuard {
  #asked = 0;
  #askedAt: Micros = Number.NEGATIVE_INFINITY;
  #askedDelay: Micros = 0;

  /** Whether to send less than what comes through now. `delay`: how long packets wait. */
  asks(now: Micros, delay: Micros, rtt: Micros): boolean {
    if (delay <= QUEUE_LONG || delay < SHORTER * this.#askedDelay) this.#asked = 0;
    if (delay <= QUEUE_LONG || this.#asked === ASKS_MAX || now - this.#askedAt <= PATIENCE + rtt) return false;
    this.#asked++;
    this.#askedAt = now;
    this.#askedDelay = delay;
    return true;
  }
}
