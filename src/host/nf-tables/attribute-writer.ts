/** Netlink messages in a buffer that grows: attributes one after another, nested ones closed when all that is in them is written. */
import { NLM_F_ACK, NLM_F_REQUEST } from "../netlink.ts";

/** nlmsghdr and nfgenmsg. */
const HEADER_BYTES = 20;
const NESTED = 0x8000;
const encoder = new TextEncoder();

export class AttributeWriter {
  #bytes = new Uint8Array(new ArrayBuffer(4096));
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #message = 0;

  /** What was written so far; borrowed until more is written. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Bytes of the message that is open. */
  get messageBytes(): number {
    return this.#length - this.#message;
  }

  /** `family` and `resource` as nfgenmsg has them. */
  begin(type: number, flags: number, sequence: number, family: number, resource = 0): void {
    this.#message = this.#length;
    const at = this.#take(HEADER_BYTES);
    const view = this.#view;
    view.setUint16(at + 4, type, true);
    view.setUint16(at + 6, flags | NLM_F_REQUEST, true);
    view.setUint32(at + 8, sequence, true);
    view.setUint8(at + 16, family);
    view.setUint16(at + 18, resource);
  }

  end(): void {
    this.#view.setUint32(this.#message, this.#length - this.#message, true);
  }

  /** Asks that the message that was ended last is acknowledged. */
  acknowledge(): void {
    this.#view.setUint16(this.#message + 6, this.#view.getUint16(this.#message + 6, true) | NLM_F_ACK, true);
  }

  /** Opens a nested attribute; answers what `close` wants. */
  open(type: number): number {
    const at = this.#take(4);
    this.#view.setUint16(at + 2, type | NESTED, true);
    return at;
  }

  /** Less than 64 KiB have been written since. */
  close(opened: number): void {
    this.#view.setUint16(opened, this.#length - opened, true);
  }

  u8(type: number, value: number): void {
    const at = this.#attribute(type, 1);
    this.#view.setUint8(at, value);
  }

  u16(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#view.setUint16(at, value);
  }

  u32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#view.setUint32(at, value);
  }

  u64(type: number, value: number): void {
    const at = this.#attribute(type, 8);
    this.#view.setBigUint64(at, BigInt(value));
  }

  /** With a zero behind it. */
  text(type: number, value: string): void {
    const at = this.#attribute(type, value.length + 1);
    encoder.encodeInto(value, this.#bytes.subarray(at));
  }

  data(type: number, value: Uint8Array): void {
    const at = this.#attribute(type, value.length);
    this.#bytes.set(value, at);
  }

  /** Where the value begins. */
  #attribute(type: number, length: number): number {
    const at = this.#take((length + 7) & ~3);
    this.#view.setUint16(at, length + 4, true);
    this.#view.setUint16(at + 2, type, true);
    return at + 4;
  }

  /** Zeros. */
  #take(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(new ArrayBuffer(Math.max(2 * this.#bytes.length, this.#length)));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
