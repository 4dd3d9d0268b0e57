/**
 * Storage for payloads: equal slots in pages that are allocated as they are needed, so that a steady flow allocates nothing. A slot number stays
 * valid until it is given back.
 *
 *   slot n = pages[n >> 6], bytes (n & 63) * slotBytes …
 *
 * Several owners may share one; `trim`, called now and then, lets go of pages that nobody has needed since it was called before.
 */
import { Region } from "./region.ts";

const SLOTS_PER_PAGE_LOG2 = 6;
const SLOTS_PER_PAGE = 1 << SLOTS_PER_PAGE_LOG2;

/** Where the memory of pages comes from and goes to. */
export interface PageSource {
  take(bytes: number): Region;
  give(page: Region): void;
}

const ownMemory: PageSource = { take: (bytes) => Region.of(new Uint8Array(bytes)), give: () => {} };

export class Slots {
  readonly slotBytes: number;
  /** Most slots that may be out at once, rounded up to whole pages; Infinity where the owners bound themselves. */
  readonly capacity: number;
  readonly #source: PageSource;
  readonly #pages: (Region | undefined)[] = [];
  /** Free slots, the next to be taken last. */
  #free = new Int32Array(SLOTS_PER_PAGE);
  #freeLength = 0;
  #pagesHeld = 0;
  /** Free slots that were not needed since the last `trim`. */
  #spare = 0;

  constructor(slotBytes: number, capacity: number, source: PageSource = ownMemory) {
    this.slotBytes = slotBytes;
    this.capacity = capacity;
    this.#source = source;
  }

  /** A free slot, or −1 when all are out. Its bytes are whatever the last user left. */
  take(): number {
    if (this.#freeLength === 0 && !this.#addPage()) return -1;
    const slot = this.#free[--this.#freeLength]!;
    if (this.#freeLength < this.#spare) this.#spare = this.#freeLength;
    return slot;
  }

  give(slot: number): void {
    this.#free[this.#freeLength++] = slot;
  }

  /** The array that holds the slot; the slot starts at `offset(slot)` in it. */
  page(slot: number): Uint8Array {
    return this.#pages[slot >> SLOTS_PER_PAGE_LOG2]!.bytes;
  }

  offset(slot: number): number {
    return this.#pages[slot >> SLOTS_PER_PAGE_LOG2]!.at + (slot & (SLOTS_PER_PAGE - 1)) * this.slotBytes;
  }

  /** Bytes held, for metrics. */
  get bytesHeld(): number {
    return this.#pagesHeld * SLOTS_PER_PAGE * this.slotBytes;
  }

  /** Slots that are out. */
  get out(): number {
    return this.#pagesHeld * SLOTS_PER_PAGE - this.#freeLength;
  }

  /** Gives back pages of which no slot is out, as many as were spare since the last call; from now on the lowest slots are taken first. Work: a sort. */
  trim(): void {
    const free = this.#free.subarray(0, this.#freeLength);
    let surplus = this.#spare >> SLOTS_PER_PAGE_LOG2;
    if (surplus > 0) {
      free.sort().reverse();
      let kept = 0;
      for (let i = 0; i < free.length; ) {
        const page = free[i]! >> SLOTS_PER_PAGE_LOG2;
        const end = endOfPage(free, i);
        if (end - i === SLOTS_PER_PAGE && surplus > 0) {
          surplus--;
          this.#dropPage(page);
        } else for (let k = i; k < end; k++) free[kept++] = free[k]!;
        i = end;
      }
      this.#freeLength = kept;
    }
    this.#spare = this.#freeLength;
  }

  #addPage(): boolean {
    if (this.#pagesHeld * SLOTS_PER_PAGE >= this.capacity) return false;
    const hole = this.#pagesHeld < this.#pages.length ? this.#pages.indexOf(undefined) : this.#pages.length;
    this.#pages[hole] = this.#source.take(SLOTS_PER_PAGE * this.slotBytes);
    this.#pagesHeld++;
    const all = this.#pagesHeld * SLOTS_PER_PAGE;
    if (all > this.#free.length) {
      const longer = new Int32Array(Math.max(all, 2 * this.#free.length));
      longer.set(this.#free);
      this.#free = longer;
    }
    for (let i = SLOTS_PER_PAGE - 1; i >= 0; i--) this.#free[this.#freeLength++] = (hole << SLOTS_PER_PAGE_LOG2) + i;
    return true;
  }

  #dropPage(page: number): void {
    this.#source.give(this.#pages[page]!);
    this.#pages[page] = undefined;
    this.#pagesHeld--;
  }
}

/** One past the last of the free slots from `i` on, in falling order, that lie in the same page. */
function endOfPage(free: Int32Array, i: number): number {
  const page = free[i]! >> SLOTS_PER_PAGE_LOG2;
  let end = i + 1;
  while (end < free.length && free[end]! >> SLOTS_PER_PAGE_LOG2 === page) end++;
  return end;
}
