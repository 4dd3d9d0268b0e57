/**
 * Pieces of one buffer, to be filled or emptied in turn by one call (`readv`, `writev` of host/loop.ts).
 *
 *   piece i is bytes[start[i] … end[i])
 *
 * Made once and reused; `bytes` is borrowed from whoever laid the pieces, until `clear`.
 */
import { assert } from "./assert.ts";
import type { Bytes } from "./units.ts";

const nothing = new Uint8Array(0);

export class Pieces {
  readonly capacity: number;
  bytes: Uint8Array = nothing;
  readonly start: Int32Array;
  readonly end: Int32Array;
  length = 0;
  /** Of all pieces together. */
  total: Bytes = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.start = new Int32Array(capacity);
    this.end = new Int32Array(capacity);
  }

  get full(): boolean {
    return this.length === this.capacity;
  }

  /** Adds bytes[start…end), not empty; there must be room. One that goes on where the last one ended makes it longer. */
  add(start: number, end: number): void {
    const last = this.length - 1;
    this.total += end - start;
    if (last >= 0 && this.end[last] === start) {
      this.end[last] = end;
      return;
    }
    assert(this.length < this.capacity, "more pieces than there is room for");
    this.start[this.length] = start;
    this.end[this.length] = end;
    this.length++;
  }

  /** Takes the first `n` bytes away. */
  consume(n: Bytes): void {
    let i = 0;
    let left = n;
    for (; i < this.length; i++) {
      const piece = this.end[i]! - this.start[i]!;
      if (piece > left) break;
      left -= piece;
    }
    this.start.copyWithin(0, i, this.length);
    this.end.copyWithin(0, i, this.length);
    this.length -= i;
    this.total -= n;
    if (this.length > 0) this.start[0] = this.start[0]! + left;
  }

  /** Lets go of the buffer. */
  clear(): void {
    this.length = 0;
    this.total = 0;
    this.bytes = nothing;
  }
}
