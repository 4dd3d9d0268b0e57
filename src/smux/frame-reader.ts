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
  #synBytesMax: Bytes = 0;
  #headBytes = 0;
  #needed = HEADER_BYTES;

  constructor(version: number) {
    this.version = version;
  }

  /** From now on a SYN may have a body of up to so many bytes. */
  allowSynBody(bytesMax: Bytes): void {
    this.#synBytesMax = bytesMax;
  }

  /** Body of the last SYN, a copy; undefined when it had none. */
  synBody(): Uint8Array | undefined {
    return this.length === 0 ? undefined : this.#head.slice(HEADER_BYTES, HEADER_BYTES + this.length);
  }

  /** Consumes bytes[start…end) up to the end of a header. Answers the bytes consumed; `whole` tells whether the header is complete. */
  receive(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.#headBytes < this.#needed) {
      this.#head[this.#headBytes++] = bytes[at++]!;
      if (this.#headBytes === HEADER_BYTES) this.#readHeader();
    }
    return at - start;
  }

  /** True once after a header became complete; the next `receive` then begins another. */
  takeWhole(): boolean {
    if (this.#headBytes < this.#needed) return false;
    if (this.cmd === CMD_UPD) {
      this.consumed = this.#word(HEADER_BYTES);
      this.window = this.#word(HEADER_BYTES + 4) >>> 0;
    }
    this.#headBytes = 0;
    this.#needed = HEADER_BYTES;
    return true;
  }

  #readHeader(): void {
    const head = this.#head;
    const version = head[0]!;
    this.cmd = head[1]!;
    this.length = head[2]! | (head[3]! << 8);
    this.sid = this.#word(4) >>> 0;
    if (this.version === 0 && (version === 1 || version === 2)) this.version = version;
    this.fault = headerFault(this.version, version, this.cmd, this.length, this.#synBytesMax);
    if (this.fault === undefined && (this.cmd === CMD_UPD || this.cmd === CMD_SYN)) this.#needed = HEADER_BYTES + this.length;
    if (this.#needed > head.length) {
      this.#head = new Uint8Array(this.#needed);
      this.#head.set(head);
    }
  }

  /** An int32, little endian; a view would keep memory of its own for the few bytes of a header. */
  #word(at: number): number {
    const head = this.#head;
    return head[at]! | (head[at + 1]! << 8) | (head[at + 2]! << 16) | (head[at + 3]! << 24);
  }
}
