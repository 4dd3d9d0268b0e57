/** Warns of datagrams that may be too long for the path once they are sealed: once a second at most, with their number. */
import type { Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";

export class LongDatagrams {
  readonly #fromBytes: number;
  readonly #log: Log;
  #count = 0;
  #longest = 0;
  #toldAt: Millis = Number.NEGATIVE_INFINITY;

  /** `fromBytes`: how long a datagram has to be. */
  constructor(fromBytes: number, log: Log) {
    this.#fromBytes = fromBytes;
    this.#log = log;
  }

  /** Counts one that is sent all the same; 1 when it is long. */
  see(now: Millis, bytes: number): number {
    if (bytes < this.#fromBytes) return 0;
    this.#count++;
    this.#longest = Math.max(this.#longest, bytes);
    if (now - this.#toldAt < EVERY_MS) return 1;
    this.#toldAt = now;
    this.#log.warn(
      { count: this.#count, longest: this.#longest, from: this.#fromBytes },
      "datagrams may be too long for the path (mtu-warn)",
    );
    this.#count = 0;
    this.#longest = 0;
    return 1;
  }
}

const EVERY_MS: Millis = 1000;
