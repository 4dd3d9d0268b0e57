/** Datagrams inside a link: bytes in slots, one typed array a field, nothing allocated per datagram once it has grown to the flow's needs. */
import { Slots } from "../base/slots.ts";
import type { Bytes, Millis } from "../base/units.ts";

export class DatagramStore {
  readonly #slots: Slots;
  readonly length: Int32Array;
  readonly tag: Int32Array;
  /** When it entered the link. */
  readonly entered: Float64Array;
  #limit: number;
  #held = 0;

  constructor(datagramBytesMax: Bytes, datagramsMax: number) {
    this.#slots = new Slots(datagramBytesMax, datagramsMax);
    this.#limit = datagramsMax;
    this.length = new Int32Array(datagramsMax + 63);
    this.tag = new Int32Array(datagramsMax + 63);
    this.entered = new Float64Array(datagramsMax + 63);
  }

  get held(): number {
    return this.#held;
  }

  /** Copies bytes[start…end) into a slot; −1 when the store is full. */
  put(now: Millis, bytes: Uint8Array, start: number, end: number, tag: number): number {
    const slot = this.#held < this.#limit ? this.#slots.take() : -1;
    if (slot < 0) return -1;
    this.#held++;
    this.#slots.page(slot).set(bytes.subarray(start, end), this.#slots.offset(slot));
    this.length[slot] = end - start;
    this.tag[slot] = tag;
    this.entered[slot] = now;
    return slot;
  }

  /** A second slot with the same datagram; −1 when the store is full. */
  copy(slot: number): number {
    const at = this.#slots.offset(slot);
    return this.put(this.entered[slot]!, this.#slots.page(slot), at, at + this.length[slot]!, this.tag[slot]!);
  }

  /** Moves the datagram out to into[offset…) and frees its slot; answers its length. */
  take(slot: number, into: Uint8Array, offset: number): Bytes {
    const at = this.#slots.offset(slot);
    const length = this.length[slot]!;
    into.set(this.#slots.page(slot).subarray(at, at + length), offset);
    this.free(slot);
    return length;
  }

  free(slot: number): void {
    this.#slots.give(slot);
    this.#held--;
  }
}
