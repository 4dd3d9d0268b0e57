/** The FEC groups of what is in flight: when they ended, and how much parity replaces what is lost of them. */
import type { Millis } from "../base/units.ts";
import type { FlightTable } from "./flight-table.ts";

/** Groups whose end is remembered: so many at most, and those of a session that has sent little. */
const GROUPS_MAX = 256;
const GROUPS_AT_FIRST = 8;
const NONE = -1;

export class FlightGroups {
  /** Number of the open group. */
  open = 1;
  /** Parity packets planned for it; 0: it has none. */
  rows = 0;
  /** Those before are forgotten. */
  #first = 1;
  #endedAt = new Float64Array(GROUPS_AT_FIRST);
  #rows = new Uint8Array(GROUPS_AT_FIRST);
  /** The last group of which more was missing than its parity could replace. */
  #beyond = 0;

  /** The open group has ended, and `rows` parity packets have left. */
  end(now: Millis, rows: number): void {
    const { length } = this.#rows;
    if (this.open - this.#first >= length) {
      if (length < GROUPS_MAX) this.#moveTo(2 * length);
      else this.#first++;
    }
    this.#endedAt[this.open % this.#rows.length] = now;
    this.#rows[this.open % this.#rows.length] = rows;
    this.open++;
  }

  /** When the group's parity had left; `latest` of the open one, `forgotten` of one of long ago. */
  endedAt(group: number, latest: Millis, forgotten: Millis): Millis {
    if (group === this.open) return latest;
    return group >= this.#first ? this.#endedAt[group % this.#rows.length]! : forgotten;
  }

  /** Parity packets of the group. */
  rowsOf(group: number): number {
    if (group === this.open) return this.rows;
    return group >= this.#first ? this.#rows[group % this.#rows.length]! : 0;
  }

  /** Parity may still replace what is missing of the group of `f`, from `f` on; what was sent after `until` is not missing yet. */
  repairable(table: FlightTable, f: number, until: Millis): boolean {
    const group = table.group[f]!;
    if (group === this.#beyond) return false;
    const rows = this.rowsOf(group);
    let missing = 0;
    for (let g = f; g !== NONE; g = table.flying.next(g)) {
      if (table.group[g] !== group || table.sentAt[g]! > until) return true;
      if (++missing > rows) break;
    }
    if (missing > rows) this.#beyond = group;
    return missing <= rows;
  }

  /** Nothing is in flight: all that have ended are forgotten. */
  rest(): void {
    this.#first = this.open;
    if (this.#rows.length > GROUPS_AT_FIRST) this.#moveTo(GROUPS_AT_FIRST);
  }

  #moveTo(length: number): void {
    const [endedAt, rows] = [this.#endedAt, this.#rows];
    this.#endedAt = new Float64Array(length);
    this.#rows = new Uint8Array(length);
    for (let group = this.#first; group < this.open; group++) {
      this.#endedAt[group % length] = endedAt[group % rows.length]!;
      this.#rows[group % length] = rows[group % rows.length]!;
    }
  }
}
