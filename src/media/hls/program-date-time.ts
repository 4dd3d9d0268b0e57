/**
 * Ties the stream's clock to the wall clock (EXT-X-PROGRAM-DATE-TIME, RFC 8216bis section 4.4.4.6).
 *
 *   date(dts) = dts + offset,   offset = least (arrival − dts) seen, allowed to rise by 200 ppm
 *
 * The unit that travelled fastest says best what the encoder's clock reads. Dating each segment by its own arrival instead would make every delay on
 * the way to the origin vanish from the viewer's latency, and let dates jump with each burst; this way a viewer sees how much later than the best
 * unit a picture came. The offset may rise slowly, because the encoder's clock may run slow against ours.
 */
import type { Micros } from "../../base/units.ts";

export class ProgramDateTime {
  #offset = Number.POSITIVE_INFINITY;
  #latest: Micros = 0;
  /** How much later than the fastest unit the last one came, in milliseconds. */
  lateMs = 0;

  /** `arrival` in Unix milliseconds. */
  observe(dts: Micros, arrival: number): void {
    if (this.#offset < Number.POSITIVE_INFINITY) this.#offset += (Math.max(0, dts - this.#latest) / 1000) * CLOCK_DRIFT;
    this.#latest = dts;
    this.#offset = Math.min(this.#offset, arrival - dts / 1000);
    this.lateMs = arrival - dts / 1000 - this.#offset;
  }

  /** Unix milliseconds that belong to `dts`; only after the first `observe`. */
  date(dts: Micros): number {
    return dts / 1000 + this.#offset;
  }
}

/** More than two quartz clocks differ. */
const CLOCK_DRIFT = 200e-6;
