/**
 * Packet status chunks of transport feedback, packed: which packets arrived, and how wide their deltas are.
 *
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |0| S |       run length        |    the symbol S, 0…8191 times
 *   |1|0|       14 × symbol         |    one bit each: lost or small
 *   |1|1|        7 × symbol         |    two bits each
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The packer keeps up to 14 symbols (or one long run) open and closes them by the greedy rule of libwebrtc: a run when all are the same, 14 single
 * bits when none is large, else the oldest seven as two bits each. Its chunks are therefore those of Chromium, bit for bit.
 *
 * Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1; reference gcc.md section I.
 */

/** Symbols: a packet that did not come, and one with a delta of as many bytes. */
export const LOST = 0;
export const SMALL = 1;
export const LARGE = 2;
export type StatusSymbol = typeof LOST | typeof SMALL | typeof LARGE;

const RUN_MAX = 0x1fff;
const ONE_BIT_MAX = 14;
const TWO_BIT_MAX = 7;
const VECTOR = 0x8000;
const TWO_BITS = 0x4000;

export class StatusPacker {
  /** Symbols of the open chunk, the oldest in the highest of 2 × 14 bits; of a run only the first 14. */
  #symbols = 0;
  #length = 0;
  #allSame = true;
  #anyLarge = false;

  /** Symbols in the open chunk; at 0 there is none. */
  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#symbols = 0;
    this.#length = 0;
    this.#allSame = true;
    this.#anyLarge = false;
  }

  /** Whether the symbol fits the open chunk; if not, `close` it first. */
  takes(symbol: StatusSymbol): boolean {
    if (this.#length < TWO_BIT_MAX) return true;
    if (this.#length < ONE_BIT_MAX && !this.#anyLarge && symbol !== LARGE) return true;
    return this.#length < RUN_MAX && this.#allSame && this.#first === symbol;
  }

  add(symbol: StatusSymbol): void {
    if (this.#length < ONE_BIT_MAX) this.#symbols |= symbol << (2 * (ONE_BIT_MAX - 1 - this.#length));
    this.#length++;
    this.#allSame &&= symbol === this.#first;
    this.#anyLarge ||= symbol === LARGE;
  }

  /** Adds as many of `count` lost packets as the open chunk takes; answers how many. */
  addLost(count: number): number {
    let added = 0;
    while (added < count && this.takes(LOST)) {
      if (this.#allSame && this.#length >= ONE_BIT_MAX) {
        const rest = Math.min(count - added, RUN_MAX - this.#length);
        this.#length += rest;
        return added + rest;
      }
      this.add(LOST);
      added++;
    }
    return added;
  }

  /** Closes the oldest symbols into a chunk and keeps the others open: for when the next symbol does not fit. */
  close(): number {
    const { last } = this;
    if (this.#allSame || this.#length === ONE_BIT_MAX) {
      this.clear();
      return last;
    }
    const chunk = VECTOR | TWO_BITS | (this.#symbols >>> (2 * TWO_BIT_MAX));
    const length = this.#length - TWO_BIT_MAX;
    const symbols = this.#symbols;
    this.clear();
    for (let i = 0; i < length; i++) this.add(((symbols >>> (2 * (TWO_BIT_MAX - 1 - i))) & 3) as StatusSymbol);
    return chunk;
  }

  /** The open symbols as one chunk, the last of a packet; they stay open. */
  get last(): number {
    if (this.#allSame) return (this.#first << 13) | this.#length;
    if (this.#length <= TWO_BIT_MAX) return VECTOR | TWO_BITS | (this.#symbols >>> (2 * TWO_BIT_MAX));
    let chunk = VECTOR;
    for (let i = 0; i < ONE_BIT_MAX; i++) chunk |= ((this.#symbols >>> (2 * i)) & 1) << i;
    return chunk;
  }

  get #first(): number {
    return this.#symbols >>> (2 * (ONE_BIT_MAX - 1));
  }
}

/** Reads the symbols of chunks one after the other. */
export class StatusChunk {
  /** Symbols not yet read. */
  left = 0;
  #chunk = 0;
  #shift = 0;
  #step = 0;
  #mask = 0;

  /** Begins with a chunk of which the first `countMax` symbols matter. */
  open(chunk: number, countMax: number): void {
    this.#chunk = chunk;
    if (chunk < VECTOR) {
      this.left = Math.min(chunk & RUN_MAX, countMax);
      this.#shift = 13;
      this.#step = 0;
      this.#mask = 3;
    } else if (chunk < (VECTOR | TWO_BITS)) {
      this.left = Math.min(ONE_BIT_MAX, countMax);
      this.#shift = ONE_BIT_MAX - 1;
      this.#step = 1;
      this.#mask = 1;
    } else {
      this.left = Math.min(TWO_BIT_MAX, countMax);
      this.#shift = 2 * (TWO_BIT_MAX - 1);
      this.#step = 2;
      this.#mask = 3;
    }
  }

  /** All that is left has this symbol, or −1 when it must be looked at one by one. */
  get run(): number {
    return this.#step === 0 ? this.#chunk >>> this.#shift : -1;
  }

  /** The next symbol, 0…3; 3 is none. `left` must be above 0. */
  symbol(): number {
    const symbol = (this.#chunk >>> this.#shift) & this.#mask;
    this.#shift -= this.#step;
    this.left--;
    return symbol;
  }
}
