/**
 * Which holes a kcptun sends again, and when: ours to say, since it resends what two ACKs have overtaken, and an ACK overtakes only what was sent no later than the
 * time stamp it echoes.
 *
 *   1 2 · · 5 6        ACKs of 5, 6: stamped as if they were older than the hole      nothing is overtaken: parity may close it yet
 *         └ so long    ACKs of 5 twice, with its own time stamp                       3 and 4 are sent again; 6 had no part in it
 *           └ later    the same, stamped as late as their resent copies               once more, behind the run of loss that may have taken those
 *             └ what was sent later than the copies has come                          they are lost, too: from the beginning
 *
 * Before a hole is asked for, all behind it that has come is acknowledged again: what the peer does not know of would be sent again with it. A long hole is
 * no run of loss but a queue that ran over, which is not helped by more copies. Every number that is told has come.
 *
 * Source: own, on reference/kcptun.md 5.1 and 5.2. A kcp-go of 2026 resends for ACKs once between two timeouts; for it there is no second time.
 */
import { seqAdd, seqDiff } from "../base/seq.ts";
import { type Millis, NEVER, type Seq32 } from "../base/units.ts";
import type { AckList } from "./ack-list.ts";
import type { PeerDelay } from "./peer-delay.ts";
import type { ReceiveWindow } from "./receive-window.ts";
import { clock } from "./segment.ts";

/** Tuning: parity closes most holes within so long. */
const HELD_MS: Millis = 12;
/** The second copy follows so much later; a peer's timer may let the first wait. */
const COPY_MS: Millis = 35;
const TIMER_MS: Millis = 20;
/** Copies are lost when what was sent so much later has come; or after so many round trips and so long, with nothing coming. */
const LATER_MS: Millis = 40;
const ROUND_TRIPS = 2;
const SILENT_MS: Millis = 50;
/** So often a hole is asked for; then the peer's timeout is left to it. */
const ASKED_MAX = 16;
/** A longer hole is asked for once in a round trip. */
const RUN_MAX = 20;
/** So many behind a hole are acknowledged again. */
const TOLD_AGAIN = 256;
/** Holes that are remembered, the newest. */
const HOLES = 64;

class Holes {
  readonly from = new Uint32Array(HOLES);
  /** Behind its last one: the first that came. Then that one's time stamp. */
  readonly to = new Uint32Array(HOLES);
  readonly ts = new Uint32Array(HOLES);
  /** Older than what is missing, by the peer's clock. */
  readonly before = new Uint32Array(HOLES);
  readonly since = new Float64Array(HOLES);
  readonly at = new Float64Array(HOLES);
  readonly asked = new Uint8Array(HOLES);
  /** By the peer's clock: what was sent then would come behind the copies. */
  readonly later = new Uint32Array(HOLES);
  readonly waits = new Uint8Array(HOLES);
}

export class Gaps {
  readonly #delay: PeerDelay;
  /** Made with the first hole. */
  #holes: Holes | undefined;
  #oldest = 0;
  #end = 0;
  /** Time stamp of the segment that came last. */
  #last = 0;
  #next: Millis = NEVER;

  /** `delay` is told of each segment first. */
  constructor(delay: PeerDelay) {
    this.#delay = delay;
  }

  /** Segment `sn` came, `ahead` beyond the first that was never heard of, and its sender's time stamp. */
  came(now: Millis, sn: Seq32, ahead: number, ts: number): void {
    if (ahead > 0) this.#open(now, seqAdd(sn, -ahead), sn, ts);
    this.#last = ts;
    for (let k = this.#oldest; k < this.#end; k++) {
      const i = k % HOLES;
      const { waits, later, at } = this.#holes!;
      if (waits[i] === 0 || seqDiff(ts, later[i]!) <= 0) continue;
      waits[i] = 0;
      at[i] = now;
      this.#next = now;
    }
  }

  /** Something is missing behind which others came, or was when this was asked for last. */
  get open(): boolean {
    return this.#oldest < this.#end;
  }

