/** Binary min-heap; equal keys leave in the order they came, so simulations are reproducible. */
export class Heap<T> {
  #keys: number[] = [];
  #order: number[] = [];
  #items: T[] = [];
  #sequence = 0;

  get length(): number {
    return this.#items.length;
  }

  /** Smallest key, or Infinity when empty. */
  get minimum(): number {
    return this.#keys[0] ?? Number.POSITIVE_INFINITY;
  }

  push(key: number, item: T): void {
    this.#keys.push(key);
    this.#order.push(this.#sequence++);
    this.#items.push(item);
    let i = this.#items.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  pop(): T | undefined {
    const last = this.#items.length - 1;
    if (last < 0) return undefined;
    this.#swap(0, last);
    this.#keys.pop();
    this.#order.pop();
    const item = this.#items.pop();
    let i = 0;
    for (;;) {
      let least = i;
      for (let child = 2 * i + 1; child <= 2 * i + 2 && child < last; child++) if (this.#before(child, least)) least = child;
      if (least === i) return item;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(i: number, j: number): boolean {
    const a = this.#keys[i]!;
    const b = this.#keys[j]!;
    return a < b || (a === b && this.#order[i]! < this.#order[j]!);
  }

  #swap(i: number, j: number): void {
    const key = this.#keys[i]!;
    this.#keys[i] = this.#keys[j]!;
    this.#keys[j] = key;
    const order = this.#order[i]!;
    this.#order[i] = this.#order[j]!;
    this.#order[j] = order;
    const item = this.#items[i]!;
    this.#items[i] = this.#items[j]!;
    this.#items[j] = item;
  }
}
