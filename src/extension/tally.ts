/**
 * What came of a series of numbered packets: how many, what was missing and in how many runs, what was overtaken, how late. Only differences of the sender's
 * clock are used, so the clocks need not agree.
 */
import type { Millis } from "../base/units.ts";
import type { Load } from "./survey-message.ts";

export interface Counted {
  readonly received: number;
  /** One past the highest number that came. */
  readonly highest: number;
  /** Gaps in the numbers, and packets that came behind a later one. */
  readonly runs: number;
  readonly late: number;
  /** Interarrival jitter (RFC 3550 6.4.1). */
  readonly jitterMicros: number;
  /** Mean time longer than that of the fastest one. */
  readonly queueMicros: number;
  /** From the first to the last one. */
  readonly spanMicros: number;
}

/** Source: RFC 3550 A.8. */
const JITTER_SHARE = 1 / 16;

export class Tally {
  #received = 0;
  #highest = 0;
  #runs = 0;
  #late = 0;
  #jitter = 0;
  #first = 0;
  #last = 0;
  /** Transit times relative to the first packet's, in µs. */
  #transit0 = 0;
  #transit = 0;
  #least = 0;
  #sum = 0;

  receive(now: Millis, { n, micros }: Load): void {
    const at = now * 1000;
    const transit = (at - micros) % 2 ** 32;
    if (this.#received === 0) {
      this.#first = at;
      this.#transit0 = transit;
    }
    // Modulo 2³², so that the sender's clock may wrap.
    const relative = Math.round(transit - this.#transit0) | 0;
    if (this.#received > 0) this.#jitter += (Math.abs(relative - this.#transit) - this.#jitter) * JITTER_SHARE;
    this.#transit = relative;
    this.#least = Math.min(this.#least, relative);
    this.#sum += relative;
    this.#received++;
    this.#last = at;
    if (n < this.#highest) this.#late++;
    else {
      if (n > this.#highest) this.#runs++;
      this.#highest = n + 1;
    }
  }

  get counted(): Counted {
    const received = this.#received;
    const missing = Math.max(0, this.#highest - received);
    return {
      received,
      highest: this.#highest,
      runs: missing === 0 ? 0 : Math.min(missing, Math.max(1, this.#runs - this.#late)),
      late: this.#late,
      jitterMicros: Math.round(this.#jitter),
      queueMicros: received === 0 ? 0 : Math.round(this.#sum / received - this.#least),
      spanMicros: Math.round(this.#last - this.#first),
    };
  }
}
