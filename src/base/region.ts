/**
 * A region of a buffer that several share: bytes[at … at + length). Who works in regions passes the shared array and absolute places, so that
 * one comparison of arrays tells whether two lie in the same buffer.
 */
import type { Bytes } from "./units.ts";

export class Region {
  readonly bytes: Uint8Array;
  /** Over the same bytes. */
  readonly view: DataView;
  readonly at: number;
  readonly length: Bytes;

  constructor(bytes: Uint8Array, view: DataView, at: number, length: Bytes) {
    this.bytes = bytes;
    this.view = view;
    this.at = at;
    this.length = length;
  }

  /** The whole of an array. */
  static of(bytes: Uint8Array): Region {
    return new Region(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  }

  get end(): number {
    return this.at + this.length;
  }
}
