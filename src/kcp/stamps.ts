/**
 * Which time stamps ACKs echo to a peer that goes by them, as kcp-go does: what an ACK overtakes (gaps), and, by the last one of a packet, its round trip, and
 * so how long it waits before it sends again what is not acknowledged (slow-echo).
 *
 *   ACK 5, ACK 6 …    no later than the oldest hole     nothing is overtaken but what is asked for
 *   ACK of una − 1    the last one of a packet          a round trip as long as the longest wait of late, and as the oldest hole is old: what is behind that
 *                                                       has come, though the ACK that said so may be lost, and its timeout outlasts the hole
 */
import { seqDiff } from "../base/seq.ts";
import { type Millis, NEVER, type Seq32 } from "../base/units.ts";
import type { AckList } from "./ack-list.ts";
import { Gaps } from "./gaps.ts";
import type { PeerDelay } from "./peer-delay.ts";
import type { ReceiveWindow } from "./receive-window.ts";
import { SlowEcho } from "./slow-echo.ts";

/** Tuning: a hole that is older tells no round trip. */
const HOLE_MS_MAX: Millis = 500;

export class Stamps {
  /** The peer sends again what we ask for: where its window is not limited (credit), which has other ways to ask. The owner sets it. */
  steers = false;
  /** The peer goes by other things. The owner sets it. */
  off = false;
  readonly #delay: PeerDelay;
  readonly #echo: SlowEcho;
  readonly #gaps: Gaps;
  /** An ACK had another time stamp than its segment. */
  #stamped = false;

  /** `delay` is told of each segment first, unless it was rebuilt. */
  constructor(delay: PeerDelay) {
    this.#delay = delay;
    this.#echo = new SlowEcho(delay);
    this.#gaps = new Gaps(delay);
  }

  /** Segment `sn` came that was not there before, `ahead` beyond the first that was never heard of, and its sender's time stamp; not `regular`: it was rebuilt. */
  took(now: Millis, sn: Seq32, ahead: number, ts: number, regular: boolean): void {
    if (regular) this.#echo.took(now, ts);
    this.#gaps.came(now, sn, ahead, ts);
  }

  /** See Gaps. */
  overtaken(now: Millis, sn: Seq32, ts: number): Millis {
    return this.#gaps.overtaken(now, sn, ts);
  }

  /** What the ACK of a segment echoes that came with `ts`. */
  of(ts: number): number {
    if (!this.steers) return ts;
    const stamp = this.#gaps.stamp(ts);
    if (stamp !== ts) this.#stamped = true;
    return stamp;
  }

  /** What the last ACK of a packet echoes, `current` on the 32-bit clock; −1: what it is. */
  last(current: number): number {
    if (this.off) return -1;
    const { newest, least } = this.#delay;
    const slow = this.#echo.find(current) ? this.#echo.ts : -1;
    if (!this.#stamped) return slow;
    this.#stamped = false;
    const hole = this.#gaps.stamp(newest);
    const ts = slow < 0 ? newest : slow;
    return seqDiff(hole, ts) < 0 && seqDiff(current, hole) - least <= HOLE_MS_MAX ? hole : ts;
  }

  /** When `turn` has something to do. */
  deadline(): Millis {
    return this.steers ? this.#gaps.deadline() : NEVER;
  }

  /** Asks by `acks` for what is to be sent again now; false when nothing is. `rtt`: round trip to the peer. */
  turn(now: Millis, rtt: Millis, receive: ReceiveWindow, acks: AckList): boolean {
    const asks = this.steers && this.#gaps.turn(now, rtt, receive, acks);
    if (asks) this.#stamped = true;
    return asks;
  }
}
