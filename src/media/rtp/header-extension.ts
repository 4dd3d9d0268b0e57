/**
 * RTP header extensions in their one-byte and two-byte forms.
 *
 *   one-byte, profile 0xBEDE              two-byte, profile 0x100x (x: application bits)
 *    0                   1                 0                   1
 *    0 1 2 3 4 5 6 7 8 9 …                 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 …
 *   +-+-+-+-+-+-+-+-+----- … -+           +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-- … -+
 *   |  ID   |  L−1  | value   |           |      ID       |       L       | value |
 *   +-+-+-+-+-+-+-+-+----- … -+           +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-- … -+
 *   ID 1…14, L 1…16, 15 ends all          ID 1…255, L 0…255
 *
 *   A zero byte in place of an element is padding. What an ID means is negotiated (a=extmap); both forms may be mixed in one stream, never in
 *   one packet.
 *
 * Source: RFC 8285 sections 4.1.2, 4.2 and 4.3.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import { EXTENSION_HEADER_BYTES, extensionOffset, markExtension, type RtpPacket } from "./rtp-packet.ts";

/** Values of "defined by profile". */
export const ONE_BYTE = 0xbede;
export const TWO_BYTE = 0x1000;

const APPLICATION_BITS = 0x000f;
const ONE_BYTE_ID_MAX = 14;
const ONE_BYTE_LENGTH_MAX = 16;
const TWO_BYTE_ID_MAX = 255;
const TWO_BYTE_LENGTH_MAX = 255;

/** Goes through the elements of a packet: `open`, then `next` until it answers false; or `find`. */
export class HeaderExtensions {
  /** Extensions cut short by an element that is longer than what is left, or has length but no ID. */
  damaged = 0;
  /** The element: its ID, and its value in bytes[start…end). */
  id = 0;
  start = 0;
  end = 0;
  #at = 0;
  #limit = 0;
  #twoByte = false;

  /** A packet without extension, or with one of another form, has no elements. */
  open(packet: RtpPacket): void {
    const { extensionProfile } = packet;
    this.#twoByte = (extensionProfile & ~APPLICATION_BITS) === TWO_BYTE;
    this.#at = packet.extensionStart;
    this.#limit = this.#twoByte || extensionProfile === ONE_BYTE ? packet.extensionEnd : packet.extensionStart;
  }

  /** Goes to the next element; `bytes` is the buffer of the packet. False at the end and at damage. */
  next(bytes: Uint8Array): boolean {
    const limit = this.#limit;
    let at = this.#at;
    while (at < limit && bytes[at] === 0) at++;
    if (at >= limit) return this.#finish();
    let length: number;
    if (this.#twoByte) {
      if (limit - at < 2) return this.#damagedAt();
      this.id = bytes[at]!;
      length = bytes[at + 1]!;
      at += 2;
    } else {
      const head = bytes[at++]!;
      this.id = head >>> 4;
      length = (head & 15) + 1;
      if (this.id > ONE_BYTE_ID_MAX) return this.#finish();
      if (this.id === 0) return this.#damagedAt();
    }
    if (length > limit - at) return this.#damagedAt();
    this.start = at;
    this.end = at + length;
    this.#at = this.end;
    return true;
  }

  /** Goes to the first element with this ID, whose value is then bytes[start…end); false when the packet has none. */
  find(bytes: Uint8Array, packet: RtpPacket, id: number): boolean {
    this.open(packet);
    while (this.next(bytes)) if (this.id === id) return true;
    return false;
  }

  #finish(): false {
    this.#at = this.#limit;
    return false;
  }

  #damagedAt(): false {
    this.damaged++;
    return this.#finish();
  }
}

/** Writes the extension of a packet behind its header: begin, add, finish; then the payload. */
export class HeaderExtensionWriter {
  /** Elements that `add` refused because they do not fit the form or the buffer. */
  refused = 0;
  #view: DataView = nothing;
  #packet = 0;
  #start = 0;
  #at = 0;
  #limit = 0;
  #twoByte = false;

  /** The header of the packet at `packet` is written, with its CSRCs; the extension may reach to `limit`. */
  begin(view: DataView, packet: number, limit: number, form: typeof ONE_BYTE | typeof TWO_BYTE): void {
    this.#view = view;
    this.#packet = packet;
    this.#start = extensionOffset(view, packet);
    this.#at = this.#start + EXTENSION_HEADER_BYTES;
    // The end is rounded up to a whole word.
    this.#limit = limit - ((limit - this.#start) & 3);
    this.#twoByte = form === TWO_BYTE;
    assert(this.#limit >= this.#at, "no room for a header extension");
    view.setUint16(this.#start, form);
  }

  /**
   * Makes room for the value of an element and answers where it begins; it may be written at any time until the packet leaves, as send
   * times are. Answers −1 when the ID or length (in bytes) does not fit the form, or there is no room.
   */
  add(id: number, length: Bytes): number {
    const head = this.#twoByte ? 2 : 1;
    const idMax = this.#twoByte ? TWO_BYTE_ID_MAX : ONE_BYTE_ID_MAX;
    const lengthMin = this.#twoByte ? 0 : 1;
    const lengthMax = this.#twoByte ? TWO_BYTE_LENGTH_MAX : ONE_BYTE_LENGTH_MAX;
    if (id < 1 || id > idMax || length < lengthMin || length > lengthMax || head + length > this.#limit - this.#at) {
      this.refused++;
      return -1;
    }
    const at = this.#at;
    if (this.#twoByte) {
      this.#view.setUint8(at, id);
      this.#view.setUint8(at + 1, length);
    } else this.#view.setUint8(at, (id << 4) | (length - 1));
    this.#at = at + head + length;
    return at + head;
  }

  /** Completes the extension; answers where the payload begins. Without elements the packet stays without an extension. */
  finish(): number {
    const elements = this.#start + EXTENSION_HEADER_BYTES;
    if (this.#at === elements) return this.#start;
    while (((this.#at - elements) & 3) !== 0) this.#view.setUint8(this.#at++, 0);
    this.#view.setUint16(this.#start + 2, (this.#at - elements) >>> 2);
    markExtension(this.#view, this.#packet);
    return this.#at;
  }
}

const nothing = new DataView(new ArrayBuffer(0));
