/**
 * Guessing of stream keys is slowed: an address that showed too many wrong ones is not listened to for a while, right or wrong, and that is reported once.
 */
import type { Millis } from "../base/units.ts";

export interface KeyGuardOptions {
  /** Wrong keys from one address within `window`. */
  readonly triesMax: number;
  readonly window: Millis;
  /** Addresses remembered; the one heard of longest ago is forgotten for a new one. */
  readonly addressesMax: number;
}

export const keyGuardDefaults: KeyGuardOptions = { triesMax: 20, window: 60_000, addressesMax: 10_000 };

interface Tries {
  count: number;
  readonly since: Millis;
}

export class KeyGuard {
  readonly #options: KeyGuardOptions;
  readonly #tries = new Map<string, Tries>();
  readonly counters = { wrong: 0, blocked: 0, forgotten: 0 };

  constructor(options: KeyGuardOptions = keyGuardDefaults) {
    this.#options = options;
  }

  /** Whether `address` is listened to now. */
  allows(address: string, now: Millis): boolean {
    const tries = this.#current(address, now);
    if (tries === undefined || tries.count < this.#options.triesMax) return true;
    this.counters.blocked++;
    return false;
  }

  /** `address` showed a wrong key; true when it was the one too many. */
  wrong(address: string, now: Millis): boolean {
    this.counters.wrong++;
    const known = this.#current(address, now);
    if (known !== undefined) return ++known.count === this.#options.triesMax;
    if (this.#tries.size >= this.#options.addressesMax) {
      this.#tries.delete(this.#tries.keys().next().value!);
      this.counters.forgotten++;
    }
    this.#tries.set(address, { count: 1, since: now });
    return this.#options.triesMax === 1;
  }

  #current(address: string, now: Millis): Tries | undefined {
    const tries = this.#tries.get(address);
    if (tries === undefined || now - tries.since < this.#options.window) return tries;
    this.#tries.delete(address);
    return undefined;
  }
}
