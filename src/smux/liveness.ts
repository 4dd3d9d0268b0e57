/**
 * When to show the peer that we live, and when to believe that it does not.
 *
 *   every keepaliveMs   one NOP
 *   every timeoutMs     dead, if nothing was heard since the last such tick: death shows after one to two periods
 *
 * The clock is set by the first `advance`, so the session needs none to be made.
 */
import { assert } from "../base/assert.ts";
import type { Millis } from "../base/units.ts";

export class Liveness {
  /** Anything was heard since the last tick, or could not be heard because we did not listen. */
  heard = true;
  nopPending = false;
  #keepaliveMs: Millis;
  readonly #timeoutMs: Millis;
  /** Negative until the clock is set. */
  #nopAt: Millis = -1;
  #tickAt: Millis = -1;

  constructor(keepaliveMs: Millis, timeoutMs: Millis) {
    assert(keepaliveMs > 0 && keepaliveMs <= timeoutMs, "keepalive must be above 0 and not above the timeout");
    this.#keepaliveMs = keepaliveMs;
    this.#timeoutMs = timeoutMs;
  }

  /** From now on; above 0, at most the timeout. */
  keepalive(now: Millis, ms: Millis): void {
    assert(ms > 0 && ms <= this.#timeoutMs, "keepalive must be above 0 and not above the timeout");
    this.#keepaliveMs = ms;
    if (this.#nopAt >= 0) this.#nopAt = Math.min(this.#nopAt, now + ms);
  }

  /** False when the peer is to be taken for dead. A late call counts as one tick: silence while we slept proves nothing. */
  advance(now: Millis): boolean {
    if (this.#tickAt < 0) {
      this.#nopAt = now + this.#keepaliveMs;
      this.#tickAt = now + this.#timeoutMs;
    }
    if (now >= this.#nopAt) {
      this.nopPending = true;
      this.#nopAt = now + this.#keepaliveMs;
    }
    if (now < this.#tickAt) return true;
    this.#tickAt = now + this.#timeoutMs;
    const alive = this.heard;
    this.heard = false;
    return alive;
  }

  /** 0, that is at once, until the clock is set. */
  deadline(): Millis {
    return this.#tickAt < 0 ? 0 : Math.min(this.#nopAt, this.#tickAt);
  }
}
