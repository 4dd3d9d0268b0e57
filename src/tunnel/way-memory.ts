/** What a session has learned of the ways it took, so that it need not begin anew when it comes back to one. */
import type { Millis } from "../base/units.ts";

/** Tuning: paths change; and ways of a session at most. */
const FRESH_MS: Millis = 300_000;
const WAYS_MAX = 16;

export interface Learned {
  /** Bytes a millisecond that the way carried. */
  readonly bandwidth: number;
  readonly minRtt: Millis;
}

export class WayMemory {
  /** Made when the first way is left. */
  #of: Map<number, Learned & { readonly at: Millis }> | undefined;

  /** The way to this peer is left. */
  keep(now: Millis, peer: number, { bandwidth, minRtt }: Learned): void {
    if (bandwidth <= 0 || minRtt <= 0) return;
    this.#of ??= new Map();
    if (this.#of.size >= WAYS_MAX) this.#of.clear();
    this.#of.set(peer, { at: now, bandwidth, minRtt });
  }

  /** Undefined when nothing is known of it, or nothing that still holds. */
  recall(now: Millis, peer: number): Learned | undefined {
    const learned = this.#of?.get(peer);
    return learned === undefined || now - learned.at > FRESH_MS ? undefined : learned;
  }
}
