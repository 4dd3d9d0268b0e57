/**
 * Records that a program in the kernel leaves for the process, in memory that both see.
 *
 *   page 0            consumer position u64, written here
 *   page 1            producer position u64, written by the kernel; read only
 *   from page 2       data, twice in a row so that a record never is in two pieces: length u32 (bit 31: not ready, bit 30: discarded) · page u32 · record
 *
 * Source: the kernel's Documentation/bpf/ringbuf.rst.
 */
import { type BpfMap, mapPages, PAGE, PROT_READ, PROT_WRITE } from "./bpf-map.ts";

export class RingBuffer {
  readonly fd: number;
  readonly #map: BpfMap;
  readonly #consumer: { bytes: Uint8Array<ArrayBuffer>; address: number };
  readonly #producer: { bytes: Uint8Array<ArrayBuffer>; address: number };
  readonly #consumed: BigInt64Array;
  readonly #produced: BigInt64Array;
  readonly #data: DataView;
  readonly #mask: number;

  /** @throws HostError */
  constructor(map: BpfMap) {
    const { entries } = map.shape;
    this.#map = map;
    this.fd = map.fd;
    this.#mask = entries - 1;
    this.#consumer = mapPages(map.bpf, map.fd, PAGE, PROT_READ | PROT_WRITE, 0);
    this.#producer = mapPages(map.bpf, map.fd, PAGE + 2 * entries, PROT_READ, PAGE);
    this.#consumed = new BigInt64Array(this.#consumer.bytes.buffer, 0, 1);
    this.#produced = new BigInt64Array(this.#producer.bytes.buffer, 0, 1);
    this.#data = new DataView(this.#producer.bytes.buffer, PAGE);
  }

  /** Hands over what is ready, at most `most` records; each is borrowed until `take` returns. Answers how many. */
  drain(take: (record: DataView) => void, most = 1024): number {
    let position = Atomics.load(this.#consumed, 0);
    const end = Atomics.load(this.#produced, 0);
    let count = 0;
    while (position < end && count < most) {
      const at = Number(position & BigInt(this.#mask));
      const header = this.#data.getUint32(at, true);
      if (header >>> 31 === 1) break;
      const length = header & LENGTH_MASK;
      if ((header & DISCARDED) === 0) {
        take(new DataView(this.#data.buffer, this.#data.byteOffset + at + HEADER_BYTES, length));
        count++;
      }
      position += BigInt((length + HEADER_BYTES + 7) & ~7);
      Atomics.store(this.#consumed, 0, position);
    }
    return count;
  }

  close(): void {
    const { sys } = this.#map.bpf;
    sys.munmap(this.#consumer.address, this.#consumer.bytes.length);
    sys.munmap(this.#producer.address, this.#producer.bytes.length);
  }
}

const HEADER_BYTES = 8;
const DISCARDED = 1 << 30;
const LENGTH_MASK = 0x3fff_ffff;
