/**
 * Which time stamp an acknowledgement echoes last, to a peer that takes its round trip from that alone, as kcp-go does.
 *
 * Such a peer resends what is not acknowledged within its round trip and 20 ms, parity or not. A burst of it waits in the queue it has filled for longer than what went
 * before, so it would be sent twice, and that would make the queue longer. Where an older segment is named last, the round trip is as long as the longest wait
 * of late, and the timeout is longer than that. What is lost is resent for what has overtaken it, not by the timeout.
 *
 * Source: own, on reference/kcptun.md 5.1 and 5.2.
 */
import { seqDiff } from "../base/seq.ts";
import type { Millis } from "../base/units.ts";
import type { PeerDelay } from "./peer-delay.ts";

/** Tuning: the longest wait of so long, and of as long before, counts; and no more of it than this. */
const MOST_MS: Millis = 3000;
const WAIT_MS_MAX: Millis = 400;
/** Less is within the peer's own margin. */
const WAIT_MS_LEAST: Millis = 10;
/** Segments that are remembered, so far apart; and by how much the one that is named may be older than is wanted: after a pause all are. */
const NOTES = 64;
const APART_MS: Millis = 8;
const MISS_MS: Millis = 60;

export class SlowEcho {
  ts = 0;
  readonly #ts = new Uint32Array(NOTES);
  #length = 0;
  #notedAt: Millis = Number.NEGATIVE_INFINITY;
  #most: Millis = 0;
  #mostNext: Millis = 0;
  #nextAt: Millis = -1;
  readonly #delay: PeerDelay;

  /** `delay` is told of each segment first. */
  constructor(delay: PeerDelay) {
    this.#delay = delay;
  }

  /** A segment came, and its sender's time stamp. */
  took(now: Millis, ts: number): void {
    if (now >= this.#nextAt) {
      this.#most = this.#mostNext;
      this.#mostNext = 0;
      this.#nextAt = now + MOST_MS;
    }
    const most = Math.min(this.#delay.last, WAIT_MS_MAX);
    if (most > this.#mostNext) this.#mostNext = most;
    if (most > this.#most) this.#most = most;
    if (now - this.#notedAt < APART_MS) return;
    this.#notedAt = now;
    const i = this.#length++ % NOTES;
    this.#ts[i] = ts;
  }

  /** Looks for the segment to be named now, `current` on the 32-bit clock; false when none is as old as it should be. */
  find(current: number): boolean {
    if (this.#most < WAIT_MS_LEAST) return false;
    const oldest = Math.max(0, this.#length - NOTES);
    for (let n = this.#length - 1; n >= oldest; n--) {
      const i = n % NOTES;
      const wait = seqDiff(current, this.#ts[i]!) - this.#delay.least;
      if (wait < this.#most) continue;
      this.ts = this.#ts[i]!;
      return wait <= this.#most + MISS_MS;
    }
    return false;
  }
}
