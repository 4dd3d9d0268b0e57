/**
 * Window probes: when the peer's window is closed we ask (WASK) after 0.5 or 7 s, then 1.5 times later each try, at most every 120 s;
 * when ours opened again we tell (WINS).
 *
 * Source: reference/kcptun.md 5, 5.1 (2).
 */
import { seqAdd, seqDiff } from "../base/seq.ts";
import type { Millis } from "../base/units.ts";

/** Spec. */
const WAIT_MAX: Millis = 120_000;

export class Probe {
  readonly #initial: Millis;
  /** 0 while the peer's window is open. */
  #wait: Millis = 0;
  /** When the next WASK is due, on the 32-bit clock. */
  #due = 0;
  /** A WASK is to be sent in this flush. */
  ask = false;
  /** A WINS is to be sent in the next flush. */
  tell = false;

  constructor(initial: Millis) {
    this.#initial = initial;
  }

  /** Every full flush brings it up to date. `current` is the 32-bit clock. */
  update(current: number, rmtWnd: number): void {
    if (rmtWnd > 0) {
      this.#wait = 0;
    } else if (this.#wait === 0) {
      this.#wait = this.#initial;
      this.#due = seqAdd(current, this.#wait);
    } else if (seqDiff(current, this.#due) >= 0) {
      this.#wait = Math.min(this.#wait + (this.#wait >> 1), WAIT_MAX);
      this.#due = seqAdd(current, this.#wait);
      this.ask = true;
    }
  }
}
