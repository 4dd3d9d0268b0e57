/**
 * Round trip of the path while nothing waits: the least of late, and by how much others differ from it (kcp/rtt-noise), so that on a path whose delay differs more than
 * it is long neither is a window too small for what comes later than that, nor does each round trip show a queue.
 *
 * It is remembered for longer than it takes until it is asked for again, so that a queue is never taken for it meanwhile.
 */
import type { Millis } from "../base/units.ts";
import { WindowedMax } from "./windowed-max.ts";

const SPAN_MS: Millis = 10_000;
const MEMORY_MS: Millis = 15_000;
/** Tuning: round trips are longer than the least by so many times what one differs from the next. */
const NOISE = 3;

export class LeastRtt {
  /** Of its negative: the greatest. */
  readonly #memory = new WindowedMax(MEMORY_MS);
  /** Without what others differ by; −1 while nothing is known. */
  least: Millis = -1;
  #noise: Millis = 0;
  #at: Millis = 0;

  /** −1 while nothing is known. */
  get value(): Millis {
    return this.least < 0 ? -1 : this.least + NOISE * this.#noise;
  }

  /** The shortest round trip of some, −1 when there was none, and by how much they differ. */
  take(now: Millis, rtt: Millis, noise: Millis): void {
    this.#noise = noise;
    if (rtt < 0) return;
    if (this.least < 0 || rtt <= this.least) {
      this.#memory.reset(now, -rtt);
      this.#at = now;
    } else this.#memory.add(now, -rtt);
    this.least = -this.#memory.value;
  }

  /** It was not seen for so long that it is to be asked for; and again after as long, whatever comes of it. */
  asks(now: Millis): boolean {
    if (now - this.#at <= SPAN_MS) return false;
    this.#at = now;
    return true;
  }

  /** By other means. */
  learned(now: Millis, rtt: Millis): void {
    if (rtt <= 0 || (this.least >= 0 && rtt >= this.least)) return;
    this.least = rtt;
    this.#memory.reset(now, -rtt);
    this.#at = now;
  }

  forget(): void {
    this.least = -1;
    this.#noise = 0;
  }
}
