/**
 * Packets of ready connections between their arrival and their delivery, so that what is sealed in them is opened all at once.
 *
 *   arrival ─▶ keep: its sealed pieces, one, or as many as the kernel has merged ─▶ … ─▶ next: all opened, piece after piece
 *
 * All packets lie in one buffer, which stays as it is until `next` has answered false.
 */
import { Arrival } from "./arrival.ts";
import type { RawMode, Role } from "./mode.ts";
import type { Ranges } from "./ranges.ts";
import type { Seal } from "./seal.ts";

/** Most pieces between two times that all were taken; beyond that packets are dropped. */
const PIECES_MAX = 4096;

export class Inbox<Owner> implements Ranges {
  bytes: Uint8Array = new Uint8Array();
  readonly start = new Int32Array(PIECES_MAX);
  readonly end = new Int32Array(PIECES_MAX);
  length = 0;
  /** Packets dropped because of PIECES_MAX. */
  overflows = 0;
  readonly #mode: RawMode;
  readonly #from: Role;
  readonly #seal: Seal;
  readonly #arrivals: Arrival[] = [];
  readonly #owners: Owner[] = [];
  /** Which packet piece i is of. */
  readonly #packet = new Int32Array(PIECES_MAX);
  #packets = 0;
  #next = 0;
  #opened = false;

  /** For packets of that mode which the other role sends. */
  constructor(mode: RawMode, from: Role, seal: Seal) {
    this.#mode = mode;
    this.#from = from;
    this.#seal = seal;
  }

  /** The one to read the next packet into; it stays the next one's unless it is kept. */
  get arrival(): Arrival {
    let arrival = this.#arrivals[this.#packets];
    if (arrival === undefined) {
      arrival = new Arrival(this.#mode, this.#from);
      this.#arrivals.push(arrival);
    }
    return arrival;
  }

  /** Keeps the packet that `arrival` was read from, which lies in `bytes`. */
  keep(bytes: Uint8Array, owner: Owner): void {
    const arrival = this.arrival;
    if (this.length === PIECES_MAX) {
      this.overflows++;
      return;
    }
    this.bytes = bytes;
    const packet = this.#packets++;
    this.#owners[packet] = owner;
    const { headBytes } = this.#seal;
    const segment = headBytes > 0 ? 0 : arrival.segmentBytes;
    for (let at = arrival.start; at < arrival.end && this.length < PIECES_MAX; ) {
      const end = segment > 0 ? Math.min(at + segment, arrival.end) : this.#seal.next(bytes, at, arrival.end);
      const piece = this.length++;
      this.#packet[piece] = packet;
      this.start[piece] = at + headBytes;
      this.end[piece] = end;
      at = end < 0 ? arrival.end : end;
    }
  }

  /** Goes on to the next piece; false when there is none, and then all is forgotten. */
  next(): boolean {
    if (!this.#opened && this.length > 0) {
      this.#seal.openAll(this);
      this.#opened = true;
      this.#next = -1;
    }
    if (this.#opened && ++this.#next < this.length) return true;
    this.clear();
    return false;
  }

  clear(): void {
    this.length = 0;
    this.#packets = 0;
    this.#opened = false;
  }

  /** Of the piece at hand: where its plain text begins and ends, −1 when it did not open. */
  get plainStart(): number {
    return this.start[this.#next]!;
  }
  get plainEnd(): number {
    return this.end[this.#next]!;
  }
  /** The piece is the first of its packet. */
  get isFirst(): boolean {
    return this.#next === 0 || this.#packet[this.#next - 1] !== this.#packet[this.#next];
  }
  get packet(): Arrival {
    return this.#arrivals[this.#packet[this.#next]!]!;
  }
  get owner(): Owner {
    return this.#owners[this.#packet[this.#next]!]!;
  }
}
