/**
 * The TCP header of faketcp.
 *
 *   SYN, SYN-ACK   40 bytes: MSS 1460, SACK permitted, timestamps, no-operation, window scale 5
 *   everything else 32 bytes: two no-operations, timestamps
 *
 * Source: RFC 9293 section 3.1, RFC 7323; reference udp2raw.md section 5.2. Deviations: the original takes packets with a wrong checksum, here they are
 * refused; one that an offload left unfinished holds the sum of the pseudo header alone, and passes.
 */
import { addInternet, foldInternet } from "./checksum.ts";

export const TCP_BYTES = 32;
export const TCP_SYN_BYTES = 40;

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

export interface TcpHeader {
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  flags: number;
  window: number;
  /** Timestamps; 0 when a packet has none. */
  tsval: number;
  tsecr: number;
}

/** Writes the header of the segment bytes[at…end), whose payload is in place. `pseudo` is the sum of the pseudo header. */
export function writeTcp(bytes: Uint8Array, view: DataView, at: number, end: number, header: Readonly<TcpHeader>, pseudo: number): void {
  const syn = (header.flags & SYN) !== 0;
  view.setUint16(at, header.sourcePort);
  view.setUint16(at + 2, header.destinationPort);
  view.setUint32(at + 4, header.seq);
  view.setUint32(at + 8, header.ack);
  bytes[at + 12] = (syn ? TCP_SYN_BYTES : TCP_BYTES) << 2;
  bytes[at + 13] = header.flags;
  view.setUint16(at + 14, header.window);
  view.setUint32(at + 16, 0);
  let options = at + 20;
  if (syn) {
    view.setUint32(options, 0x0204_05b4);
    view.setUint16(options + 4, 0x0402);
    view.setUint32(at + 36, 0x0103_0305);
    options += 6;
  } else {
    view.setUint16(options, 0x0101);
    options += 2;
  }
  view.setUint16(options, 0x080a);
  view.setUint32(options + 2, header.tsval);
  view.setUint32(options + 6, header.tsecr);
  view.setUint16(at + 16, foldInternet(addInternet(bytes, at, end, pseudo)));
}

/** Reads the header of the segment bytes[at…end); answers where its payload begins, −1 when it is none or its checksum is wrong. */
export function readTcp(bytes: Uint8Array, view: DataView, at: number, end: number, pseudo: number, into: TcpHeader): number {
  if (end - at < 20) return -1;
  const payload = at + (bytes[at + 12]! >> 4) * 4;
  if (payload < at + 20 || payload > end) return -1;
  const checksum = view.getUint16(at + 16);
  if (foldInternet(addInternet(bytes, at, end, pseudo)) !== 0 && checksum !== (foldInternet(pseudo) ^ 0xffff)) return -1;
  into.sourcePort = view.getUint16(at);
  into.destinationPort = view.getUint16(at + 2);
  into.seq = view.getUint32(at + 4);
  into.ack = view.getUint32(at + 8);
  into.flags = bytes[at + 13]! & 0x3f;
  into.window = view.getUint16(at + 14);
  into.tsval = 0;
  into.tsecr = 0;
  readOptions(bytes, view, at + 20, payload, into);
  return payload;
}

function readOptions(bytes: Uint8Array, view: DataView, start: number, end: number, into: TcpHeader): void {
  let at = start;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === 0) return;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return;
    if (kind === 8 && length === 10) {
      into.tsval = view.getUint32(at + 2);
      into.tsecr = view.getUint32(at + 6);
    }
    at += length;
  }
}
