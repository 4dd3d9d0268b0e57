/**
 * The IP headers of hand-made packets: no options, no extension headers, never fragmented.
 *
 *   IPv4   4 5 tos=0 length  id  DF  ttl protocol checksum  source destination        20 bytes
 *   IPv6   6 class=0 flow=0  payload length  next header  hop limit  source destination    40 bytes
 *
 * Source: RFC 791 section 3.1, RFC 8200 section 3; reference udp2raw.md section 5.1.
 */
import { addInternet, foldInternet } from "./checksum.ts";

export const IPV4_BYTES = 20;
export const IPV6_BYTES = 40;

export const TCP = 6;
export const UDP = 17;
export const ICMP = 1;
export const ICMPV6 = 58;

/** What both ends of a packet are, and where it lies. Addresses have 4 or 16 bytes. */
export interface IpHeader {
  source: Uint8Array;
  destination: Uint8Array;
  protocol: number;
}

export function ipBytes(address: Uint8Array): number {
  return address.length === 4 ? IPV4_BYTES : IPV6_BYTES;
}

/** Writes the header before bytes[at + ipBytes…end), the payload; `id` 0…65,535 (IPv4), `ttl` 1…255. */
export function writeIp(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  header: Readonly<IpHeader>,
  id: number,
  ttl: number,
): void {
  const { source, destination, protocol } = header;
  if (source.length === 4) {
    view.setUint16(at, 0x4500);
    view.setUint16(at + 2, end - at);
    view.setUint16(at + 4, id);
    view.setUint16(at + 6, DONT_FRAGMENT);
    bytes[at + 8] = ttl;
    bytes[at + 9] = protocol;
    view.setUint16(at + 10, 0);
    bytes.set(source, at + 12);
    bytes.set(destination, at + 16);
    view.setUint16(at + 10, foldInternet(addInternet(bytes, at, at + IPV4_BYTES)));
    return;
  }
  view.setUint32(at, 0x6000_0000);
  view.setUint16(at + 4, end - at - IPV6_BYTES);
  bytes[at + 6] = protocol;
  bytes[at + 7] = ttl;
  bytes.set(source, at + 8);
  bytes.set(destination, at + 24);
}

/** What `readIp` found: where the payload begins and ends, and where the addresses lie in the packet. */
export interface IpPacket {
  start: number;
  end: number;
  protocol: number;
  /** 4 or 16. */
  addressBytes: number;
  sourceAt: number;
  destinationAt: number;
}

/** False for what is no whole, unfragmented packet with a right IPv4 checksum in bytes[at…end). Bytes behind the packet are allowed (padding). */
export function readIp(bytes: Uint8Array, view: DataView, at: number, end: number, into: IpPacket): boolean {
  if (end - at < IPV4_BYTES) return false;
  if (bytes[at]! >> 4 === 6) return readIpv6(bytes, view, at, end, into);
  const headerBytes = (bytes[at]! & 15) * 4;
  const total = view.getUint16(at + 2);
  if (bytes[at]! >> 4 !== 4 || headerBytes < IPV4_BYTES || total < headerBytes || total > end - at) return false;
  if ((view.getUint16(at + 6) & FRAGMENT) !== 0 || foldInternet(addInternet(bytes, at, at + headerBytes)) !== 0) return false;
  into.start = at + headerBytes;
  into.end = at + total;
  into.protocol = bytes[at + 9]!;
  into.addressBytes = 4;
  into.sourceAt = at + 12;
  into.destinationAt = at + 16;
  return true;
}

function readIpv6(bytes: Uint8Array, view: DataView, at: number, end: number, into: IpPacket): boolean {
  if (end - at < IPV6_BYTES) return false;
  const payload = view.getUint16(at + 4);
  if (payload > end - at - IPV6_BYTES) return false;
  into.start = at + IPV6_BYTES;
  into.end = into.start + payload;
  into.protocol = bytes[at + 6]!;
  into.addressBytes = 16;
  into.sourceAt = at + 8;
  into.destinationAt = at + 24;
  return true;
}

/** The sum of the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1) for a payload of `length` bytes. */
export function pseudoHeader(source: Uint8Array, destination: Uint8Array, protocol: number, length: number): number {
  return addInternet(destination, 0, destination.length, addInternet(source, 0, source.length, protocol + length));
}

/** The same for a packet that was read. */
export function pseudoHeaderAt(bytes: Uint8Array, packet: Readonly<IpPacket>): number {
  const { sourceAt, addressBytes, protocol, start, end } = packet;
  // Source and destination lie side by side in both versions.
  return addInternet(bytes, sourceAt, sourceAt + 2 * addressBytes, protocol + end - start);
}

const DONT_FRAGMENT = 0x4000;
/** More fragments follow, or this is not the first. */
const FRAGMENT = 0x3fff;
