/**
 * A captured packet as the program leaves it in the ring: the frame's beginning as it came in, and what its destination becomes.
 *
 * It is handed on as it is between the two translations, where source and backend are seen as they are: the destination is put in, the checksums follow.
 */
import { addInternet, foldInternet } from "../../faketcp/checksum.ts";
import { CAPTURE_EVENT } from "./layout.ts";

export interface CapturedPacket {
  readonly forward: number;
  readonly reply: boolean;
  /** From the IP header on; borrowed from the record's copy. */
  readonly packet: Uint8Array;
  /** Seconds since the machine started. */
  readonly seconds: number;
  /** Of the packet before it was cut. */
  readonly length: number;
}

/** Undefined when there is no IP header. */
export function readCapture(record: DataView): CapturedPacket | undefined {
  const captured = Math.min(record.getUint16(CAPTURE_EVENT.captured, true), record.byteLength - CAPTURE_EVENT.bytes);
  const at = record.byteOffset + CAPTURE_EVENT.bytes;
  const frame = new Uint8Array(record.buffer, at, Math.max(0, captured));
  const tagged = frame[12] === 0x81 && frame[13] === 0;
  const link = tagged ? 18 : 14;
  if (captured <= link) return undefined;
  // The ring is not ours to write to.
  const packet = frame.slice(link);
  translate(packet, new Uint8Array(record.buffer, record.byteOffset + CAPTURE_EVENT.to, TO_BYTES));
  return {
    forward: record.getUint32(CAPTURE_EVENT.forward, true),
    reply: record.getUint16(CAPTURE_EVENT.reply, true) !== 0,
    packet,
    seconds: Number(record.getBigUint64(CAPTURE_EVENT.time, true)) / 1e9,
    length: record.getUint16(CAPTURE_EVENT.length, true) - link,
  };
}

/** `to`: the new destination's address in its long form, and its port. */
function translate(packet: Uint8Array, to: Uint8Array): void {
  const four = packet[0]! >> 4 === 4;
  const [headerBytes, addressAt, address] = four ? [IPV4_BYTES, 16, to.subarray(12, 16)] : [IPV6_BYTES, 24, to.subarray(0, 16)];
  if (packet.length < headerBytes) return;
  const before = packet.slice(addressAt, addressAt + address.length);
  packet.set(address, addressAt);
  if (four) put16(packet, 10, replaced(get16(packet, 10), before, address));
  const udp = udpAt(packet, four);
  if (udp === undefined || packet.length < udp + UDP_BYTES) return;
  const [portBefore, port] = [packet.slice(udp + 2, udp + 4), to.subarray(16, 18)];
  packet.set(port, udp + 2);
  const checksum = get16(packet, udp + 6);
  // 0: there is none.
  if (checksum !== 0) put16(packet, udp + 6, replaced(replaced(checksum, before, address), portBefore, port) || 0xffff);
}

/** The checksum when `before` has become `after`: RFC 1624, HC' = ~(~HC + ~m + m'). */
function replaced(checksum: number, before: Uint8Array, after: Uint8Array): number {
  const left = (before.length / 2) * 0xffff - addInternet(before, 0, before.length);
  return foldInternet(addInternet(after, 0, after.length, (~checksum & 0xffff) + left));
}

/** Undefined: a fragment behind the first one. */
function udpAt(packet: Uint8Array, four: boolean): number | undefined {
  if (four) return (get16(packet, 6) & IPV4_OFFSET) === 0 ? IPV4_BYTES : undefined;
  if (packet[6] !== IPV6_FRAGMENT) return IPV6_BYTES;
  return (get16(packet, IPV6_BYTES + 2) & IPV6_OFFSET) === 0 ? IPV6_BYTES + FRAGMENT_BYTES : undefined;
}

function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

const TO_BYTES = 18;
/** Packets with options are not the program's. */
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const UDP_BYTES = 8;
const FRAGMENT_BYTES = 8;
const IPV6_FRAGMENT = 44;
const IPV4_OFFSET = 0x1fff;
const IPV6_OFFSET = 0xfff8;
