const SLOTS_AT_FIRST = 8;

/** First-in first-out queue of bounded length in a ring of a power of two, made with the first item; nothing is allocated after it has grown. */
export class Ring<T> {
  #slots: (T | undefined)[] = [];
  #mask = -1;
  #head = 0;
  #length = 0;
  readonly capacity: number;

  /** Holds at most `capacity` items; room is taken as it is needed. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** False when full: the caller counts it and drops. */
  push(item: T): boolean {
    if (this.#length >= this.capacity) return false;
    if (this.#length > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#length) & this.#mask] = item;
    this.#length++;
    return true;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    return item;
  }

  /** Item `index` places behind the head, undefined outside. */
  at(index: number): T | undefined {
    return index < 0 || index >= this.#length ? undefined : this.#slots[(this.#head + index) & this.#mask];
  }

  clear(): void {
    while (this.#length > 0) this.shift();
  }

  #grow(): void {
    const slots: (T | undefined)[] = new Array(Math.max(SLOTS_AT_FIRST, this.#slots.length * 2)).fill(undefined);
    for (let i = 0; i < this.#length; i++) slots[i] = this.#slots[(this.#head + i) & this.#mask];
    this.#slots = slots;
    this.#mask = slots.length - 1;
    this.#head = 0;
  }
}
