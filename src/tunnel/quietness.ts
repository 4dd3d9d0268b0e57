/** Whether a session is at rest: keep-alives, and what answers them. */
import type { Millis } from "../base/units.ts";

/** Tuning: fewer datagrams came and went in so long. */
const REST_MS: Millis = 10_000;
const DATAGRAMS_MAX = 12;

export class Quietness {
  #at: Millis;
  #datagrams = 0;

  constructor(now: Millis) {
    this.#at = now + REST_MS;
  }

  /** The time is over. */
  due(now: Millis): boolean {
    return now >= this.#at;
  }

  /** Of `datagrams` so far few belong to that time. */
  few(datagrams: number): boolean {
    return datagrams - this.#datagrams <= DATAGRAMS_MAX;
  }

  /** From here on. */
  begin(now: Millis, datagrams: number): void {
    this.#at = now + REST_MS;
    this.#datagrams = datagrams;
  }
}
