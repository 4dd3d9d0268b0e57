/** What a path loses by itself: seen where less was sent than it carries. */
import type { Bytes } from "../base/units.ts";

/** Tuning: it is looked at where at least so many bytes were sent, remembers so many, and is believed up to so much. */
const SENT_MIN: Bytes = 8 * 1400;
const MEMORY: Bytes = 200 * 1400;
const SHARE_MAX = 0.5;

export class OwnLoss {
  /** Share of what is sent. */
  share = 0;
  /** How far what is seen lies from it, on average: losses may come in runs. */
  deviation = 0;

  observe(lost: Bytes, sent: Bytes): void {
    if (sent < SENT_MIN) return;
    const weight = sent / (sent + MEMORY);
    const error = Math.min(lost / sent, SHARE_MAX) - this.share;
    this.share += error * weight;
    this.deviation += (Math.abs(error) - this.deviation) * weight;
  }

  forget(): void {
    this.share = 0;
    this.deviation = 0;
  }
}
