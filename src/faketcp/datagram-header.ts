/**
 * The headers of raw modes udp and icmp, 8 bytes each.
 *
 *   udp    source port(2) destination port(2) length(2) checksum(2)
 *   icmp   type(1) code(1)=0 checksum(2) id(2) seq(2)        echo: the client asks, the server answers; id = the client's "port"
 *
 * Source: RFC 768, RFC 792, RFC 4443 section 4; reference udp2raw.md sections 5.3 and 5.4.
 */
import { addInternet, foldInternet } from "./checksum.ts";

export const DATAGRAM_HEADER_BYTES = 8;

export const ECHO_REQUEST = 8;
export const ECHO_REPLY = 0;
export const ECHO_REQUEST_V6 = 128;
export const ECHO_REPLY_V6 = 129;

export interface UdpHeader {
  sourcePort: number;
  destinationPort: number;
}

export interface IcmpHeader {
  type: number;
  id: number;
  seq: number;
}

/** The header of bytes[at…end), whose payload is in place. */
export function writeUdp(view: DataView, bytes: Uint8Array, at: number, end: number, header: Readonly<UdpHeader>, pseudo: number): void {
  view.setUint16(at, header.sourcePort);
  view.setUint16(at + 2, header.destinationPort);
  view.setUint16(at + 4, end - at);
  view.setUint16(at + 6, 0);
  // Zero would say that there is no checksum.
  view.setUint16(at + 6, foldInternet(addInternet(bytes, at, end, pseudo)) || 0xffff);
}

/** Answers where the payload begins, −1 when it is no datagram with a right checksum. */
export function readUdp(view: DataView, bytes: Uint8Array, at: number, end: number, pseudo: number, into: UdpHeader): number {
  if (end - at < DATAGRAM_HEADER_BYTES || view.getUint16(at + 4) !== end - at) return -1;
  if (view.getUint16(at + 6) !== 0 && foldInternet(addInternet(bytes, at, end, pseudo)) !== 0) return -1;
  into.sourcePort = view.getUint16(at);
  into.destinationPort = view.getUint16(at + 2);
  return at + DATAGRAM_HEADER_BYTES;
}

/** `pseudo`: 0 for IPv4, whose ICMP has no pseudo header. */
export function writeIcmp(view: DataView, bytes: Uint8Array, at: number, end: number, header: Readonly<IcmpHeader>, pseudo: number): void {
  bytes[at] = header.type;
  bytes[at + 1] = 0;
  view.setUint16(at + 2, 0);
  view.setUint16(at + 4, header.id);
  view.setUint16(at + 6, header.seq);
  view.setUint16(at + 2, foldInternet(addInternet(bytes, at, end, pseudo)));
}

/** Answers where the payload begins, −1 when it is no echo with a right checksum. */
export function readIcmp(view: DataView, bytes: Uint8Array, at: number, end: number, pseudo: number, into: IcmpHeader): number {
  if (end - at < DATAGRAM_HEADER_BYTES || bytes[at + 1] !== 0) return -1;
  if (foldInternet(addInternet(bytes, at, end, pseudo)) !== 0) return -1;
  into.type = bytes[at]!;
  into.id = view.getUint16(at + 4);
  into.seq = view.getUint16(at + 6);
  return at + DATAGRAM_HEADER_BYTES;
}
