/**
 * Which datagrams go over a second way as well: at most a share of the bytes that are sent, and first those whose loss costs most.
 *
 *   resent      lost once already, and all behind them wait        as long as there is any credit
 *   last        of a burst, with nothing behind that would show a loss; datagrams of flows, which nobody sends again
 *                                                                  but for what is kept for the resent ones
 *   all others  where the share is all of it, acknowledgements too; parity never
 *
 * Credit is earned by what is sent, `share` of it, and kept up to CREDIT_BYTES.
 */
import type { Bytes } from "../base/units.ts";

export type CopyKind = "resent" | "last" | "other";

/** Tuning. */
const CREDIT_BYTES: Bytes = 24_000;
/** Of it, for what is resent. */
const RESERVE_BYTES: Bytes = 6000;

export class CopyBudget {
  /** 0 … 1. */
  share = 0;
  #credit: Bytes = 0;

  /** Everything is copied. */
  get all(): boolean {
    return this.share >= 1;
  }

  /** So much was sent. */
  earn(bytes: Bytes): void {
    this.#credit = Math.min(this.#credit + this.share * bytes, CREDIT_BYTES);
  }

  /** Whether a datagram is to have a copy, which is then paid for. */
  takes(kind: CopyKind, bytes: Bytes): boolean {
    if (this.all) return true;
    const kept = kind === "resent" ? 0 : RESERVE_BYTES;
    if (kind === "other" || this.#credit < bytes + kept) return false;
    this.#credit -= bytes;
    return true;
  }
}
