/**
 * Requests that wait for a part to be made (blocking reload, preload hint): first come first expired, bounded in number and time.
 */
import { assert } from "../base/assert.ts";
import { type Millis, NEVER } from "../base/units.ts";

export type Waited = "ready" | "timeout" | "full" | "gone";

interface Waiter {
  readonly ready: () => boolean;
  readonly deadline: Millis;
  readonly done: (waited: Waited) => void;
}

export class Waiters {
  readonly #max: number;
  readonly #waiting = new Set<Waiter>();
  readonly counters = { waited: 0, timeouts: 0, full: 0, gone: 0 };

  constructor(max: number) {
    this.#max = max;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /**
   * Waits until `ready`, which is asked on every `notify`. "full": there are too many already. "gone": `signal` said nobody listens any more.
   * Whoever calls this must see to it that `advance` is called by `deadline()`, which may have become earlier.
   */
  wait(now: Millis, timeout: Millis, ready: () => boolean, signal?: AbortSignal): Promise<Waited> {
    if (ready()) return Promise.resolve("ready");
    if (this.#waiting.size >= this.#max) {
      this.counters.full++;
      return Promise.resolve("full");
    }
    if (signal?.aborted === true) return Promise.resolve("gone");
    this.counters.waited++;
    return new Promise((resolve) => {
      const leave = (): void => {
        this.counters.gone++;
        this.#finish(waiter, "gone");
      };
      const waiter: Waiter = {
        ready,
        deadline: now + timeout,
        done: (waited) => {
          signal?.removeEventListener("abort", leave);
          resolve(waited);
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** Something was published. */
  notify(): void {
    for (const waiter of this.#waiting) if (waiter.ready()) this.#finish(waiter, "ready");
  }

  /** Lets those go that waited too long. Timeouts differ little, so they come due nearly in the order of arrival. */
  advance(now: Millis): Millis {
    for (const waiter of this.#waiting) {
      if (waiter.deadline > now) return waiter.deadline;
      this.counters.timeouts++;
      this.#finish(waiter, "timeout");
    }
    return NEVER;
  }

  #finish(waiter: Waiter, waited: Waited): void {
    assert(this.#waiting.delete(waiter), "a waiter ends once");
    waiter.done(waited);
  }
}
