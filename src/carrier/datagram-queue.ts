/**
 * Datagrams that wait for a stream to take them, in order: bounded in bytes and in time. What is too much or has waited too long is dropped, oldest first: a
 * datagram that comes late is worth less than the one behind it.
 *
 *   entry = length u16 · when it came, ms u32 · datagram
 */
import { ByteQueue } from "../base/byte-queue.ts";
import type { Bytes, Millis } from "../base/units.ts";

/** Of a datagram in a record: its length. */
export const LENGTH_BYTES = 2;

export class DatagramQueue {
  /** Dropped because the queue was full, and because they had waited for `waitMs`. */
  droppedFull = 0;
  droppedLate = 0;
  readonly #queue: ByteQueue;
  readonly #waitMs: Millis;
  readonly #entry = new Uint8Array(ENTRY_BYTES);
  readonly #view = new DataView(this.#entry.buffer);

  constructor(bytesMax: Bytes, waitMs: Millis) {
    this.#queue = new ByteQueue(bytesMax);
    this.#waitMs = waitMs;
  }

  get bytes(): Bytes {
    return this.#queue.length;
  }

  /** Copies the datagram bytes[start…end), at most 65,535 bytes, in; the oldest give way. */
  push(now: Millis, bytes: Uint8Array, start: number, end: number): void {
    const queue = this.#queue;
    const needed = ENTRY_BYTES + end - start;
    if (needed > queue.bytesMax) {
      this.droppedFull++;
      return;
    }
    while (queue.length + needed > queue.bytesMax) {
      queue.consume(ENTRY_BYTES + this.#first());
      this.droppedFull++;
    }
    this.#view.setUint16(0, end - start);
    this.#view.setUint32(2, Math.floor(now) >>> 0);
    queue.push(this.#entry, 0, ENTRY_BYTES);
    queue.push(bytes, start, end);
  }

  /** Moves datagrams, each behind its length, to into[at…limit), as many as fit; answers the end. */
  take(now: Millis, into: Uint8Array, at: number, limit: number): number {
    const queue = this.#queue;
    let end = at;
    while (queue.length > 0) {
      const length = this.#first();
      if (((Math.floor(now) >>> 0) - this.#view.getUint32(2)) >>> 0 >= this.#waitMs) {
        queue.consume(ENTRY_BYTES + length);
        this.droppedLate++;
        continue;
      }
      if (end + LENGTH_BYTES + length > limit) break;
      into[end] = length >>> 8;
      into[end + 1] = length;
      queue.consume(ENTRY_BYTES);
      queue.peek(into, end + LENGTH_BYTES, end + LENGTH_BYTES + length);
      queue.consume(length);
      end += LENGTH_BYTES + length;
    }
    return end;
  }

  clear(): void {
    this.#queue.clear();
  }

  /** Length of the oldest datagram; its entry is looked at. */
  #first(): number {
    this.#queue.peek(this.#entry, 0, ENTRY_BYTES);
    return this.#view.getUint16(0);
  }
}

const ENTRY_BYTES = 6;
