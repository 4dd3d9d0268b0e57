/**
 * A batch of datagrams in one slab: the unit that travels from the socket up to the cores and back.
 *
 *   datagram i is bytes[start[i] … end[i]). A sender lays it into slot i, bytes[i * SLOT_BYTES …), leaving headroom before `start`
 *   for headers that outer layers write in place; a receiver with UDP_GRO lays many datagrams back to back, wherever they fell.
 *
 * Owned by whoever made it and reused for ever; everything read from it is borrowed until the next receive into it.
 */
import { Region } from "./region.ts";

export const SLOT_BYTES = 2048;

export class Batch {
  readonly capacity: number;
  /** Where the slab lies; places of datagrams are places in its buffer. */
  readonly slab: Region;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** First byte of datagram i in `bytes`. */
  readonly start: Int32Array;
  /** One past the last byte of datagram i in `bytes`. */
  readonly end: Int32Array;
  /** Peer of datagram i: an id of the socket's AddressTable (host/address.ts). */
  readonly peer: Int32Array;
  /** Datagrams in the batch, 0…capacity. */
  length = 0;

  /** By default the slab has one slot a datagram. */
  constructor(capacity: number, slab: Region | Uint8Array = new Uint8Array(capacity * SLOT_BYTES)) {
    this.capacity = capacity;
    this.slab = slab instanceof Region ? slab : Region.of(slab);
    this.bytes = this.slab.bytes;
    this.view = this.slab.view;
    this.start = new Int32Array(capacity);
    this.end = new Int32Array(capacity);
    this.peer = new Int32Array(capacity);
  }

  get full(): boolean {
    return this.length >= this.capacity;
  }

  /** The next datagram, bytes[start…end), which lies there already; the batch is not full. `peer` where it has one. */
  add(start: number, end: number, peer = 0): void {
    const i = this.length++;
    this.start[i] = start;
    this.end[i] = end;
    this.peer[i] = peer;
  }

  /** Copies what lies elsewhere in the buffer into the slots of datagrams from…length−1: nothing is borrowed any more. Each is shorter than a slot. */
  own(from: number): void {
    const { slab, bytes, start, end } = this;
    for (let i = from; i < this.length; i++) {
      if (start[i]! >= slab.at && end[i]! <= slab.end) continue;
      const at = this.slot(i);
      bytes.copyWithin(at, start[i]!, end[i]!);
      end[i] = at + end[i]! - start[i]!;
      start[i] = at;
    }
  }

  /** First byte of slot i. */
  slot(i: number): number {
    return this.slab.at + i * SLOT_BYTES;
  }
}
