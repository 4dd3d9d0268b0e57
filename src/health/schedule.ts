/**
 * When what is to be asked: each thing every so often, never twice at once, and spread over time so that a thousand are not asked in the same instant.
 *
 * The shell asks `due`, sends what it is told to, and says `finished` when the outcome is known.
 */
import { Heap } from "../base/heap.ts";
import { type Millis, NEVER } from "../base/units.ts";

interface Entry<T> {
  item: T;
  period: Millis;
  next: Millis;
  waiting: boolean;
}

export interface Wanted<T> {
  readonly item: T;
  readonly period: Millis;
}

export class Schedule<T> {
  readonly #entries = new Map<string, Entry<T>>();
  /** By time; one whose entry has another time by now means nothing. */
  readonly #heap = new Heap<{ readonly key: string; readonly at: Millis }>();
  #spread = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** From now on these, by their keys. Those that stay keep their turn; new ones are asked within a second, and within their period. */
  want(wanted: ReadonlyMap<string, Wanted<T>>, now: Millis): void {
    for (const key of this.#entries.keys()) if (!wanted.has(key)) this.#entries.delete(key);
    for (const [key, { item, period }] of wanted) {
      const known = this.#entries.get(key);
      if (known !== undefined) {
        known.item = item;
        known.period = period;
        continue;
      }
      this.#spread = (this.#spread + GOLDEN_RATIO) % 1;
      const entry = { item, period, next: now + this.#spread * Math.min(FIRST_WITHIN, period), waiting: false };
      this.#entries.set(key, entry);
      this.#heap.push(entry.next, { key, at: entry.next });
    }
  }

  deadline(): Millis {
    return this.#heap.length === 0 ? NEVER : this.#heap.minimum;
  }

  /** What is to be asked now, each of which is to be told `finished`. */
  due(now: Millis): T[] {
    const due: T[] = [];
    while (this.#heap.minimum <= now) {
      const { key, at } = this.#heap.pop()!;
      const entry = this.#entries.get(key);
      if (entry === undefined || entry.next !== at || entry.waiting) continue;
      entry.waiting = true;
      entry.next = now + entry.period;
      due.push(entry.item);
    }
    return due;
  }

  /** The outcome is known; the next turn comes when its period is over. False: it is not wanted any more. */
  finished(key: string, now: Millis): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    if (entry.waiting) this.#plan(key, entry, Math.max(entry.next, now));
    entry.waiting = false;
    return true;
  }

  /** Something makes it worth asking at once. False: it is not wanted, or being asked already. */
  hurry(key: string, now: Millis): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.waiting) return false;
    this.#plan(key, entry, now);
    return true;
  }

  #plan(key: string, entry: Entry<T>, at: Millis): void {
    entry.next = at;
    this.#heap.push(at, { key, at });
  }
}

const FIRST_WITHIN: Millis = 1000;
/** Any number of steps of it lies evenly. */
const GOLDEN_RATIO = 0.618_034;
