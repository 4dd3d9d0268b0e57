/**
 * Extension datagrams that wait to be sent: a ring of equal slots that grows to its limit. When it is full the oldest gives way, because a
 * late datagram of a call or a game is worth less than a fresh one.
 */
import type { Bytes } from "../base/units.ts";

const SLOTS_AT_FIRST = 8;

const nothing = new Uint8Array(0);
const nothingView = new DataView(nothing.buffer);
const noLengths = new Int32Array(0);

export class Outbox {
  readonly datagramsMax: number;
  readonly slotBytes: Bytes;
  /** Limit hit: datagrams that gave way. */
  dropped = 0;
  bytes: Uint8Array = nothing;
  view: DataView = nothingView;
  #lengths = noLengths;
  #head = 0;
  #length = 0;

  /** At most `datagramsMax` of at most `slotBytes`. */
  constructor(slotBytes: Bytes, datagramsMax: number) {
    this.slotBytes = slotBytes;
    this.datagramsMax = datagramsMax;
  }

  get length(): number {
    return this.#length;
  }

  /** Where in `bytes`, which may have been replaced, the caller writes the next datagram, of `length` bytes. */
  claim(length: Bytes): number {
    if (this.#length === this.datagramsMax) {
      this.dropped++;
      this.#drop();
    } else if (this.#length === this.#lengths.length) this.#grow();
    const slot = (this.#head + this.#length++) % this.#lengths.length;
    this.#lengths[slot] = length;
    return slot * this.slotBytes;
  }

  /** Moves the first datagram to into[at…); answers its length, 0 when there is none. */
  shift(into: Uint8Array, at: number): Bytes {
    if (this.#length === 0) return 0;
    const from = this.#head * this.slotBytes;
    const length = this.#lengths[this.#head]!;
    const { bytes } = this;
    // A view would be allocated for each datagram, and `set` wants one.
    for (let i = 0; i < length; i++) into[at + i] = bytes[from + i]!;
    this.#drop();
    return length;
  }

  clear(): void {
    this.#head = 0;
    this.#length = 0;
  }

  /** Lets go of room that was made for a burst, once all of it has left. */
  rest(): void {
    if (this.#length > 0 || this.#lengths.length === 0) return;
    this.bytes = nothing;
    this.view = nothingView;
    this.#lengths = noLengths;
    this.#head = 0;
  }

  #drop(): void {
    this.#head = (this.#head + 1) % this.#lengths.length;
    this.#length--;
  }

  #grow(): void {
    const slots = Math.min(Math.max(SLOTS_AT_FIRST, this.#lengths.length * 2), this.datagramsMax);
    const bytes = new Uint8Array(slots * this.slotBytes);
    const lengths = new Int32Array(slots);
    const known = this.#lengths.length;
    for (let i = 0; i < this.#length; i++) {
      const slot = (this.#head + i) % known;
      bytes.set(this.bytes.subarray(slot * this.slotBytes, slot * this.slotBytes + this.#lengths[slot]!), i * this.slotBytes);
      lengths[i] = this.#lengths[slot]!;
    }
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.#lengths = lengths;
    this.#head = 0;
  }
}
