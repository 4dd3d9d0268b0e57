/**
 * Where one burst of an application ends and the next begins in what KCP has queued: a frame of video that is still being sent when the next one comes. The first one's parity
 * is not to wait for the next one's data.
 */
import { seqDiff } from "../base/seq.ts";
import type { Millis, Seq32 } from "../base/units.ts";

/** Tuning: nothing came for so long. */
const GAP_MS: Millis = 5;

export class BurstEdge {
  #tail: Seq32 = 0;
  #grewAt: Millis = Number.POSITIVE_INFINITY;
  #edge = 0;
  #known = false;

  /** Once a round: segments are queued up to `tail`, and sent up to `next`. */
  look(now: Millis, tail: Seq32, next: Seq32): void {
    if (tail === this.#tail) return;
    if (!this.#known && now - this.#grewAt > GAP_MS && seqDiff(this.#tail, next) > 0) {
      this.#edge = this.#tail;
      this.#known = true;
    }
    this.#tail = tail;
    this.#grewAt = now;
  }

  /** The first burst has been sent: true once. */
  passed(next: Seq32): boolean {
    if (!this.#known || seqDiff(next, this.#edge) < 0) return false;
    this.#known = false;
    return true;
  }
}
