/**
 * A capture file of IP packets.
 *
 *   file     magic u32 · version u16 u16 · zone u32 · accuracy u32 · snaplen u32 · link type u32 (101: packets begin with their IP header)
 *   packet   seconds u32 · microseconds u32 · bytes kept u32 · bytes on the wire u32 · bytes
 *
 * Source: draft-ietf-opsawg-pcap.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { HostError } from "../base/errors.ts";

const LINKTYPE_RAW = 101;
const STDOUT = 1;

export class PcapFile {
  packets = 0;
  readonly #fd: number;

  /** "-": standard output. @throws HostError */
  constructor(path: string, snaplen: number) {
    try {
      this.#fd = path === "-" ? STDOUT : openSync(path, "w", 0o600);
    } catch (error) {
      throw new HostError((error as NodeJS.ErrnoException).code ?? "EIO", "open", path, error);
    }
    const head = Buffer.alloc(24);
    head.writeUInt32LE(0xa1b2_c3d4, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(snaplen, 16);
    head.writeUInt32LE(LINKTYPE_RAW, 20);
    writeSync(this.#fd, head);
  }

  write(packet: Uint8Array, seconds: number, length: number): void {
    const record = Buffer.alloc(16 + packet.length);
    record.writeUInt32LE(Math.floor(seconds), 0);
    record.writeUInt32LE(Math.floor((seconds % 1) * 1e6), 4);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(length, 12);
    record.set(packet, 16);
    writeSync(this.#fd, record);
    this.packets++;
  }

  close(): void {
    if (this.#fd !== STDOUT) closeSync(this.#fd);
  }
}
