/**
 * An RTP packet, read and written in place.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *   |                           timestamp                           |
 *   |                             SSRC                              |
 *   |                         CSRC × CC                             |
 *   |      defined by profile       |  length in words, without this|  if X: header-extension.ts
 *   |                      extension elements                       |
 *   |                          payload …                            |
 *   |                          padding …            | padding count |  if P
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Write: fields ─▶ write ─▶ HeaderExtensionWriter (if any) ─▶ payload by the caller ─▶ padRtp (if any).
 *
 * Source: RFC 3550 section 5.1. A packet of nothing but padding is allowed: probes are such.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";

// Spec
export const RTP_HEADER_BYTES: Bytes = 12;
export const EXTENSION_HEADER_BYTES: Bytes = 4;
export const RTP_PADDING_BYTES_MAX: Bytes = 255;
const CSRCS_MAX = 15;
const VERSION = 0x80;
const PADDING = 0x20;
const EXTENSION = 0x10;

export interface RtpPacketStats {
  packets: number;
  /** Dropped: not version 2, shorter than its header and extension say, or with impossible padding. */
  damagedVersions: number;
  damagedHeaders: number;
  damagedPadding: number;
}

/** Read into again and again; offsets are those of the buffer that was read. */
export class RtpPacket {
  readonly stats: RtpPacketStats = { packets: 0, damagedVersions: 0, damagedHeaders: 0, damagedPadding: 0 };
  marker = false;
  /** 0…127. */
  payloadType = 0;
  sequenceNumber = 0;
  timestamp = 0;
  ssrc = 0;
  /** Contributing sources: the first `csrcCount` of `csrcs`. */
  csrcCount = 0;
  readonly csrcs = new Uint32Array(CSRCS_MAX);
  /** "Defined by profile", and the elements in bytes[extensionStart…extensionEnd); −1 and nothing without an extension. */
  extensionProfile = -1;
  extensionStart = 0;
  extensionEnd = 0;
  /** The payload is bytes[payloadStart…payloadEnd), without padding. */
  payloadStart = 0;
  payloadEnd = 0;
  paddingBytes: Bytes = 0;

  /** Reads the datagram start…end of `view`; false when damaged, and then the fields mean nothing. */
  read(view: DataView, start: number, end: number): boolean {
    const { stats } = this;
    stats.packets++;
    if (end - start < RTP_HEADER_BYTES) return this.#damagedHeader();
    const first = view.getUint8(start);
    if (first >>> 6 !== 2) {
      stats.damagedVersions++;
      return false;
    }
    const csrcCount = first & 15;
    let at = start + RTP_HEADER_BYTES + csrcCount * 4;
    if (at > end) return this.#damagedHeader();
    const second = view.getUint8(start + 1);
    this.marker = second >= 0x80;
    this.payloadType = second & 0x7f;
    this.sequenceNumber = view.getUint16(start + 2);
    this.timestamp = view.getUint32(start + 4);
    this.ssrc = view.getUint32(start + 8);
    this.csrcCount = csrcCount;
    for (let i = 0; i < csrcCount; i++) this.csrcs[i] = view.getUint32(start + RTP_HEADER_BYTES + i * 4);
    this.extensionProfile = -1;
    this.extensionStart = at;
    if ((first & EXTENSION) !== 0) {
      if (EXTENSION_HEADER_BYTES > end - at) return this.#damagedHeader();
      this.extensionProfile = view.getUint16(at);
      this.extensionStart = at + EXTENSION_HEADER_BYTES;
      at = this.extensionStart + view.getUint16(at + 2) * 4;
      if (at > end) return this.#damagedHeader();
    }
    this.extensionEnd = at;
    this.payloadStart = at;
    this.paddingBytes = (first & PADDING) === 0 ? 0 : view.getUint8(end - 1);
    this.payloadEnd = end - this.paddingBytes;
    if (((first & PADDING) !== 0 && this.paddingBytes === 0) || this.payloadEnd < at) {
      stats.damagedPadding++;
      return false;
    }
    return true;
  }

  /**
   * Writes the fixed header and the CSRCs from the fields, without extension and padding, to `at`, where there must be 12 + 4 · csrcCount
   * bytes of room; answers the position behind them.
   */
  write(view: DataView, at: number): number {
    assert(this.payloadType <= 0x7f && this.csrcCount <= CSRCS_MAX, "payloadType 0…127, at most 15 CSRCs");
    view.setUint8(at, VERSION | this.csrcCount);
    view.setUint8(at + 1, (this.marker ? 0x80 : 0) | this.payloadType);
    view.setUint16(at + 2, this.sequenceNumber);
    view.setUint32(at + 4, this.timestamp);
    view.setUint32(at + 8, this.ssrc);
    for (let i = 0; i < this.csrcCount; i++) view.setUint32(at + RTP_HEADER_BYTES + i * 4, this.csrcs[i]!);
    return at + RTP_HEADER_BYTES + this.csrcCount * 4;
  }

  #damagedHeader(): false {
    this.stats.damagedHeaders++;
    return false;
  }
}

/** Where the extension of a written packet begins or would begin: behind its CSRCs. */
export function extensionOffset(view: DataView, start: number): number {
  return start + RTP_HEADER_BYTES + (view.getUint8(start) & 15) * 4;
}

/** Sets X in the packet that begins at `start`. */
export function markExtension(view: DataView, start: number): void {
  view.setUint8(start, view.getUint8(start) | EXTENSION);
}

/** Appends `padding` bytes, 1…255, to the packet start…end, for which there must be room; answers the new end. */
export function padRtp(view: DataView, start: number, end: number, padding: Bytes): number {
  assert(padding >= 1 && padding <= RTP_PADDING_BYTES_MAX, `RTP padding of ${padding} bytes`);
  const last = end + padding - 1;
  for (let i = end; i < last; i++) view.setUint8(i, 0);
  view.setUint8(last, padding);
  view.setUint8(start, view.getUint8(start) | PADDING);
  return last + 1;
}
