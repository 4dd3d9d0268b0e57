/** Whether something lives, judged by results in turn: one alone changes nothing, so many of a kind do. */
import type { Millis } from "../base/units.ts";

export class Verdict {
  /** Undefined until the first result, which decides by itself. */
  healthy: boolean | undefined;
  /** Of the last answer; undefined before the first. */
  answeredMs: Millis | undefined;
  failures = 0;
  #inTurn = 0;

  constructor(initial: boolean | undefined) {
    this.healthy = initial;
  }

  /** `answeredMs` undefined: it failed. `needed`: results in turn that change the verdict. True when this one did. */
  tell(answeredMs: Millis | undefined, needed: number): boolean {
    const answered = answeredMs !== undefined;
    if (answered) this.answeredMs = answeredMs;
    else this.failures++;
    if (answered === this.healthy) {
      this.#inTurn = 0;
      return false;
    }
    if (++this.#inTurn < needed && this.healthy !== undefined) return false;
    this.healthy = answered;
    this.#inTurn = 0;
    return true;
  }
}
