/**
 * Token bucket over the datagrams of one session: what does not fit waits in KCP, nothing is dropped (option ratelimit).
 *
 *   tokens ≤ BURST_BYTES, + bytesPerSecond a second; a datagram leaves while there is a token for the longest one
 *
 * Source: kcptun.md 5.3. Deviation: kcp-go lets a batch of datagrams wait together, here each waits for itself, at least
 * PAUSE_MS so that the process does not wake for every one.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";

// Spec
const BURST_BYTES: Bytes = 96_000;
const DATAGRAM_BYTES_MAX: Bytes = 1500;

// Tuning
const PAUSE_MS: Millis = 5;

export class RateLimit {
  readonly #bytesPerMs: number;
  #tokens: Bytes = BURST_BYTES;
  #filledAt: Millis;
  /** When a datagram that was refused may go; NEVER while none was. */
  #resumeAt: Millis = NEVER;
  /** Times datagrams had to wait. */
  waits = 0;

  /** `bytesPerSecond` is above 0. */
  constructor(now: Millis, bytesPerSecond: Bytes) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#filledAt = now;
  }

  /** Whether a datagram may leave now. */
  admits(now: Millis): boolean {
    if (now < this.#resumeAt && this.#resumeAt !== NEVER) return false;
    if (now > this.#filledAt) {
      this.#tokens = Math.min(BURST_BYTES, this.#tokens + (now - this.#filledAt) * this.#bytesPerMs);
      this.#filledAt = now;
    }
    if (this.#tokens >= DATAGRAM_BYTES_MAX) {
      this.#resumeAt = NEVER;
      return true;
    }
    this.waits++;
    this.#resumeAt = now + Math.max(PAUSE_MS, (DATAGRAM_BYTES_MAX - this.#tokens) / this.#bytesPerMs);
    return false;
  }

  spend(bytes: Bytes): void {
    this.#tokens -= bytes;
  }

  /** When to try again; NEVER while nothing waits. */
  deadline(): Millis {
    return this.#resumeAt;
  }
}
