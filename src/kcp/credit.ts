/**
 * The window told to a peer that sends without a congestion window, as kcptun does: how far it may go is then ours to say.
 *
 *   free ── overflow ─▶ limited        overflow: most of a long row of segments is lost, as when a burst is longer than the queue it meets
 *     ▲                    │
 *     └── no queue, or long┘           it went on though next to nothing was let go; or bursts came through that grew and grew
 *
 *   edge = newest segment + what is usually under way + burst          limited
 *   edge moves on at `pace`                                            and the peer went up to the edge for a while: it has more
 *   edge stays                                                         and more is missing than a burst
 *
 * Such a peer lets go at once what the window takes, so what stands unused of it is the burst that the path must bear at any time. The window moves with the
 * ACKs, and is told by itself (WINS) when none are due. The round trip is asked for (WASK), since a peer that only sends acknowledges nothing of ours.
 * What a burst has lost is resent in a burst: an ACK told again when nothing more is under way begins the next one, where the peer would wait for its timers,
 * which become longer each time.
 *
 * Until a queue has run over, the window is what the receive window has room for, as kcp-go tells it.
 *
 * Source: own; that a receiver limits a sender, and by the delay it sees, is of RFC 9840 (rLEDBAT).
 */
import { seqAdd, seqDiff } from "../base/seq.ts";
import { type Bytes, type Millis, NEVER, type Seq32 } from "../base/units.ts";
import { CreditNotes } from "./credit-notes.ts";
import type { Probe } from "./probe.ts";
import { clock } from "./segment.ts";

/**
 * Tuning: segments of a row, and how many are lost when a queue runs over: at first, of rows one behind another of which most is lost, as no run of loss is so long;
 * and once the queue is known to be short.
 */
const ROW = 64;
const ROWS_LOST = 100;
const ROW_LOST_AGAIN = 8;
/** What may leave at once: at first, at least, and when nothing is limited any more. */
const BURST: Bytes = 16_000;
const BURST_LEAST: Bytes = 12_000;
const BURST_ANY: Bytes = 400_000;
const BURST_GROWTH = 1.05;
/** Until it has happened again: the path may have been gone for a moment. */
const BURST_GROWTH_FIRST = 1.25;
const BURST_DECREASE = 0.8;
/** So often in a row a queue ran over though next to nothing was let go: then it is no queue. */
const FUTILE = 4;
const FUTILE_MS: Millis = 60_000;
/** A peer that went up to the edge for so long has more; its timer lets some of it wait. */
const LIMITED_MS: Millis = 25;
const TIMER_MS: Millis = 20;
const TELL_MS: Millis = 10;
/** How long a queue shall be; how fast the pace grows where there is none, and falls where it is twice as long, in a round trip. */
const QUEUE_MS: Millis = 7;
const PACE_GROWTH = 0.3;
const PACE_STEP = 0.15;
/** Where segments are missing the peer sends by its timer. */
const PACE_MISSING = 0.6;
const TIMER_SHARE = 0.8;
const MISSING = 2;
/** What comes on average over so long says how much is under way; less than that, as what is too little shows, and what is too much does not. */
const USUAL_MS: Millis = 5000;
const USUAL_SHARE = 0.85;
/** Round trip while nobody knows it, how often it is asked for, and for how long nothing came when a burst has ended. */
const RTT_MS: Millis = 200;
const ASK_MS: Millis = 500;
const QUIET_MS: Millis = 25;
/** The quickest of so long, and of the time before, is what others are compared with. */
const LEAST_MS: Millis = 30_000;
/** Shares of one segment in averages. */
const LENGTH_SHARE = 1 / 64;
const DELAY_SHARE = 1 / 16;

/** Of sessions that are not limited, which most are. */
const NO_NOTES = new CreditNotes();

export class Credit {
  /** Off: the peer limits itself, and the window is told as it is. */
  off = false;
  /** How often a row ran over a queue. */
  overflows = 0;
  /** An ACK is to be told again: of segment `again`, with time stamp `againTs`. The owner clears it. */
  nudges = false;
  againTs = 0;
  rtt: Millis = RTT_MS;
  /** Of the packet being read. The owner sets it. */
  now: Millis = 0;
  /** Segments that may leave at once; Infinity: any. */
  #burst = Number.POSITIVE_INFINITY;
  #rtts = 0;
  #askAt: Millis = 0;
  #askedAt: Millis = -1;
  /** Behind the newest segment; and how many below it have not come. */
  #top: Seq32;
  #missing = 0;
  /** Of a segment on average. */
  #length: Bytes = 0;
  /** Behind the last segment that the peer may send, since when, and whether it is to be reckoned anew. */
  #edge: Seq32 = 0;
  #edgeAt: Millis = 0;
  #stale = true;
  #notes = NO_NOTES;
  /** The peer goes up to the edge since then, −1: it does not. */
  #limitedSince: Millis = -1;
  #backlogged = false;
  /** Segments a millisecond: what the edge moves by, what is left over of the last whole one, and what comes usually. */
  #pace = 0;
  #paceAt: Millis = 0;
  #fraction = 0;
  #usual = 0;
  #topBefore: Seq32;
  /** How much longer than the quickest segments are under way. */
  #delay: Millis = 0;
  #least = 0;
  #leastNext = 0;
  #leastAt: Millis = -1;
  #rowEnd: Seq32;
  #rowLost = 0;
  /** Of rows one behind another of which most was lost. */
  #rowsLost = 0;
  /** Overflows since the window is limited. */
  #again = 0;
  #rowLimited = false;
  #overflowAt: Millis = 0;
  #futile = 0;
  #idleUntil: Millis = 0;
  /** When the next burst of resent segments is asked for. */
  #nudgeAt: Millis = NEVER;

