/**
 * Storage for segment payloads: equal slots in pages that are allocated as the high-water mark rises and then reused for ever,
 * so that a steady flow allocates nothing. A slot number stays valid until it is given back.
 *
 *   slot n = pages[n >> 6], bytes (n & 63) * slotBytes …
 */
import { Region } from "./region.ts";

const SLOTS_PER_PAGE_LOG2 = 6;
const SLOTS_PER_PAGE = 1 << SLOTS_PER_PAGE_LOG2;

export class Slots {
  readonly slotBytes: number;
  /** Most slots that may be out at once, rounded up to whole pages. */
  readonly capacity: number;
  readonly #allocate: (bytes: number) => Region;
  readonly #pages: Region[] = [];
  readonly #free: Int32Array;
  #freeLength = 0;

  /** `allocate` makes the memory of a page. */
  constructor(slotBytes: number, capacity: number, allocate = (bytes: number): Region => Region.of(new Uint8Array(bytes))) {
    this.#allocate = allocate;
    this.slotBytes = slotBytes;
    this.capacity = capacity;
    this.#free = new Int32Array(Math.ceil(capacity / SLOTS_PER_PAGE) * SLOTS_PER_PAGE);
  }

  /** A free slot, or −1 when all are out. Its bytes are whatever the last user left. */
  take(): number {
    if (this.#freeLength === 0 && !this.#addPage()) return -1;
    return this.#free[--this.#freeLength]!;
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
    return this.#pages.length * SLOTS_PER_PAGE * this.slotBytes;
  }

  #addPage(): boolean {
    const first = this.#pages.length * SLOTS_PER_PAGE;
    if (first >= this.capacity) return false;
    this.#pages.push(this.#allocate(SLOTS_PER_PAGE * this.slotBytes));
    for (let i = SLOTS_PER_PAGE - 1; i >= 0; i--) this.#free[this.#freeLength++] = first + i;
    return true;
  }
}
