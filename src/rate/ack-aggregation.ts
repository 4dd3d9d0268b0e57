/**
 * Acknowledgements that come in bursts, because the path holds packets back and lets them go together (Wi-Fi, mobile networks): while they are held nothing leaves unless more may be
 * in flight than a path would hold that delivers evenly.
 *
 *   an epoch:   acknowledged since it began − bandwidth · time, begun anew where that is 0      ─▶ the most of it in the last rounds
 *
 * Source: draft-ietf-ccwg-bbr section 5.5.9 (extra_acked), Linux net/ipv4/tcp_bbr.c bbr_update_ack_aggregation.
 *
 * Deviations: KCP's own batches, which any path has, do not count (EVEN_MS).
 */
import type { Bytes, Millis } from "../base/units.ts";
import { WindowedMax } from "./windowed-max.ts";

const ROUNDS = 10;
/** A peer of ours acknowledges every 10 ms, a kcptun every 20 to 40; both are woken late. */
const EVEN_MS: Millis = 20;
const EVEN_FOREIGN_MS: Millis = 40;
/** BBR's limit: no more than comes in so long a time. */
const MOST_MS: Millis = 100;

export class AckAggregation {
  readonly #most = new WindowedMax(ROUNDS);
  /** The peer is not ours. */
  foreign = false;
  #epochAt: Millis = 0;
  #acked: Bytes = 0;

  /** So much more may be in flight. */
  get extra(): Bytes {
    return this.#most.value;
  }

  /** `newly` bytes were acknowledged; `bandwidth` in bytes a millisecond, 0 = not known yet; `rounds`: how many there were. */
  add(now: Millis, newly: Bytes, bandwidth: number, rounds: number): void {
    const expected = bandwidth * (now - this.#epochAt);
    if (this.#acked <= expected) {
      this.#epochAt = now;
      this.#acked = newly;
    } else this.#acked += newly;
    const even = this.foreign ? EVEN_FOREIGN_MS : EVEN_MS;
    const surplus = this.#acked - bandwidth * (now - this.#epochAt + even);
    this.#most.add(rounds, bandwidth === 0 ? 0 : Math.min(Math.max(0, surplus), bandwidth * MOST_MS));
  }

  forget(): void {
    this.#most.reset(0, 0);
    this.#acked = 0;
  }
}
