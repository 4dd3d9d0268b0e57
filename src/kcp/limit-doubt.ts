/**
 * Whether a peer whose bursts run over a queue is worth limiting. A path that loses as much with next to nothing let go, or with no queue, has another reason, and is
 * left alone for a while; unless its queue runs over at once.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import type { QueueDepth } from "./queue-depth.ts";

/** Tuning: so often in a row it ran over in vain; where the queue was seen to be full that counts for less. Leaving it was wrong: so many times more from then on. */
const FUTILE = 4;
const FUTILE_FULL = 0.25;
const FUTILE_GROWTH = 4;
const LEFT_MS: Millis = 60_000;
/** A queue that has held so much may run over once, when a kcptun begins with all that its window takes: for so many round trips. */
const QUEUE_ANY: Bytes = 200_000;
const BEGINNING = 1;

export class LimitDoubt {
  readonly #depth: QueueDepth;
  #futile = 0;
  #futileMax = FUTILE;
  #leftUntil: Millis = 0;
  #excusedUntil: Millis = NEVER;

  constructor(depth: QueueDepth) {
    this.#depth = depth;
  }

  /** Rows of segments were lost of a peer that is not limited: may it be? */
  permits(now: Millis, rtt: Millis): boolean {
    if (this.#depth.most >= QUEUE_ANY) {
      this.#excusedUntil = Math.min(this.#excusedUntil, now + BEGINNING * rtt);
      if (now <= this.#excusedUntil) return false;
    }
    if (now >= this.#leftUntil) return true;
    // Nothing was wrong but that it was left.
    const wrong = this.#depth.fullSince(now - 2 * rtt);
    if (wrong) this.#futileMax *= FUTILE_GROWTH;
    return wrong;
  }

  /** A queue ran over though the peer is limited; `full`: it was full, `least`: no more was let go than at least. True when it is better left alone. */
  overflowed(full: boolean, least: boolean): boolean {
    this.#futile = full && !least ? 0 : this.#futile + (full ? FUTILE_FULL : 1);
    return this.#futile >= this.#futileMax;
  }

  /** A burst has come through whole. */
  clear(): void {
    this.#futile = 0;
  }

  leave(now: Millis): void {
    this.#futile = 0;
    this.#leftUntil = now + LEFT_MS;
  }

  /** It was left lately. */
  left(now: Millis): boolean {
    return now < this.#leftUntil;
  }
}
