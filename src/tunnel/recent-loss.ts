/** Which share of what was sent is lost, from one question to the next. */
import type { FlightStats } from "../kcp/flight-stats.ts";

/** Transmissions that are looked at, at least. */
const TRANSMISSIONS_MIN = 100;

export class RecentLoss {
  #transmissions = 0;
  #gone = 0;
  #loss = 0;

  /** Since it was asked last, or before that where too few were sent since. */
  of({ transmissions, gone }: FlightStats): number {
    const sent = transmissions - this.#transmissions;
    if (sent < TRANSMISSIONS_MIN) return this.#loss;
    this.#loss = (gone - this.#gone) / sent;
    this.#transmissions = transmissions;
    this.#gone = gone;
    return this.#loss;
  }
}
