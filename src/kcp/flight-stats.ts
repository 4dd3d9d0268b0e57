/** What became of the segments that a rate controller let go. */
import type { Bytes } from "../base/units.ts";

export class FlightStats {
  /** Resends of segments whose earlier copy arrived after all. */
  needless = 0;
  /** Segments that arrived after later ones without being resent: rebuilt from parity, or reordered. */
  late = 0;
  /** Transmissions, those of them that did not arrive as far as known, and in how many runs. */
  transmissions = 0;
  gone = 0;
  runs = 0;
  lostByOrder = 0;
  lostByTime = 0;
  /** Bytes sent for the first time, and bytes given up as lost. */
  firstBytes: Bytes = 0;
  lostBytes: Bytes = 0;
  /** Number of the transmission that was lost last. */
  #lastGone = 0;
  /** The peer tells what it has rebuilt: what came late, or was given up meanwhile, counts by that. */
  #told = false;
  #lateTold = 0;

  /** A transmission, by its number, was lost, as far as known; true when it begins a run. */
  lose(serial: number): boolean {
    this.gone++;
    return this.#begins(serial);
  }

  /** The same of one whose segment came late nevertheless. */
  loseLate(serial: number): void {
    this.late++;
    if (!this.#told) this.gone++;
    this.#begins(serial);
  }

  /** What was taken for lost was not, or (`replaced`) parity has rebuilt it; it had begun a run or not. */
  keep(began: boolean, replaced: boolean): void {
    if (replaced && !this.#told) return;
    this.gone--;
    if (began) this.runs--;
  }

  /** The peer has rebuilt `n` more. Nobody saw how those lay that did not come late: as the others did. */
  rebuilt(n: number): void {
    if (n === 0) return;
    if (!this.#told) this.gone -= this.late;
    this.#told = true;
    const unseen = Math.max(0, n - (this.late - this.#lateTold));
    this.runs += this.gone > 0 ? (unseen * this.runs) / this.gone : unseen;
    this.gone += n;
    this.#lateTold = this.late;
  }

  #begins(serial: number): boolean {
    const begins = serial !== this.#lastGone + 1;
    if (begins) this.runs++;
    this.#lastGone = serial;
    return begins;
  }
}
