/**
 * Segments of which a second copy is to follow the resent one. Where loss comes in runs, a resent copy is often lost like the first, and waiting for that
 * costs another round trip: the echo follows it behind the run.
 */
import { type Millis, NEVER, type Seq32 } from "../base/units.ts";

/** Tuning: how long after the resent copy, and how many at once; more are not planned. */
const ECHO_MS: Millis = 10;
const ECHOES = 64;

export class Echoes {
  readonly #sn = new Uint32Array(ECHOES);
  readonly #at = new Float64Array(ECHOES);
  #head = 0;
  #length = 0;

  plan(now: Millis, sn: Seq32): void {
    if (this.#length === ECHOES) return;
    const at = (this.#head + this.#length++) % ECHOES;
    this.#sn[at] = sn;
    this.#at[at] = now + ECHO_MS;
  }

  /** The first segment whose time has come, −1 for none. */
  due(now: Millis): number {
    return this.#length > 0 && this.#at[this.#head]! <= now ? this.#sn[this.#head]! : -1;
  }

  /** The first one was sent, or is not wanted any more. */
  drop(): void {
    this.#head = (this.#head + 1) % ECHOES;
    this.#length--;
  }

  /** When the next one comes due; those that are due wait for the pacer. */
  deadline(now: Millis): Millis {
    const at = this.#length > 0 ? this.#at[this.#head]! : NEVER;
    return at > now ? at : NEVER;
  }
}
