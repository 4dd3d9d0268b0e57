/**
 * One rate for several sessions: a token bucket that serves those who have had least first.
 *
 *   every PERIOD_MS: tokens += rate, quota = tokens / sessions that ask, floor = the least that one of them has had
 *   a session may go on while there are tokens and it has had no more than floor + quota
 *
 * What does not fit waits with its owner, nothing is dropped. A piece may be larger than what is left: the debt is paid before the next one.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";

// Tuning
const PERIOD_MS: Millis = 5;
const BURST_BYTES_MIN: Bytes = 96_000;
/** What may gather while nobody asks, as time. */
const BURST_MS: Millis = 50;
/** A session's share of a period, at least: one datagram. */
const QUOTA_BYTES_MIN: Bytes = 1500;
/** Who has not asked for so many periods has nothing to send. */
const IDLE_PERIODS = 4;

export class SharedRate {
  /** Times somebody had to wait. */
  waits = 0;
  /** Bytes that went, while there was a limit. */
  spent: Bytes = 0;
  #bytesPerMs: number;
  #tokens: Bytes;
  #filledAt: Millis;
  #period = IDLE_PERIODS;
  /** What a session may have had of this period's tokens at most. */
  #ceiling = 0;
  #floor = 0;
  /** Those who have asked lately. */
  readonly #asking: RateShare[] = [];

  /** `bytesPerSecond` is above 0; Infinity lets everything pass. */
  constructor(now: Millis, bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#tokens = this.#burst;
    this.#filledAt = now;
    this.#ceiling = this.#tokens;
  }

  set bytesPerSecond(value: number) {
    this.#bytesPerMs = value / 1000;
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  get limited(): boolean {
    return this.#bytesPerMs !== Number.POSITIVE_INFINITY;
  }

  /** For one session. */
  share(): RateShare {
    return new RateShare(this);
  }

  /** One of the shares asks. */
  admits(now: Millis, share: RateShare): boolean {
    if (now - this.#filledAt >= PERIOD_MS) this.#begin(now);
    if (this.#period - share.askedIn > IDLE_PERIODS) {
      this.#asking.push(share);
      share.had = Math.max(share.had, this.#floor);
    }
    share.askedIn = this.#period;
    return this.#tokens > 0 && share.had <= this.#ceiling;
  }

  spend(bytes: Bytes): void {
    this.#tokens -= bytes;
    this.spent += bytes;
  }

  /** When one that was refused may ask again. */
  refusedUntil(): Millis {
    this.waits++;
    return this.#filledAt + Math.max(PERIOD_MS, (1 - this.#tokens) / this.#bytesPerMs);
  }

  #begin(now: Millis): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#bytesPerMs);
    this.#filledAt = now;
    this.#period++;
    const asking = this.#asking;
    let floor = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (let i = 0; i < asking.length; i++) {
      const share = asking[i]!;
      if (this.#period - share.askedIn > IDLE_PERIODS) continue;
      asking[kept++] = share;
      floor = Math.min(floor, share.had);
    }
    asking.length = kept;
    if (kept > 0) this.#floor = floor;
    this.#ceiling = this.#floor + Math.max(QUOTA_BYTES_MIN, this.#tokens / Math.max(1, kept));
  }

  get #burst(): Bytes {
    return Math.max(BURST_BYTES_MIN, BURST_MS * this.#bytesPerMs);
  }
}

/** What one session has of a SharedRate. */
export class RateShare {
  /** For the rate: bytes it has had, never less than who had least while it did not ask, and the period it asked in last. */
  had: Bytes = 0;
  askedIn = -1;
  readonly #rate: SharedRate;
  #resumeAt: Millis = NEVER;

  constructor(rate: SharedRate) {
    this.#rate = rate;
  }

  /** Whether the next piece may go now; if not, `deadline` says when to ask again. */
  admits(now: Millis): boolean {
    const rate = this.#rate;
    if (!rate.limited || rate.admits(now, this)) {
      this.#resumeAt = NEVER;
      return true;
    }
    this.#resumeAt = rate.refusedUntil();
    return false;
  }

  spend(bytes: Bytes): void {
    if (!this.#rate.limited) return;
    this.had += bytes;
    this.#rate.spend(bytes);
  }

  /** NEVER while nothing waits. */
  deadline(): Millis {
    return this.#resumeAt;
  }
}
