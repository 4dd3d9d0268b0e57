/**
 * How long an acknowledgement may take, and how far packets may change places, before something counts as lost.
 *
 *   timeout = srtt + max(4 · rttvar, margin)      both margins widen with each resend that was needless, and shrink with those that were needed
 *
 * Over a way that paces and resends by itself (TCP) nothing changes places, and what is late stands in its queue: only what it dropped is ever missing.
 *
 * Source: RFC 6298, with a margin instead of a least timeout: a peer's ACKs may come in batches, and may be lost themselves.
 */
import type { Millis } from "../base/units.ts";
import { RttNoise } from "./rtt-noise.ts";

/** Tuning. */
const RTT_INITIAL_MS: Millis = 300;
const MARGIN_MS: Millis = 5;
const MARGIN_MS_MAX: Millis = 100;
const MARGIN_GROWTH = 1.2;
const MARGIN_DECAY = 0.95;
const REORDERING_MS_MIN: Millis = 1;
const REORDERING_GROWTH = 1.5;
const REORDERING_DECAY = 0.98;
/** Acknowledgements of what is sent all the time pause for no longer. */
const PAUSE_MS: Millis = 50;
const QUEUED = 1.5;
/** What TCP may take longer than ever before: resending, after its own timeout. */
const CARRIED_MS: Millis = 1000;

export class Patience {
  /** 0 before the first sample. */
  srtt: Millis = 0;
  /** Shortest sample there was. */
  least: Millis = Number.POSITIVE_INFINITY;
  /** What is sent so much later may arrive earlier. */
  reordering: Millis;
  #rttvar: Millis = 0;
  #margin: Millis = MARGIN_MS;
  readonly #noise = new RttNoise();
  readonly #carried: boolean;

  /** `carried`: over a way that resends by itself. */
  constructor(carried = false) {
    this.#carried = carried;
    this.reordering = carried ? Number.POSITIVE_INFINITY : REORDERING_MS_MIN;
  }

  get timeout(): Millis {
    const grace = this.#carried ? CARRIED_MS : 0;
    return grace + (this.srtt === 0 ? RTT_INITIAL_MS : this.srtt + Math.max(4 * this.#rttvar, this.#margin));
  }

  /**
   * Nothing has come for so long: more than a pause, and not for long yet. A path that was gone for a moment, as in a handover, is back when what left for it is overdue. Where
   * round trips are long because of a queue, acknowledgements may be what is missing.
   */
  handover(silence: Millis): boolean {
    return silence > PAUSE_MS && silence < this.srtt + PAUSE_MS && this.srtt < QUEUED * this.least;
  }

  sample(rtt: Millis): void {
    if (rtt < this.least) this.least = rtt;
    if (this.srtt === 0) {
      this.srtt = rtt;
      this.#rttvar = rtt / 4;
      return;
    }
    this.#rttvar += (Math.abs(rtt - this.srtt) - this.#rttvar) / 16;
    this.srtt += (rtt - this.srtt) / 8;
  }

  /** The round trip of a segment that left at `sentAt`; see RttNoise. */
  compare(sentAt: Millis, rtt: Millis, apart: Millis): void {
    this.#noise.sample(sentAt, rtt - this.least, apart);
  }

  /** By so much round trips differ where nothing of ours waits. */
  noise(now: Millis): Millis {
    return this.#noise.at(now);
  }

  /** A resent segment's first copy arrived after all. */
  needless(): void {
    if (this.#carried) return;
    this.#margin = Math.min(this.#margin * MARGIN_GROWTH + 1, MARGIN_MS_MAX);
    this.reordering = Math.min(this.reordering * REORDERING_GROWTH + 1, Math.max(this.srtt / 2, REORDERING_MS_MIN));
  }

  /** A resent segment's second copy is the one that arrived. */
  needed(): void {
    this.#margin = Math.max(MARGIN_MS, this.#margin * MARGIN_DECAY);
  }

  /** Losses were looked for once more. */
  detected(): void {
    this.reordering = Math.max(REORDERING_MS_MIN, this.reordering * REORDERING_DECAY);
  }
}
