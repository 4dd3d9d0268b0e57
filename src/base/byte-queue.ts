/**
 * First-in first-out queue of bytes in one circular buffer that doubles up to a limit and is let go when it runs empty.
 *
 *   bytes:  … [head ------ length ------ ) …    wraps at the end
 */
export class ByteQueue {
  readonly bytesMax: number;
  #bytes: Uint8Array = empty;
  #head = 0;
  #length = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies bytes[start…end) in; false, and nothing taken, when the limit would be passed. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    const n = end - start;
    if (n > this.bytesMax - this.#length) return false;
    if (this.#length + n > this.#bytes.length) this.#grow(this.#length + n);
    const at = (this.#head + this.#length) & (this.#bytes.length - 1);
    const first = Math.min(n, this.#bytes.length - at);
    copy(bytes, start, start + first, this.#bytes, at);
    copy(bytes, start + first, end, this.#bytes, 0);
    this.#length += n;
    return true;
  }

  /** The buffer that holds the first contiguous piece, bytes[start…end); borrowed until the next push or consume. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }
  get start(): number {
    return this.#head;
  }
  get end(): number {
    return Math.min(this.#head + this.#length, this.#bytes.length);
  }

  /** Copies the first bytes out into into[offset…limit), without consuming them; answers how many. */
  peek(into: Uint8Array, offset: number, limit: number): number {
    const n = Math.min(this.#length, limit - offset);
    const first = Math.min(n, this.#bytes.length - this.#head);
    copy(this.#bytes, this.#head, this.#head + first, into, offset);
    copy(this.#bytes, 0, n - first, into, offset + first);
    return n;
  }

  consume(n: number): void {
    this.#length -= n;
    this.#head = this.#length === 0 ? 0 : (this.#head + n) & (this.#bytes.length - 1);
    if (this.#length === 0 && this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = empty;
  }

  /** Empties it and lets go of its memory. */
  clear(): void {
    this.#length = 0;
    this.#head = 0;
    this.#bytes = empty;
  }

  #grow(needed: number): void {
    let size = Math.max(INITIAL_BYTES, this.#bytes.length);
    while (size < needed) size *= 2;
    const grown = new Uint8Array(size);
    this.peek(grown, 0, size);
    this.#bytes = grown;
    this.#head = 0;
  }
}

const INITIAL_BYTES = 4096;
/** A buffer that grew beyond this is given back when the queue runs empty. */
const KEPT_BYTES_MAX = 65_536;
const empty = new Uint8Array(0);

function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start < 32) for (let i = start; i < end; i++) into[at++] = from[i]!;
  else into.set(from.subarray(start, end), at);
}