  constructor(firstSn: Seq32 = 0) {
    this.#top = firstSn;
    this.#topBefore = firstSn;
    this.#rowEnd = seqAdd(firstSn, ROW);
  }

  get limited(): boolean {
    return !this.off && this.#burst < Number.POSITIVE_INFINITY;
  }

  get again(): Seq32 {
    return seqAdd(this.#top, -1);
  }

  /** A segment with so many bytes of data came that was not there before, and its sender's time stamp; not `regular`: it was rebuilt from parity. */
  stored(sn: Seq32, ts: number, length: Bytes, regular: boolean): void {
    if (this.off) {
      if (seqDiff(sn, this.#top) >= 0) this.#top = seqAdd(sn, 1);
      return;
    }
    const { now } = this;
    this.#stale = true;
    this.#length += this.#length === 0 ? length : (length - this.#length) * LENGTH_SHARE;
    this.#nudgeAt = now + QUIET_MS;
    if (regular) this.#time(now, ts);
    const ahead = seqDiff(sn, this.#top);
    if (ahead < 0) {
      this.#missing--;
      return;
    }
    this.#missing += ahead;
    this.#rowLost += ahead;
    this.#top = seqAdd(sn, 1);
    if (seqDiff(this.#top, this.#rowEnd) >= 0) this.#endRow(now);
  }

  /** The window to tell now, where `nxt` is the first segment that is missing and `unused` places are free. */
  window(nxt: Seq32, unused: number): number {
    if (!this.limited) return unused;
    if (this.#stale) this.#move(this.now);
    return Math.max(Math.min(unused, 1), Math.min(unused, seqDiff(this.#edge, nxt)));
  }

  /** When `turn` has something to do. */
  deadline(): Millis {
    if (!this.limited) return NEVER;
    return Math.min(this.#backlogged ? this.#edgeAt + TELL_MS : NEVER, this.#recovers ? this.#nudgeAt : NEVER);
  }

  /** True when something is to be told though nothing came: the window, or that we want to know the peer's. */
  turn(now: Millis, probe: Probe): boolean {
    if (!this.limited) return false;
    const tells = now >= this.deadline();
    const asks = now >= this.#askAt;
    if (tells) {
      this.now = now;
      this.#stale = true;
      probe.tell = true;
      if (this.#recovers && now >= this.#nudgeAt) {
        this.nudges = true;
        this.#nudgeAt = now + this.rtt + TIMER_MS;
      }
    }
    if (asks) {
      // The answer tells the round trip.
      this.#askAt = now + ASK_MS;
      this.#askedAt = now;
      probe.ask = true;
    }
    return tells || asks;
  }

  /** The peer has told its window. */
  told(now: Millis): void {
    if (this.#askedAt < 0) return;
    const rtt = now - this.#askedAt;
    this.#askedAt = -1;
    this.rtt = this.#rtts++ === 0 ? rtt : this.rtt + (rtt - this.rtt) / 4;
  }

  /** More is missing than is lost in passing. */
  get #recovers(): boolean {
    return this.#missing > this.#burst;
  }

  #time(now: Millis, ts: number): void {
    // Nobody knows by how much the clocks differ, nor for how long they differ by that.
    const way = seqDiff(clock(now), ts);
    if (now >= this.#leastAt) {
      if (this.#leastAt < 0) this.againTs = ts;
      this.#least = this.#leastAt < 0 ? way : this.#leastNext;
      this.#leastNext = way;
      this.#leastAt = now + LEAST_MS;
    }
    if (seqDiff(ts, this.againTs) > 0) this.againTs = ts;
    if (seqDiff(way, this.#leastNext) < 0) this.#leastNext = way;
    if (seqDiff(way, this.#least) < 0) this.#least = way;
    this.#delay += (seqDiff(way, this.#least) - this.#delay) * DELAY_SHARE;
  }

  #endRow(now: Millis): void {
    const length = ROW + seqDiff(this.#top, this.#rowEnd);
    const lost = this.#rowLost;
    const used = this.#rowLimited;
    this.#rowLost = 0;
    this.#rowLimited = false;
    this.#rowEnd = seqAdd(this.#top, ROW);
    if (!this.limited) {
      this.#rowsLost = lost > length / 2 ? this.#rowsLost + lost : 0;
      if (this.#rowsLost >= ROWS_LOST && now >= this.#idleUntil) this.#begin(now);
    } else if (lost >= ROW_LOST_AGAIN) this.#overflowed(now);
    else if (used && lost === 0 && !this.#backlogged) this.#grow();
  }

  #begin(now: Millis): void {
    this.overflows++;
    this.#again = 0;
    this.#rowsLost = 0;
    this.#overflowAt = now;
    this.#burst = BURST / this.#length;
    this.#notes = new CreditNotes();
    // What the session was like before says nothing of what is usual from now on.
    this.#topBefore = this.#top;
    this.#edgeAt = now;
    this.#edge = this.#top;
  }

  #overflowed(now: Millis): void {
    // What was lost at once, and what was sent before we could have been heard, counts once.
    if (now - this.#overflowAt < 2 * this.rtt) return;
    this.#overflowAt = now;
    this.overflows++;
    this.#again++;
    if (this.#backlogged && now - this.#limitedSince > 2 * this.rtt) {
      this.#pace *= 1 - PACE_STEP;
      this.#paceAt = now + 2 * this.rtt;
      return;
    }
    const least = BURST_LEAST / this.#length;
    this.#futile = this.#burst > least ? 0 : this.#futile + 1;
    this.#burst = Math.max(least, this.#burst * BURST_DECREASE);
    if (this.#futile < FUTILE) return;
    this.#burst = Number.POSITIVE_INFINITY;
    this.#futile = 0;
    this.#idleUntil = now + FUTILE_MS;
  }

  #grow(): void {
    this.#futile = 0;
    this.#burst *= this.#again === 0 ? BURST_GROWTH_FIRST : BURST_GROWTH;
    if (this.#burst * this.#length > BURST_ANY) this.#burst = Number.POSITIVE_INFINITY;
  }

  #move(now: Millis): void {
    const top = this.#top;
    const notes = this.#notes;
    this.#stale = false;
    this.#usual += (seqDiff(top, this.#topBefore) - this.#usual * (now - this.#edgeAt)) / USUAL_MS;
    this.#topBefore = top;
    const then = notes.find(now - this.rtt - TIMER_MS);
    const used = then >= 0 && seqDiff(top, notes.edgeOf(then)) >= -1;
    if (!used) this.#limitedSince = -1;
    else if (this.#limitedSince < 0) this.#limitedSince = now;
    if (used) this.#rowLimited = true;
    const before = this.#backlogged;
    this.#backlogged = used && now - this.#limitedSince >= LIMITED_MS && !this.#recovers;
    this.#edge = this.#next(now, before);
    this.#edgeAt = now;
    notes.add(now, top, this.#edge);
  }

  #next(now: Millis, before: boolean): Seq32 {
    const top = this.#top;
    if (this.#recovers) return seqDiff(this.#edge, top) < 0 || this.#missing > 3 * this.#burst ? top : this.#edge;
    const least = seqAdd(top, Math.ceil(this.#burst));
    if (this.#backlogged) {
      const edge = this.#paced(now, before);
      return seqDiff(edge, least) < 0 ? least : edge;
    }
    const then = this.#notes.find(now - this.rtt);
    const flight = then < 0 ? 0 : seqDiff(top, this.#notes.topOf(then));
    return seqAdd(least, Math.min(flight, Math.ceil(USUAL_SHARE * this.#usual * this.rtt)));
  }

  #paced(now: Millis, before: boolean): Seq32 {
    const byTimer = this.#burst / TIMER_MS;
    if (!before) {
      this.#pace = Math.max(this.#pace, byTimer);
      this.#paceAt = now + 2 * this.rtt;
    } else if (now >= this.#paceAt) {
      this.#paceAt = now + this.rtt;
      const room = Math.max(-1, 1 - this.#delay / QUEUE_MS);
      this.#pace *= 1 + (room > 0 ? PACE_GROWTH * room * room : PACE_STEP * room);
    }
    const pace = this.#paceNow(now, byTimer);
    this.#fraction += pace * Math.min(now - this.#edgeAt, TIMER_MS);
    const whole = Math.floor(this.#fraction);
    this.#fraction -= whole;
    const edge = seqAdd(this.#edge, whole);
    const most = seqAdd(this.#top, Math.ceil(pace * (this.rtt + TIMER_MS) + this.#burst));
    return seqDiff(edge, most) < 0 ? edge : most;
  }

  /** Until its ACKs keep the peer going, and while `una` stands, its timer does: what that lets go is a burst, too. */
  #paceNow(now: Millis, byTimer: number): number {
    const pace = this.#pace;
    if (this.#missing > MISSING) return Math.min(pace, Math.max(TIMER_SHARE * byTimer, PACE_MISSING * pace));
    return now - this.#limitedSince < this.rtt + LIMITED_MS + TIMER_MS ? Math.min(pace, byTimer) : pace;
  }
}
