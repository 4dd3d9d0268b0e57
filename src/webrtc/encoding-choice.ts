/**
 * Which of several encodings of one stream a viewer gets: the best that its path carries.
 *
 *   what the path allows, what each encoding takes ─▶ choose ─▶ one of them
 *
 *   less than the present one takes, for DOWN_AFTER, or a queue before the path      ─▶ the best that fits, at once
 *   more than a better one takes, for `patience`                                      ─▶ the best that fits
 *
 * A better one that did not last makes the next attempt wait twice as long, up to PATIENCE_MAX; one that lasted makes it short again.
 *
 * An encoding's rate is measured, not announced: the picture decides what it takes, and nobody announces that of a transcoder.
 *
 * Source: RFC 8853 section 1 names the purpose; no rule for the choice is published. What libwebrtc's own simulcast sender asks before it turns a layer on
 * (minBitrate × hysteresis, allocation.ts) is the model of ROOM.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";

/** Tuning. */
const ROOM = 1.2;
const DOWN_AFTER: Micros = 500_000;
const PATIENCE_MIN: Micros = 2_000_000;
const PATIENCE_MAX: Micros = 30_000_000;
/** A better encoding that was held so long has lasted. */
const LASTED: Micros = 10_000_000;

export interface EncodingChoiceStats {
  /** Times a better, and times a smaller one was chosen. */
  up: number;
  down: number;
}

export class EncodingChoice {
  readonly stats: EncodingChoiceStats = { up: 0, down: 0 };
  #patience: Micros = PATIENCE_MIN;
  /** Since when the path carries less than the present one takes, and since when a better one; NaN: it does not. */
  #tooMuch: Micros = Number.NaN;
  #roomSince: Micros = Number.NaN;
  #wentUp: Micros = Number.NaN;

  /**
   * Answers an index into `rates`, which are those of the encodings there are, the best first; 0 = not known yet, which is never gone up to. `present`: the one that
   * is sent. `allowed`: what the path carries, 0 = not known yet. `queued`: too much waits before the path.
   */
  choose(now: Micros, rates: readonly BitsPerSecond[], present: number, allowed: BitsPerSecond, queued: boolean): number {
    if (allowed <= 0 || rates.length < 2) return present;
    const most = rates[present]!;
    if (this.#lasts(now, most > allowed || queued)) {
      const fits = fitting(rates, Math.min(allowed, most * (queued ? 0.9 : 1)), present + 1);
      if (fits > present) this.#goneDown(now);
      return Math.max(fits, present);
    }
    const better = fitting(rates, allowed / ROOM, 0);
    if (better >= present || rates[better] === 0) {
      this.#roomSince = Number.NaN;
      return present;
    }
    if (Number.isNaN(this.#roomSince)) this.#roomSince = now;
    if (now - this.#roomSince < this.#patience) return present;
    this.#roomSince = Number.NaN;
    this.#wentUp = now;
    this.stats.up++;
    return better;
  }

  /** Whether it is too much, and has been for long enough to act. */
  #lasts(now: Micros, tooMuch: boolean): boolean {
    if (!tooMuch) {
      this.#tooMuch = Number.NaN;
      return false;
    }
    this.#roomSince = Number.NaN;
    if (Number.isNaN(this.#tooMuch)) this.#tooMuch = now;
    return now - this.#tooMuch >= DOWN_AFTER;
  }

  #goneDown(now: Micros): void {
    const lasted = Number.isNaN(this.#wentUp) || now - this.#wentUp >= LASTED;
    this.#patience = lasted ? PATIENCE_MIN : Math.min(2 * this.#patience, PATIENCE_MAX);
    this.#tooMuch = Number.NaN;
    this.#wentUp = Number.NaN;
    this.stats.down++;
  }
}

/** The first from `from` on that takes no more than `allowed`; the last when none does. */
function fitting(rates: readonly BitsPerSecond[], allowed: BitsPerSecond, from: number): number {
  for (let i = from; i < rates.length; i++) if (rates[i]! <= allowed) return i;
  return rates.length - 1;
}
