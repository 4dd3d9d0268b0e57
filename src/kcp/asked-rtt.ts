/** Round trip to a peer that only sends, and so acknowledges nothing of ours: its window is asked for (WASK), and its answer tells. */
import type { Millis } from "../base/units.ts";

/** Tuning: the round trip while nobody knows it, and how often it is asked for. */
const RTT_MS: Millis = 200;
const ASK_MS: Millis = 500;
const SAMPLE_SHARE = 1 / 8;

export class AskedRtt {
  rtt: Millis = RTT_MS;
  /** The peer has answered. */
  known = false;
  #askAt: Millis = 0;
  #askedAt: Millis = -1;

  /** True when it is to be asked now. */
  asks(now: Millis): boolean {
    if (now < this.#askAt) return false;
    this.#askAt = now + ASK_MS;
    this.#askedAt = now;
    return true;
  }

  /** The peer has told its window. */
  told(now: Millis): void {
    if (this.#askedAt < 0) return;
    const rtt = now - this.#askedAt;
    this.#askedAt = -1;
    // Its timer may have let the answer wait.
    this.rtt = !this.known || rtt < this.rtt ? rtt : this.rtt + (rtt - this.rtt) * SAMPLE_SHARE;
    this.known = true;
  }
}
