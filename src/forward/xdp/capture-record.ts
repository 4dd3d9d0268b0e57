/** A captured packet as the program leaves it in the ring: the frame's beginning, from which the link header is taken off. */
import { CAPTURE_EVENT } from "./layout.ts";

export interface CapturedPacket {
  readonly forward: number;
  readonly reply: boolean;
  /** From the IP header on; borrowed from the record. */
  readonly packet: Uint8Array;
  /** Seconds since the machine started. */
  readonly seconds: number;
  /** Of the packet before it was cut. */
  readonly length: number;
}

/** Undefined when there is no IP header. */
export function readCapture(record: DataView): CapturedPacket | undefined {
  const captured = Math.min(record.getUint16(CAPTURE_EVENT.captured, true), CAPTURE_EVENT.dataBytes);
  const frame = new Uint8Array(record.buffer, record.byteOffset + CAPTURE_EVENT.data, captured);
  const tagged = frame[12] === 0x81 && frame[13] === 0;
  const link = tagged ? 18 : 14;
  if (captured <= link) return undefined;
  return {
    forward: record.getUint32(CAPTURE_EVENT.forward, true),
    reply: record.getUint32(CAPTURE_EVENT.reply, true) !== 0,
    packet: frame.subarray(link),
    seconds: Number(record.getBigUint64(CAPTURE_EVENT.time, true)) / 1e9,
    length: record.getUint16(CAPTURE_EVENT.length, true) - link,
  };
}
