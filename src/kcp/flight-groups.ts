/** The FEC groups of what is in flight: when they ended, and how much parity replaces what is lost of them. */
import type { Millis } from "../base/units.ts";

/** Groups whose end is remembered, once there have been more than a few. */
const GROUPS = 256;
const GROUPS_AT_FIRST = 16;

export class FlightGroups {
  /** Number of the open group. */
  open = 1;
  /** Parity packets planned for it; 0: it has none. */
  rows = 0;
  #endedAt = new Float64Array(GROUPS_AT_FIRST);
  #rows = new Uint8Array(GROUPS_AT_FIRST);

  /** The open group has ended, and `rows` parity packets have left. */
  end(now: Millis, rows: number): void {
    if (this.open === GROUPS_AT_FIRST) this.#grow();
    this.#endedAt[this.open % this.#rows.length] = now;
    this.#rows[this.open % this.#rows.length] = rows;
    this.open++;
  }

  /** When the group's parity had left; `latest` of the open one, `forgotten` of one of long ago. */
  endedAt(group: number, latest: Millis, forgotten: Millis): Millis {
    if (group === this.open) return latest;
    const { length } = this.#endedAt;
    return this.open - group < length ? this.#endedAt[group % length]! : forgotten;
  }

  /** Parity packets of the group. */
  rowsOf(group: number): number {
    if (group === this.open) return this.rows;
    const { length } = this.#rows;
    return this.open - group < length ? this.#rows[group % length]! : 0;
  }

  /** None has been forgotten yet: each is where it was. */
  #grow(): void {
    const [endedAt, rows] = [this.#endedAt, this.#rows];
    this.#endedAt = new Float64Array(GROUPS);
    this.#endedAt.set(endedAt);
    this.#rows = new Uint8Array(GROUPS);
    this.#rows.set(rows);
  }
}
