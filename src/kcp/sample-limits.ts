/** Which transmissions tell no rate, because less was sent around them than the path carries: the application had no more, or the sender was woken late. */
import type { AckRound } from "../base/rate-controller.ts";
import type { Bytes } from "../base/units.ts";

/** What is wrong with a sample. */
const NOTHING = 0;
const APP_LIMITED = 1;
const LATE = 2;

export class SampleLimits {
  #limitedUntil: Bytes = 0;
  #lateUntil: Bytes = 0;

  /** There was nothing to send; `delivered`: what will have been when all that is in flight has. */
  exhausted(delivered: Bytes): void {
    this.#limitedUntil = delivered + 1;
  }

  /** The sender was woken late. */
  late(delivered: Bytes): void {
    this.#lateUntil = delivered + 1;
  }

  /** What is wrong with the sample of a transmission that leaves when so much has been delivered. */
  at(delivered: Bytes): number {
    if (this.#limitedUntil > delivered) return APP_LIMITED;
    return this.#lateUntil > delivered ? LATE : NOTHING;
  }

  /** A transmission for which `at` answered `limit` left when the application had no more. */
  static paused(limit: number): boolean {
    return limit === APP_LIMITED;
  }

  /** The sample of a transmission for which `at` answered `limit`. */
  tell(limit: number, round: AckRound): void {
    round.appLimited = limit === APP_LIMITED;
    round.late = limit === LATE;
  }
}
