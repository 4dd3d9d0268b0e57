/**
 * What users have and have used, in memory that all threads of a server share, so that their limits hold over all of them.
 *
 *   cell(user, thread):  sessions │ streams │ bytes received │ bytes sent │ demand up │ demand down        Float64 each
 *   the last "thread" of a row is the past: bytes of both directions from before the server began (option state)
 *
 * Each thread writes its own cells and reads all: nothing is locked. What another thread has just granted may be seen a moment late, so that of a limit
 * on sessions or connections each thread may exceed at most one.
 */
import type { Bytes } from "../base/units.ts";

export const SESSIONS = 0;
export const STREAMS = 1;
export const RECEIVED = 2;
export const SENT = 3;
export const DEMAND_UP = 4;
export const DEMAND_DOWN = 5;
type Field = typeof SESSIONS | typeof STREAMS | typeof RECEIVED | typeof SENT | typeof DEMAND_UP | typeof DEMAND_DOWN;

/** A line of the processor's cache, so that threads do not slow each other down. */
const CELL_FIELDS = 8;

export class UserLedger {
  readonly threads: number;
  readonly thread: number;
  #cells: Float64Array;

  /** `memory` of `bytesFor` bytes when it is shared; otherwise it grows with the users. */
  constructor(threads = 1, thread = 0, memory: ArrayBufferLike = new ArrayBuffer(0)) {
    this.threads = threads;
    this.thread = thread;
    this.#cells = new Float64Array(memory);
  }

  static bytesFor(users: number, threads: number): Bytes {
    return users * (threads + 1) * CELL_FIELDS * Float64Array.BYTES_PER_ELEMENT;
  }

  /** Makes sure that there is a row of this number. */
  reach(row: number): void {
    if (UserLedger.bytesFor(row + 1, this.threads) <= this.#cells.byteLength) return;
    const more = new Float64Array(2 * (row + 1) * (this.threads + 1) * CELL_FIELDS);
    more.set(this.#cells);
    this.#cells = more;
  }

  /** Of this thread. */
  write(row: number, field: Field, value: number): void {
    this.#cells[this.#at(row, this.thread, field)] = value;
  }

  /** Of all threads but this one, and of the past. */
  elsewhere(row: number, field: Field): number {
    return this.total(row, field) - this.#cells[this.#at(row, this.thread, field)]!;
  }

  /** Of all threads and of the past. */
  total(row: number, field: Field): number {
    let sum = 0;
    for (let thread = 0; thread <= this.threads; thread++) sum += this.#cells[this.#at(row, thread, field)]!;
    return sum;
  }

  /** Before the server began. */
  writePast(row: number, received: Bytes, sent: Bytes): void {
    this.#cells[this.#at(row, this.threads, RECEIVED)] = received;
    this.#cells[this.#at(row, this.threads, SENT)] = sent;
  }

  /**
   * What this thread may use of a rate for all of them: who wants less than an equal share has what it wants and somewhat more, the rest is divided among
   * the others. A demand is bytes a second, Infinity of a thread that had to wait.
   */
  shareOf(row: number, field: typeof DEMAND_UP | typeof DEMAND_DOWN, rate: number): number {
    let left = rate;
    let sharers = 1;
    for (let thread = 0; thread < this.threads; thread++) {
      if (thread !== this.thread && this.#cells[this.#at(row, thread, field)]! > 0) sharers++;
    }
    for (let thread = 0; thread < this.threads && sharers > 1; thread++) {
      const demand = this.#cells[this.#at(row, thread, field)]!;
      const wanted = demand * 1.25 + rate / 64;
      if (thread === this.thread || demand === 0 || wanted >= left / sharers) continue;
      left -= wanted;
      sharers--;
    }
    return left / sharers;
  }

  #at(row: number, thread: number, field: number): number {
    return (row * (this.threads + 1) + thread) * CELL_FIELDS + field;
  }
}