  /** The time stamp to echo of a segment that came with `ts`. */
  stamp(ts: number): number {
    if (!this.open) return ts;
    const before = this.#holes!.before[this.#oldest % HOLES]!;
    return seqDiff(ts, before) > 0 ? before : ts;
  }

  /** For how long segment `sn` had been missing that came with `ts`, though it was sent no later than what overtook it; 0: it was not, or nobody knows. */
  overtaken(now: Millis, sn: Seq32, ts: number): Millis {
    for (let k = this.#end - 1; k >= this.#oldest; k--) {
      const i = k % HOLES;
      const holes = this.#holes!;
      if (seqDiff(sn, holes.from[i]!) < 0) continue;
      return seqDiff(sn, holes.to[i]!) < 0 && seqDiff(ts, holes.ts[i]!) <= 0 ? now - holes.since[i]! : 0;
    }
    return 0;
  }

  /** When `turn` has something to do. */
  deadline(): Millis {
    return this.#next;
  }

  /** Asks by `acks` for what is due; false when nothing is. `rtt`: round trip to the peer. */
  turn(now: Millis, rtt: Millis, receive: ReceiveWindow, acks: AckList): boolean {
    const holes = this.#holes;
    if (holes === undefined || now < this.#next) return false;
    while (this.open && seqDiff(holes.to[this.#oldest % HOLES]!, receive.nxt) <= 0) this.#oldest++;
    let asked = false;
    this.#next = NEVER;
    for (let k = this.#oldest; k < this.#end; k++) {
      const i = k % HOLES;
      if (holes.at[i]! <= now && this.#asks(now, rtt, i, receive, acks)) asked = true;
      this.#next = Math.min(this.#next, holes.at[i]!);
    }
    return asked;
  }

  #open(now: Millis, from: Seq32, to: Seq32, ts: number): void {
    this.#holes ??= new Holes();
    const holes = this.#holes;
    if (this.#end - this.#oldest === HOLES) this.#oldest++;
    const i = this.#end++ % HOLES;
    holes.from[i] = from;
    holes.to[i] = to;
    holes.ts[i] = ts;
    holes.before[i] = seqAdd(this.#last, -1);
    holes.since[i] = now;
    holes.at[i] = now + HELD_MS;
    holes.asked[i] = 0;
    holes.waits[i] = 0;
    this.#next = Math.min(this.#next, holes.at[i]!);
  }

  #asks(now: Millis, rtt: Millis, i: number, receive: ReceiveWindow, acks: AckList): boolean {
    const { from, to, ts, at, asked, later, waits } = this.#holes!;
    waits[i] = 0;
    at[i] = NEVER;
    if (asked[i] === ASKED_MAX || !receive.misses(from[i]!, to[i]!)) return false;
    const run = seqDiff(to[i]!, from[i]!) <= RUN_MAX;
    const first = !run || asked[i]! % 2 === 0;
    // What this makes the peer send leaves by then, by its clock.
    const resent = Math.round(clock(now) + rtt - this.#delay.least);
    if (first) this.#tellAgain(to[i]!, receive, acks);
    const stamp = asked[i]! > 0 ? seqAdd(resent, TIMER_MS) : ts[i]!;
    acks.push(to[i]!, stamp);
    acks.push(to[i]!, stamp);
    asked[i]!++;
    at[i] = now + COPY_MS;
    if (first && run) return true;
    at[i] = now + ROUND_TRIPS * rtt + SILENT_MS;
    later[i] = seqAdd(resent, LATER_MS);
    waits[i] = 1;
    return true;
  }

  /** Acknowledges what came behind the first hole and before `to`. */
  #tellAgain(to: Seq32, receive: ReceiveWindow, acks: AckList): void {
    const told = Math.min(seqDiff(to, receive.nxt), TOLD_AGAIN);
    for (let sn = seqAdd(to, -told); sn !== to; sn = seqAdd(sn, 1)) if (receive.has(sn)) acks.push(sn, this.stamp(this.#last));
  }
}
