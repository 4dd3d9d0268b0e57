/** The FEC groups of what is in flight: when they ended, and how much parity replaces what is lost of them. */
import type { Millis } from "../base/units.ts";

/** Groups whose end is remembered. */
const GROUPS = 256;

export class FlightGroups {
  /** Number of the open group. */
  open = 1;
  /** Parity packets planned for it; 0: it has none. */
  rows = 0;
  readonly #endedAt = new Float64Array(GROUPS);
  readonly #rows = new Uint8Array(GROUPS);

  /** The open group has ended, and `rows` parity packets have left. */
  end(now: Millis, rows: number): void {
    this.#endedAt[this.open % GROUPS] = now;
    this.#rows[this.open % GROUPS] = rows;
    this.open++;
  }

  /** When the group's parity had left; `latest` of the open one, `forgotten` of one of long ago. */
  endedAt(group: number, latest: Millis, forgotten: Millis): Millis {
    if (group === this.open) return latest;
    return this.open - group < GROUPS ? this.#endedAt[group % GROUPS]! : forgotten;
  }

  /** Parity packets of the group. */
  rowsOf(group: number): number {
    if (group === this.open) return this.rows;
    return this.open - group < GROUPS ? this.#rows[group % GROUPS]! : 0;
  }
}
