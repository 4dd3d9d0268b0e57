/** MD5 of many messages in the kernels' memory: eight at a time, of any lengths. Source: RFC 1321. */
import type { Kernels } from "./kernels.ts";
import { MD5_BEGINNING, MD5_BLOCK_BYTES, MD5_LANES, MD5_LANES_BYTES, md5StateAt } from "./md5.ts";

/** The last block of a message and the one that padding may need behind it. */
const TAIL_BYTES = 2 * MD5_BLOCK_BYTES;
const LENGTH_BYTES = 8;
export const MD5_BYTES = 16;

/** What it takes of the kernels' scratch memory, from its beginning. */
export const MD5_SCRATCH_BYTES = MD5_LANES_BYTES + MD5_LANES * TAIL_BYTES;

/** Whoever adds messages finishes them before anybody else uses the kernels' scratch memory. */
export class Md5Lanes {
  readonly #set: Kernels;
  readonly #at: number;
  /** Per lane: blocks left before the tail, blocks of the tail, where the digest goes; −1: idle. */
  readonly #whole = new Int32Array(MD5_LANES);
  readonly #tail = new Int32Array(MD5_LANES);
  readonly #into = new Int32Array(MD5_LANES);
  #busy = 0;

  constructor(set: Kernels) {
    this.#set = set;
    this.#at = set.scratch;
    this.#into.fill(-1);
  }

  /** Digests memory[start…end); the 16 bytes are at memory[into…) after `finish`, until when nothing of it may change. */
  add(start: number, end: number, into: number): void {
    while (this.#busy === MD5_LANES) this.#turn();
    const lane = this.#into.indexOf(-1);
    const { bytes, view } = this.#set;
    const length = end - start;
    const left = length % MD5_BLOCK_BYTES;
    const tail = left + 1 + LENGTH_BYTES > MD5_BLOCK_BYTES ? 2 : 1;
    const at = this.#tailAt(lane);
    bytes.copyWithin(at, end - left, end);
    bytes[at + left] = 0x80;
    const lengthAt = at + tail * MD5_BLOCK_BYTES - LENGTH_BYTES;
    bytes.fill(0, at + left + 1, lengthAt);
    view.setUint32(lengthAt, length * 8, true);
    view.setUint32(lengthAt + 4, 0, true);
    this.#whole[lane] = (length - left) / MD5_BLOCK_BYTES;
    this.#tail[lane] = tail;
    this.#into[lane] = into;
    view.setUint32(this.#at + 4 * lane, this.#whole[lane]! > 0 ? start : at, true);
    for (let word = 0; word < 4; word++) view.setUint32(this.#stateAt(lane, word), MD5_BEGINNING[word]!, true);
    this.#busy++;
  }

  finish(): void {
    while (this.#busy > 0) this.#turn();
  }

  /** As many blocks of all lanes as are left of the phase that ends first. */
  #turn(): void {
    const { view, run } = this.#set;
    let blocks = Number.MAX_SAFE_INTEGER;
    for (let lane = 0; lane < MD5_LANES; lane++) {
      if (this.#into[lane] !== -1) blocks = Math.min(blocks, this.#whole[lane]! || this.#tail[lane]!);
    }
    // Lanes without a message work on whatever lies there.
    for (let lane = 0; lane < MD5_LANES; lane++) {
      if (this.#into[lane] === -1) view.setUint32(this.#at + 4 * lane, Math.max(0, this.#at - blocks * MD5_BLOCK_BYTES), true);
    }
    run.md5(this.#at, blocks);
    for (let lane = 0; lane < MD5_LANES; lane++) {
      if (this.#into[lane] === -1) continue;
      if (this.#whole[lane]! > 0) {
        this.#whole[lane]! -= blocks;
        if (this.#whole[lane] === 0) view.setUint32(this.#at + 4 * lane, this.#tailAt(lane), true);
        continue;
      }
      this.#tail[lane]! -= blocks;
      if (this.#tail[lane] === 0) this.#end(lane);
    }
  }

  #end(lane: number): void {
    const { view } = this.#set;
    const into = this.#into[lane]!;
    for (let word = 0; word < 4; word++) view.setUint32(into + 4 * word, view.getUint32(this.#stateAt(lane, word), true), true);
    this.#into[lane] = -1;
    this.#busy--;
  }

  #tailAt(lane: number): number {
    return this.#at + MD5_LANES_BYTES + lane * TAIL_BYTES;
  }

  #stateAt(lane: number, word: number): number {
    return this.#at + md5StateAt(lane, word);
  }
}
