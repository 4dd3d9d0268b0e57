/**
 * Source description (SDES): names of sources. A compound packet carries at least the CNAME of its sender.
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P|    SC   |   PT = 202    |             length            |
 *   +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+  chunk × SC
 *   |                              SSRC                             |
 *   |      type     |    length     |       text (UTF-8)          …     item, several
 *   |       0 (END), and zeros to the next multiple of 4            |
 *   +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 *
 * Source: RFC 3550 section 6.5; RtpStreamId RFC 8852, MID RFC 9143. The prefix inside PRIV is left to whoever wants it.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { COUNT_MAX, putRtcpHeader, RTCP_HEADER_BYTES, SDES } from "./rtcp-header.ts";

/** Item types. */
export const CNAME = 1;
export const NAME = 2;
export const EMAIL = 3;
export const PHONE = 4;
export const LOC = 5;
export const TOOL = 6;
export const NOTE = 7;
export const PRIV = 8;
export const RTP_STREAM_ID = 12;
export const REPAIRED_RTP_STREAM_ID = 13;
export const MID = 15;

const END = 0;
const TEXT_BYTES_MAX: Bytes = 255;
const SSRC_BYTES: Bytes = 4;

/** `read` checks the packet whole, then `next` goes from item to item; sources without items are passed over. */
export class SourceDescription {
  /** The item, and the source it describes. */
  ssrc = 0;
  type = 0;
  /** The text is bytes[textStart…textEnd) of the datagram. */
  textStart = 0;
  textEnd = 0;
  #origin = 0;
  #next = 0;
  #chunks = 0;

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === SDES, "not a source description");
    const { bytes, end } = rtcp;
    let at = rtcp.body;
    for (let chunk = 0; chunk < rtcp.count; chunk++) {
      at += SSRC_BYTES;
      while (at < end && bytes[at] !== END) at += 2 + (at + 1 < end ? bytes[at + 1]! : 0);
      if (at >= end) return rtcp.refuse();
      at = this.#boundary(rtcp.body, at);
    }
    if (at > end) return rtcp.refuse();
    this.#origin = rtcp.body;
    this.#next = rtcp.body;
    this.#chunks = rtcp.count;
    this.textEnd = 0;
    return true;
  }

  /** Goes to the next item; false when there is none. `rtcp` is still at the packet that was read. */
  next(rtcp: RtcpCompound): boolean {
    const { bytes } = rtcp;
    let at = this.#next;
    // Behind an item comes an item or END; at first, and behind END, a chunk.
    let inChunk = this.textEnd !== 0;
    for (;;) {
      if (!inChunk) {
        if (this.#chunks === 0) return false;
        this.#chunks--;
        this.ssrc = rtcp.view.getUint32(at);
        at += SSRC_BYTES;
      }
      const type = bytes[at]!;
      if (type !== END) {
        this.type = type;
        this.textStart = at + 2;
        this.textEnd = at + 2 + bytes[at + 1]!;
        this.#next = this.textEnd;
        return true;
      }
      at = this.#boundary(this.#origin, at);
      this.#next = at;
      this.textEnd = 0;
      inChunk = false;
    }
  }

  /** Where the next chunk begins when END is at `at`. */
  #boundary(origin: number, at: number): number {
    return origin + ((at + 4 - origin) & ~3);
  }
}

/** Writes a source description into the caller's buffer: begin, then per source `chunk` and its `item`s, then finish. */
export class SourceDescriptionWriter {
  #view: DataView = nothing;
  #start = 0;
  #at = 0;
  #limit = 0;
  #chunks = 0;
  #fits = true;

  begin(view: DataView, at: number, limit: number): void {
    this.#view = view;
    this.#start = at;
    this.#at = at + RTCP_HEADER_BYTES;
    this.#limit = limit;
    this.#chunks = 0;
    this.#fits = this.#at <= limit;
  }

  /** Begins the chunk of a source; at most 31 a packet. */
  chunk(ssrc: number): void {
    assert(this.#chunks < COUNT_MAX, "a source description has room for 31 sources");
    this.#end();
    this.#chunks++;
    if (!this.#room(SSRC_BYTES)) return;
    this.#view.setUint32(this.#at, ssrc);
    this.#at += SSRC_BYTES;
  }

  /** Adds an item of the chunk; `text` is UTF-8, 0…255 bytes, and copied. */
  item(type: number, text: Uint8Array): void {
    assert(this.#chunks > 0 && type > END && type < 256 && text.length <= TEXT_BYTES_MAX, `SDES item ${type} of ${text.length} bytes`);
    if (!this.#room(2 + text.length)) return;
    this.#view.setUint8(this.#at++, type);
    this.#view.setUint8(this.#at++, text.length);
    for (let i = 0; i < text.length; i++) this.#view.setUint8(this.#at++, text[i]!);
  }

  /** Answers the length of the packet, 0 when it would have passed the limit. */
  finish(): Bytes {
    this.#end();
    if (!this.#fits) return 0;
    const bytes = this.#at - this.#start;
    putRtcpHeader(this.#view, this.#start, this.#chunks, SDES, bytes);
    return bytes;
  }

  #end(): void {
    if (this.#chunks === 0) return;
    const zeros = 4 - ((this.#at - this.#start) & 3);
    if (!this.#room(zeros)) return;
    for (let i = 0; i < zeros; i++) this.#view.setUint8(this.#at++, END);
  }

  #room(bytes: Bytes): boolean {
    if (bytes > this.#limit - this.#at) this.#fits = false;
    return this.#fits;
  }
}

const nothing = new DataView(new ArrayBuffer(0));
