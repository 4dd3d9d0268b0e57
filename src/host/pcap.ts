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
    writeSync(this.#fd, pcapRecord(packet, seconds, length));
    this.packets++;
  }

  close(): void {
    if (this.#fd !== STDOUT) closeSync(this.#fd);
  }
}

/** A packet as the file has it: its head and what is kept of it. */
export function pcapRecord(packet: Uint8Array, seconds: number, length: number): Buffer<ArrayBuffer> {
  const record = Buffer.alloc(RECORD_BYTES + packet.length);
  record.writeUInt32LE(Math.floor(seconds), 0);
  record.writeUInt32LE(Math.floor((seconds % 1) * 1e6), 4);
  record.writeUInt32LE(packet.length, 8);
  record.writeUInt32LE(length, 12);
  record.set(packet, RECORD_BYTES);
  return record;
}

/** Records out of pieces of a stream, cut anywhere. */
export class PcapRecords {
  readonly #kept = Buffer.alloc(2 * (RECORD_BYTES + PACKET_BYTES_MAX));
  #filled = 0;

  /** `take` gets a packet that is borrowed until it returns. @throws RangeError when it is no such stream */
  push(piece: Uint8Array, take: (packet: Uint8Array, seconds: number, length: number) => void): void {
    for (let from = 0; from < piece.length; ) {
      const count = Math.min(piece.length - from, this.#kept.length - this.#filled);
      this.#kept.set(piece.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
      this.#read(take);
    }
  }

  #read(take: (packet: Uint8Array, seconds: number, length: number) => void): void {
    const kept = this.#kept;
    let at = 0;
    while (this.#filled - at >= RECORD_BYTES) {
      const bytes = kept.readUInt32LE(at + 8);
      if (bytes > PACKET_BYTES_MAX) throw new RangeError(`a packet of ${bytes} bytes`);
      if (this.#filled - at < RECORD_BYTES + bytes) break;
      const from = at + RECORD_BYTES;
      take(kept.subarray(from, from + bytes), kept.readUInt32LE(at) + kept.readUInt32LE(at + 4) / 1e6, kept.readUInt32LE(at + 12));
      at = from + bytes;
    }
    kept.copyWithin(0, at, this.#filled);
    this.#filled -= at;
  }
}

const RECORD_BYTES = 16;
const PACKET_BYTES_MAX = 65_535;
