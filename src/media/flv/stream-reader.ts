/**
 * Tags of an FLV stream that comes in pieces, such as another program's output: the file's header, then tags as in tag.ts. What is not whole yet is kept
 * until the rest is there; the length of a tag is bounded.
 */
import type { Bytes, Millis } from "../../base/units.ts";

export type OnTag = (type: number, timestamp: Millis, payload: Uint8Array) => void;

export class FlvStreamReader {
  readonly #tag: OnTag;
  readonly #tagBytesMax: Bytes;
  #kept: Uint8Array = new Uint8Array(0);
  #begun = false;
  /** It is no FLV, or a tag was too long: nothing is read any more. */
  damaged = false;

  /** `tag` is given payloads of its own. */
  constructor(tag: OnTag, tagBytesMax: Bytes = 8 * 2 ** 20) {
    this.#tag = tag;
    this.#tagBytesMax = tagBytesMax;
  }

  /** Borrows the bytes. */
  receive(bytes: Uint8Array): void {
    if (this.damaged) return;
    const all = this.#join(bytes);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    let at = 0;
    if (!this.#begun && all.length >= HEADER_BYTES) {
      this.damaged = view.getUint32(0) >>> 8 !== SIGNATURE;
      at = view.getUint32(5) + LENGTH_BEHIND;
      this.#begun = true;
    }
    while (this.#begun && !this.damaged && all.length - at >= TAG_HEADER_BYTES) {
      const length = view.getUint32(at) & 0xffffff;
      if (length > this.#tagBytesMax) this.damaged = true;
      const end = at + TAG_HEADER_BYTES + length;
      if (this.damaged || end + LENGTH_BEHIND > all.length) break;
      const timestamp = (view.getUint32(at + 4) >>> 8) + all[at + 7]! * 0x100_0000;
      this.#tag(all[at]! & 0x1f, timestamp, all.slice(at + TAG_HEADER_BYTES, end));
      at = end + LENGTH_BEHIND;
    }
    this.#kept = all.slice(Math.min(at, all.length));
  }

  #join(bytes: Uint8Array): Uint8Array {
    if (this.#kept.length === 0) return bytes;
    const all = new Uint8Array(this.#kept.length + bytes.length);
    all.set(this.#kept);
    all.set(bytes, this.#kept.length);
    return all;
  }
}

const SIGNATURE = 0x464c56;
const HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
/** Of the tag before, behind every tag and behind the header. */
const LENGTH_BEHIND = 4;
