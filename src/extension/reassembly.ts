/**
 * Datagrams that are longer than a packet: cut into equal pieces by the sender, put together here. One lost piece loses the datagram.
 *
 *   piece i of `count`:  total bytes  →  pieceBytes = ⌈total / count⌉, piece i begins at i · pieceBytes, the last one is shorter
 *
 * Limits: datagramsMax at once, of which the oldest gives way; one that is not whole after EXPIRY_MS is given up when room is needed.
 * Memory is kept for the next datagram until `rest`: at most datagramsMax · 64 KiB.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { DATAGRAM_BYTES_MAX, FLOW_HEADER_BYTES, PART_HEADER_BYTES, readFlow } from "./flow-message.ts";

/** Pieces of one datagram: of the longest, when a packet takes 1024 bytes. */
export const PIECES_MAX = 128;

// Tuning
const EXPIRY_MS: Millis = 1000;

export interface ReassemblyStats {
  pieces: number;
  /** Datagrams put together. */
  whole: number;
  /** Limit hit: datagrams given up for newer ones while young, and because they stayed incomplete. */
  evicted: number;
  expired: number;
  duplicates: number;
  /** Pieces that contradict themselves or others of their datagram. */
  errors: number;
}

const nothing = new Uint8Array(0);

class Entry {
  flow = 0;
  id = 0;
  total = 0;
  count = 0;
  left = 0;
  since: Millis = NEVER;
  bytes: Uint8Array = nothing;
  readonly seen = new Uint8Array(PIECES_MAX);
}

export class Reassembly {
  readonly stats: ReassemblyStats = { pieces: 0, whole: 0, evicted: 0, expired: 0, duplicates: 0, errors: 0 };
  /** What `receive` put together: borrowed until the next call. */
  bytes: Uint8Array = nothing;
  readonly #datagramsMax: number;
  readonly #entries: Entry[] = [];

  constructor(datagramsMax: number) {
    this.#datagramsMax = datagramsMax;
  }

  /** Takes the PART in view[start…end). Answers the length of its datagram if that is whole now, and lies at the beginning of `bytes`; else 0. */
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): Bytes {
    const { stats } = this;
    stats.pieces++;
    if (end - start <= PART_HEADER_BYTES) return this.#error();
    const flow = readFlow(view, start);
    const id = view.getUint16(start + FLOW_HEADER_BYTES, true);
    const total = view.getUint16(start + FLOW_HEADER_BYTES + 2, true);
    const index = bytes[start + FLOW_HEADER_BYTES + 4]!;
    const count = bytes[start + FLOW_HEADER_BYTES + 5]!;
    if (total > DATAGRAM_BYTES_MAX || count < 2 || count > PIECES_MAX || index >= count) return this.#error();
    const pieceBytes = pieceBytesOf(total, count);
    const from = index * pieceBytes;
    if (from + end - start - PART_HEADER_BYTES !== Math.min(from + pieceBytes, total)) return this.#error();
    const entry = this.#find(now, flow, id, total, count);
    if (entry === undefined) return this.#error();
    if (entry.seen[index] === 1) {
      stats.duplicates++;
      return 0;
    }
    entry.seen[index] = 1;
    const into = entry.bytes;
    for (let at = start + PART_HEADER_BYTES, to = from; at < end; at++, to++) into[to] = bytes[at]!;
    if (--entry.left > 0) return 0;
    entry.since = NEVER;
    stats.whole++;
    this.bytes = into;
    return total;
  }

  /** Nothing has come for long: lets go of all memory; a datagram that is still not whole has expired. */
  rest(): void {
    for (const entry of this.#entries) if (entry.since !== NEVER) this.stats.expired++;
    this.#entries.length = 0;
    this.bytes = nothing;
  }

  /** The entry of a datagram under way, or a new one; undefined when the piece contradicts it. */
  #find(now: Millis, flow: number, id: number, total: number, count: number): Entry | undefined {
    let oldest: Entry | undefined;
    let free: Entry | undefined;
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry.since === NEVER) {
        free = entry;
        continue;
      }
      if (entry.flow === flow && entry.id === id && now - entry.since < EXPIRY_MS)
        return entry.total === total && entry.count === count ? entry : undefined;
      if (oldest === undefined || entry.since < oldest.since) oldest = entry;
    }
    if (free === undefined && oldest !== undefined && this.#entries.length === this.#datagramsMax) {
      if (now - oldest.since >= EXPIRY_MS) this.stats.expired++;
      else this.stats.evicted++;
      free = oldest;
    }
    if (free === undefined) {
      free = new Entry();
      this.#entries.push(free);
    }
    if (free.bytes.length < total) free.bytes = new Uint8Array(Math.min(2 * total, DATAGRAM_BYTES_MAX));
    free.seen.fill(0);
    free.flow = flow;
    free.id = id;
    free.total = total;
    free.count = count;
    free.left = count;
    free.since = now;
    return free;
  }

  #error(): 0 {
    this.stats.errors++;
    return 0;
  }
}

/** Bytes of every piece but the last. */
export function pieceBytesOf(total: Bytes, count: number): Bytes {
  return Math.ceil(total / count);
}
