/** Packets in hexadecimal, for golden bytes, and the walk to the first packet of a datagram. */
import assert from "node:assert/strict";
import { RtcpCompound } from "../rtcp-compound.ts";

/** Bytes of hexadecimal text; blanks and line ends are for the reader. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from((hex.replace(/\s/g, "").match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
}

export function hexOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.subarray(start, end)).toString("hex");
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The walk over a datagram that lies in the midst of a buffer, standing at its first packet. */
export function opened(packet: Uint8Array | string, rtcp = new RtcpCompound()): RtcpCompound {
  const content = typeof packet === "string" ? bytesOf(packet) : packet;
  const bytes = new Uint8Array(content.length + 20).fill(0xa5);
  bytes.set(content, 7);
  rtcp.open(bytes, viewOf(bytes), 7, 7 + content.length);
  assert.ok(rtcp.next(), "the walk finds a packet");
  return rtcp;
}

/** What `write` puts into a buffer, from an odd offset on; it answers the length. */
export function written(write: (view: DataView, at: number, limit: number) => number, limitBytes = 2000): Uint8Array {
  const bytes = new Uint8Array(limitBytes + 20).fill(0x5a);
  const length = write(viewOf(bytes), 3, 3 + limitBytes);
  assert.ok(length <= limitBytes, `${length} bytes where ${limitBytes} are allowed`);
  for (let i = 3 + Math.max(length, limitBytes); i < bytes.length; i++) assert.equal(bytes[i], 0x5a, "nothing is written beyond the limit");
  return bytes.slice(3, 3 + length);
}
