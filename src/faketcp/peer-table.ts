/** Finds things by the address and port of a packet's sender, without making a key for each packet. */
import type { Arrival } from "./arrival.ts";

export interface Located {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

export class PeerTable<T extends Located> {
  readonly #buckets = new Map<number, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(bytes: Uint8Array, arrival: Arrival): T | undefined {
    const { sourceAt, addressBytes } = arrival.ip;
    const bucket = this.#buckets.get(hash(bytes, sourceAt, sourceAt + addressBytes, arrival.sourcePort));
    if (bucket === undefined) return undefined;
    for (const entry of bucket) if (entry.port === arrival.sourcePort && arrival.isFrom(bytes, entry.address)) return entry;
    return undefined;
  }

  add(entry: T): void {
    const key = keyOf(entry);
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, [entry]);
    else bucket.push(entry);
    this.#size++;
  }

  remove(entry: T): void {
    const key = keyOf(entry);
    const bucket = this.#buckets.get(key);
    const at = bucket?.indexOf(entry) ?? -1;
    if (bucket === undefined || at < 0) return;
    bucket.splice(at, 1);
    if (bucket.length === 0) this.#buckets.delete(key);
    this.#size--;
  }

  *values(): Generator<T> {
    for (const bucket of this.#buckets.values()) yield* bucket;
  }
}

function keyOf({ address, port }: Located): number {
  return hash(address, 0, address.length, port);
}

/** FNV-1a. */
function hash(bytes: Uint8Array, start: number, end: number, port: number): number {
  let value = 0x811c9dc5 ^ port;
  for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return value >>> 0;
}
