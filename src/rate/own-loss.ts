/** What a path loses by itself: seen where less was sent than it carries. */
import type { Bytes } from "../base/units.ts";
import { SEGMENT_BYTES } from "./segment-bytes.ts";

/** Tuning: it is looked at where at least so many bytes were sent, remembers so many, and is believed up to so much. */
const SENT_MIN: Bytes = 8 * SEGMENT_BYTES;
const MEMORY: Bytes = 200 * SEGMENT_BYTES;
const SHARE_MAX = 0.5;
/** What is lost now and then is remembered for longer; nothing is taken to lose less than SHARE_MIN. */
const MEMORY_LONG: Bytes = 4000 * SEGMENT_BYTES;
const SHARE_MIN = 0.00015;
/** So much in a row without a loss shows a path that loses next to nothing. */
const CLEAN: Bytes = 500 * SEGMENT_BYTES;
/** Standard deviations of losses that come one by one, and mean ones of what was seen, that make it unlikely to be the path's own. */
const DEVIATIONS = 4;
const MEAN_DEVIATIONS = 4;

export class OwnLoss {
  /** Share of what is sent. */
  share = 0;
  /** How far what is seen lies from it, on average: losses may come in runs. */
  #deviation = 0;
  /** The share of all that was looked at lately. */
  #shareLong = 0;
  #seen: Bytes = 0;
  /** Looked at without parity since the last loss. */
  #unlost: Bytes = 0;

  /** `bare`: no parity hides any of it. */
  observe(lost: Bytes, sent: Bytes, bare = false): void {
    if (sent < SENT_MIN) return;
    this.#unlost = lost > 0 || !bare ? 0 : this.#unlost + sent;
    const weight = sent / (sent + MEMORY);
    const share = Math.min(lost / sent, SHARE_MAX);
    const error = share - this.share;
    this.share += error * weight;
    this.#deviation += (Math.abs(error) - this.#deviation) * weight;
    this.#seen = Math.min(this.#seen + sent, MEMORY_LONG);
    this.#shareLong += ((share - this.#shareLong) * sent) / this.#seen;
  }

  /** Of all that was looked at lately nothing was lost. */
  get clean(): boolean {
    return this.#unlost >= CLEAN;
  }

  /** So much more of `sent` was lost than the path loses by itself that something else is likely to have lost it. */
  exceededBy(lost: Bytes, sent: Bytes): boolean {
    const segments = sent / SEGMENT_BYTES;
    const own = segments * Math.max(this.share, this.#shareLong, SHARE_MIN);
    return lost / SEGMENT_BYTES > own + Math.max(DEVIATIONS * Math.sqrt(own), MEAN_DEVIATIONS * this.#deviation * segments);
  }

  forget(): void {
    this.share = 0;
    this.#deviation = 0;
    this.#shareLong = 0;
    this.#seen = 0;
    this.#unlost = 0;
  }
}
