/**
 * A change that is being prepared, in columns: a row for each forward that comes or has changed.
 *
 * What is done with many rows is done in short loops, one thing for all of them and then the next: such a loop is compiled after some hundred rounds, and lines of
 * memory of several rows are waited for together.
 */
import type { Forward } from "../forward.ts";

export class Staged {
  readonly forwards: Forward[] = [];
  /** Those that are switched off, for which there is no row. */
  readonly off: Forward[] = [];
  /** Numbers of forwards; −1: none yet. */
  readonly ids: Int32Array;
  /** Of the names of those whose number is new. */
  readonly sums: Int32Array;
  /** −1: none yet. */
  readonly policies: Int32Array;
  /** Among the listeners; −1: a range. */
  readonly places: Int32Array;
  /** Of `MARK`. */
  readonly marks: Uint8Array;
  /** Rows whose number is new. */
  added = 0;
  /** What the forwards say of themselves. */
  readonly plainPorts: Int32Array;
  readonly plainListens: Int32Array;
  readonly plainBackends: Int32Array;

  constructor(wanted: readonly Forward[]) {
    const column = (): Int32Array => new Int32Array(wanted.length);
    [this.ids, this.sums] = [column().fill(-1), column()];
    [this.policies, this.places] = [column().fill(-1), column().fill(RANGE)];
    [this.plainPorts, this.plainListens, this.plainBackends] = [column(), column(), column()];
    this.marks = new Uint8Array(wanted.length);
    this.#read(wanted);
  }

  /** So many. */
  get rows(): number {
    return this.forwards.length;
  }

  get hasRange(): boolean {
    return this.places.subarray(0, this.rows).includes(RANGE);
  }

  #read(wanted: readonly Forward[]): void {
    const { forwards, off, plainPorts, plainListens, plainBackends } = this;
    for (let i = 0, row = 0; i < wanted.length; i++) {
      const forward = wanted[i]!;
      const ports = forward.plainPorts;
      if (ports === 0 && forward.state === "off") {
        off.push(forward);
        continue;
      }
      forwards.push(forward);
      plainPorts[row] = ports;
      plainListens[row] = forward.plainListen;
      plainBackends[row++] = forward.plainBackend;
    }
  }
}

/** `isNew`: the number is. `isLed`: the place leads to the number already, which is nothing as long as that is new. */
export const MARK = { isNew: 1, isLed: 2 } as const;
/** No place among the listeners. */
export const RANGE = -1;
