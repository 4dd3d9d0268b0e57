/** Gathers frame headers, each with the body of an UPD or a SYN, from a byte stream that is cut anywhere. PSH data stays where it is. */
import type { Bytes } from "../base/units.ts";
import { CMD_SYN, CMD_UPD, HEADER_BYTES, headerFault, UPD_BODY_BYTES } from "./frame.ts";

export class FrameReader {
  /** Version that every frame must have; 0 = that of the first frame. */
  version: number;
  /** The last header that became whole. */
  cmd = 0;
  length = 0;
  sid = 0;
  /** Body of the last UPD, modulo 2^32 as int32. */
  consumed = 0;
  window = 0;
  /** Set when a header is not valid; nothing can be read behind it. */
  fault: string | undefined;
  #head = new Uint8Array(HEADER_BYTES + UPD_BODY_BYTES);
  #view = new DataView(this.#head.buffer);
  #synBytesMax: Bytes = 0;
  #headBytes = 0;
  #needed = HEADER_BYTES;

  constructor(version: number) {
    this.version = version;
  }

  /** From now on a SYN may have a body of up to so many bytes. */
  allowSynBody(bytesMax: Bytes): void {
    const head = new Uint8Array(HEADER_BYTES + Math.max(bytesMax, UPD_BODY_BYTES));
    head.set(this.#head.subarray(0, this.#headBytes));
    this.#head = head;
    this.#view = new DataView(head.buffer);
    this.#synBytesMax = bytesMax;
  }

  /** Body of the last SYN, a copy; undefined when it had none. */
  synBody(): Uint8Array | undefined {
    return this.length === 0 ? undefined : this.#head.slice(HEADER_BYTES, HEADER_BYTES + this.length);
  }

  /** Consumes bytes[start…end) up to the end of a header. Answers the bytes consumed; `whole` tells whether the header is complete. */
  receive(bytes: Uint8Array, start: number, end: number): number {
    const head = this.#head;
    let at = start;
    while (at < end && this.#headBytes < this.#needed) {
      head[this.#headBytes++] = bytes[at++]!;
      if (this.#headBytes === HEADER_BYTES) this.#readHeader();
    }
    return at - start;
  }

  /** True once after a header became complete; the next `receive` then begins another. */
  takeWhole(): boolean {
    if (this.#headBytes < this.#needed) return false;
    if (this.cmd === CMD_UPD) {
      this.consumed = this.#view.getInt32(HEADER_BYTES, true);
      this.window = this.#view.getUint32(HEADER_BYTES + 4, true);
    }
    this.#headBytes = 0;
    this.#needed = HEADER_BYTES;
    return true;
  }

  #readHeader(): void {
    const view = this.#view;
    const version = view.getUint8(0);
    this.cmd = view.getUint8(1);
    this.length = view.getUint16(2, true);
    this.sid = view.getUint32(4, true);
    if (this.version === 0 && (version === 1 || version === 2)) this.version = version;
    this.fault = headerFault(this.version, version, this.cmd, this.length, this.#synBytesMax);
    if (this.fault === undefined && (this.cmd === CMD_UPD || this.cmd === CMD_SYN)) this.#needed = HEADER_BYTES + this.length;
  }
}
