/**
 * Records of one direction of a TCP carrier's connection (tcp-hello.ts): in one buffer each way, sealed and opened where they lie.
 *
 *   ┌ nonce 10 ┬ nonce 2, then length u16 ┬ datagrams ┬ tag 16 ┐       on the wire from the length on
 */

import type { Millis } from "../base/units.ts";
import type { Gcm } from "../cipher/primitives.ts";
import type { DatagramQueue } from "./datagram-queue.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 2;
/** Room for the nonce before the first record, at an even place. */
const HEAD = 16;
/** Of datagrams in a record: one write, and a bound of what is decrypted before it is known to be genuine. */
export const RECORD_BYTES_MAX = 16_384;

/** Writes the number of a record as its nonce; numbers stay far below 2^53. */
function writeNonce(view: DataView, at: number, count: number): void {
  view.setUint32(at, 0);
  view.setUint32(at + 4, Math.floor(count / 2 ** 32));
  view.setUint32(at + 8, count >>> 0);
}

export class RecordWriter {
  /** What waits to be written: bytes[start…end). */
  readonly bytes = new Uint8Array(new ArrayBuffer(HEAD + RECORD_BYTES_MAX + TAG_BYTES));
  start = 0;
  end = 0;
  readonly #view = new DataView(this.bytes.buffer);
  #count = 0;
  readonly #gcm: Gcm;

  constructor(gcm: Gcm) {
    this.#gcm = gcm;
  }

  /** Makes the next record of what waits in the queue; an empty one says that we are there. Only when nothing waits to be written. */
  make(now: Millis, queue: DatagramQueue, bytesMax: number): void {
    const { bytes } = this;
    const end = queue.take(now, bytes, HEAD, HEAD + Math.min(bytesMax, RECORD_BYTES_MAX));
    writeNonce(this.#view, HEAD - NONCE_BYTES, this.#count++);
    this.#gcm.seal(bytes, HEAD - NONCE_BYTES, end);
    this.start = HEAD - LENGTH_BYTES;
    this.end = end + TAG_BYTES;
    const length = this.end - HEAD;
    bytes[this.start] = length >>> 8;
    bytes[this.start + 1] = length;
  }
}

export class RecordReader {
  /** What came: read into bytes[end…). */
  readonly bytes = new Uint8Array(new ArrayBuffer(HEAD + 2 * (LENGTH_BYTES + RECORD_BYTES_MAX + TAG_BYTES)));
  end = HEAD;
  readonly #view = new DataView(this.bytes.buffer);
  /** The record that `next` found: bytes[textStart…textEnd), until the next `room`. */
  textStart = 0;
  textEnd = 0;
  #at = HEAD;
  #count = 0;
  readonly #gcm: Gcm;

  constructor(gcm: Gcm) {
    this.#gcm = gcm;
  }

  /** Makes room for more behind what came; what was found is gone. */
  room(): void {
    this.bytes.copyWithin(HEAD, this.#at, this.end);
    this.end -= this.#at - HEAD;
    this.#at = HEAD;
  }

  /** 1: a record was found. 0: it has not come yet. −1: it is forged, and so is all behind it. */
  next(): 1 | 0 | -1 {
    const { bytes } = this;
    const have = this.end - this.#at;
    if (have < LENGTH_BYTES) return 0;
    const length = (bytes[this.#at]! << 8) | bytes[this.#at + 1]!;
    if (length < TAG_BYTES || length > RECORD_BYTES_MAX + TAG_BYTES) return -1;
    if (have < LENGTH_BYTES + length) return 0;
    const text = this.#at + LENGTH_BYTES;
    writeNonce(this.#view, text - NONCE_BYTES, this.#count++);
    if (!this.#gcm.open(bytes, text - NONCE_BYTES, text + length)) return -1;
    this.textStart = text;
    this.textEnd = text + length - TAG_BYTES;
    this.#at = text + length;
    return 1;
  }
}
