/**
 * Byte cursors over a borrowed buffer, for control messages and container formats.
 * Hot packet paths use a DataView at fixed offsets instead.
 *
 * A Reader never throws: reading past the end yields zeros and sets `overrun`, which the caller checks once at the end.
 */

export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly end: number;
  position: number;
  /** True once anything was read past the end. */
  overrun = false;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.position;
  }

  #take(n: number): number {
    const at = this.position;
    if (n > this.end - at) {
      this.overrun = true;
      this.position = this.end;
      return -1;
    }
    this.position = at + n;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }
  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at);
  }
  u24(): number {
    const at = this.#take(3);
    return at < 0 ? 0 : (this.bytes[at]! << 16) | this.#view.getUint16(at + 1);
  }
  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at);
  }
  u32le(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }
  f64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#view.getFloat64(at);
  }
  /** A view of the next `n` bytes, borrowed from the underlying buffer; empty when there are fewer. */
  take(n: number): Uint8Array {
    const at = this.#take(n);
    return at < 0 ? this.bytes.subarray(0, 0) : this.bytes.subarray(at, at + n);
  }
  skip(n: number): void {
    this.#take(n);
  }
}

/** Growing big-endian writer for messages that are built rarely (playlists, boxes, AMF); `finish` hands over what was written. */
export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #room(n: number): number {
    const at = this.length;
    this.length = at + n;
    if (this.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }
  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
    return this;
  }
  u24(value: number): this {
    const at = this.#room(3);
    this.#view.setUint8(at, value >>> 16);
    this.#view.setUint16(at + 1, value);
    return this;
  }
  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
    return this;
  }
  u32le(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }
  u64(value: number): this {
    const at = this.#room(8);
    this.#view.setUint32(at, Math.floor(value / 4294967296));
    this.#view.setUint32(at + 4, value >>> 0);
    return this;
  }
  f64(value: number): this {
    const at = this.#room(8);
    this.#view.setFloat64(at, value);
    return this;
  }
  put(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  /** Latin-1 text: four-character codes, AMF names that are ASCII. */
  ascii(text: string): this {
    const at = this.#room(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
    return this;
  }
  /** Overwrites a u32 written before, such as a box size. */
  patch32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }
  /** What was written; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}
