/** Things that several have in common and that stand in a table once: backends, tables of choices, source addresses. */
import type { Slots } from "./slots.ts";

interface Entry {
  readonly at: number;
  readonly count: number;
  users: number;
}

export class Interned {
  readonly #slots: Slots;
  readonly #entries = new Map<string | number, Entry>();
  readonly #keys = new Map<number, string | number>();

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** The place of what `key` says; `write` puts it there when it is new. One more user. @throws HostError when the table is full */
  take(key: string | number, count: number, write: (at: number) => void): number {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.users++;
      return known.at;
    }
    const at = this.#slots.take(count);
    write(at);
    this.#entries.set(key, { at, count, users: 1 });
    this.#keys.set(at, key);
    return at;
  }

  /** One user less. */
  give(at: number): void {
    const key = this.#keys.get(at);
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || entry === undefined || --entry.users > 0) return;
    this.#entries.delete(key);
    this.#keys.delete(at);
    this.#slots.give(at, entry.count);
  }
}
