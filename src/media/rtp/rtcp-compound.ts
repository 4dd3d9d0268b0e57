/**
 * Walks the RTCP packets of one datagram in place.
 *
 *   open(datagram)
 *   ┌ SR or RR ──┬ SDES ──────┬ RTPFB ─────┬ … ┐        compound (RFC 3550 section 6.1)
 *   ┌ RTPFB ─────┬ … ┐                                  reduced size (RFC 5506): may begin with anything
 *    next()        next()                        packetType, count, bytes[start … body … end)
 *                                                └─▶ new SenderReport().read(rtcp), … one class a packet type, each reused for ever
 *
 * What was before damage counts, what is behind it does not. A decoder that finds the inside of a packet damaged refuses it (`refuse`), which
 * counts it; the walk goes on behind it, because the lengths still hold.
 *
 * Source: RFC 3550 sections 6.1, 6.4 and A.2, RFC 5506; reference gcc.md section I.
 *
 * Deviations from RFC 3550 A.2:
 *   - any packet may have padding, of any length the packet has room for: transport feedback is padded by 1…3 bytes and may come first
 *   - bytes behind the last packet are damage, but the packets before them are used
 */
import { hasPadding, RR, RTCP_HEADER_BYTES, SR } from "./rtcp-header.ts";

export interface RtcpOptions {
  /** Datagrams that do not begin with a report are taken (a=rtcp-rsize); true. */
  readonly reducedSize?: boolean;
}

export interface RtcpStats {
  datagrams: number;
  /** Packets walked over, understood or not. */
  packets: number;
  /** Datagrams cut short by a packet that is not version 2, or longer than what is left, or with impossible padding. */
  damagedHeaders: number;
  /** Packets whose inside contradicts itself. */
  damagedBodies: number;
  /** Datagrams dropped because they did not begin with a report. */
  notCompound: number;
}

export class RtcpCompound {
  readonly stats: RtcpStats = { datagrams: 0, packets: 0, damagedHeaders: 0, damagedBodies: 0, notCompound: 0 };
  /** The datagram, borrowed until the next `open`; `view` is over the same bytes. */
  bytes: Uint8Array = nothing;
  view: DataView = nothingView;
  packetType = 0;
  /** RC, SC or FMT. */
  count = 0;
  /** First byte of the packet's header, first byte behind its first four, and one past its last before any padding. */
  start = 0;
  body = 0;
  end = 0;
  readonly #reducedSize: boolean;
  #next = 0;
  #limit = 0;

  constructor(options: RtcpOptions = {}) {
    this.#reducedSize = options.reducedSize ?? true;
  }

  /** Begins with the datagram bytes[start…end); then call `next` until it answers false. */
  open(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.stats.datagrams++;
    this.bytes = bytes;
    this.view = view;
    this.#next = start;
    this.#limit = end;
    if (end - start < RTCP_HEADER_BYTES) {
      this.stats.damagedHeaders++;
      this.#next = end;
    } else if (!this.#reducedSize && bytes[start + 1] !== SR && bytes[start + 1] !== RR) {
      this.stats.notCompound++;
      this.#next = end;
    }
  }

  /** Goes to the next packet; false at the end and at damage. */
  next(): boolean {
    const at = this.#next;
    const left = this.#limit - at;
    if (left === 0) return false;
    if (left < RTCP_HEADER_BYTES) return this.#damaged();
    const first = this.bytes[at]!;
    const length = (this.view.getUint16(at + 2) + 1) * 4;
    if (first >>> 6 !== 2 || length > left) return this.#damaged();
    let end = at + length;
    if (hasPadding(first)) {
      const padding = this.bytes[end - 1]!;
      if (padding === 0 || padding > length - RTCP_HEADER_BYTES) return this.#damaged();
      end -= padding;
    }
    this.count = first & 31;
    this.packetType = this.bytes[at + 1]!;
    this.start = at;
    this.body = at + RTCP_HEADER_BYTES;
    this.end = end;
    this.#next = at + length;
    this.stats.packets++;
    return true;
  }

  /** For decoders: counts the current packet as damaged; answers false. */
  refuse(): false {
    this.stats.damagedBodies++;
    return false;
  }

  #damaged(): false {
    this.stats.damagedHeaders++;
    this.#next = this.#limit;
    return false;
  }
}

const nothing = new Uint8Array(0);
const nothingView = new DataView(nothing.buffer);
