/**
 * KCP segment, little endian, any number of them back to back in a packet.
 *
 *    0      4     5     6      8       12      16      20      24
 *   ┌──────┬─────┬─────┬──────┬───────┬───────┬───────┬───────┬─────────
 *   │ conv │ cmd │ frg │ wnd  │  ts   │  sn   │  una  │  len  │ data …
 *   └──────┴─────┴─────┴──────┴───────┴───────┴───────┴───────┴─────────
 *
 * Source: reference/kcptun.md 2.5, checked against captures of kcptun 2021 and 2026.
 */
import type { Bytes, Millis, Seq32 } from "../base/units.ts";

export const HEADER_BYTES: Bytes = 24;

/** Offsets in the header. */
export const CONV = 0;
export const CMD = 4;
export const FRG = 5;
export const WND = 6;
export const TS = 8;
export const SN = 12;
export const UNA = 16;
export const LEN = 20;

/** Data. */
export const PUSH = 81;
/** `sn` was received; `ts` is echoed. */
export const ACK = 82;
/** Asks for the window. */
export const WASK = 83;
/** Tells the window. */
export const WINS = 84;

/** Largest UDP payload a kcptun peer sends or takes. */
export const PACKET_BYTES_MAX: Bytes = 1500;

/** `wnd` on the wire is 16 bits. */
export const WND_MAX = 65535;

/** Conversation of the packet at `start`; the caller has checked that HEADER_BYTES are there. */
export function readConv(view: DataView, start: number): number {
  return view.getUint32(start + CONV, true);
}

/** Sequence number of the packet's first segment: a server takes a new conversation only when it is 0 (reference 5.3). */
export function readFirstSn(view: DataView, start: number): Seq32 {
  return view.getUint32(start + SN, true);
}

/** Could a packet of `length` bytes at `start` be KCP: a whole header, a known command and data that fits. */
export function looksLikeKcp(view: DataView, start: number, length: Bytes): boolean {
  if (length < HEADER_BYTES) return false;
  const cmd = view.getUint8(start + CMD);
  return cmd >= PUSH && cmd <= WINS && view.getUint32(start + LEN, true) <= length - HEADER_BYTES;
}

/** Is it nothing but whole segments of one conversation: what a stranger must bring, since bytes that mean something else may look like one header. */
export function isKcp(view: DataView, start: number, length: Bytes): boolean {
  const end = start + length;
  let at = start;
  while (at < end) {
    if (!looksLikeKcp(view, at, end - at) || readConv(view, at) !== readConv(view, start)) return false;
    at += HEADER_BYTES + view.getUint32(at + LEN, true);
  }
  return length > 0;
}

/** Writes a whole header; `frg` is 0, the stream mode. */
export function writeHeader(
  view: DataView,
  at: number,
  conv: number,
  cmd: number,
  wnd: number,
  ts: number,
  sn: Seq32,
  una: Seq32,
  length: Bytes,
): void {
  view.setUint32(at + CONV, conv, true);
  view.setUint8(at + CMD, cmd);
  view.setUint8(at + FRG, 0);
  view.setUint16(at + WND, wnd, true);
  view.setUint32(at + TS, ts, true);
  view.setUint32(at + SN, sn, true);
  view.setUint32(at + UNA, una, true);
  view.setUint32(at + LEN, length, true);
}

/** The 32-bit millisecond clock of the wire. */
export function clock(now: Millis): number {
  return Math.floor(now) >>> 0;
}
