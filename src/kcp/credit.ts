/**
 * The window told to a peer that sends without a congestion window, as kcptun does: how far it may go is then ours to say.
 *
 *   tried ── came whole ─▶ free         the first bursts say whether the queue on the path takes what the peer lets go at once (burst-trial)
 *     │                    │ ▲
 *     │ its end was lost   │ └─ no queue, or long: it went on though next to nothing was let go; or bursts came through that grew and grew
 *     └───────▶ limited ◀──┘ most of a long row of segments is lost, as when a burst is longer than the queue it meets
 *
 *   edge = newest segment + what is under way + burst      tried, limited
 *   edge moves on as the path delivers                     and what came last was sent as soon as the edge had let it go: there is more
 *   edge stays                                             and more is missing than a burst
 *
 * Such a peer lets go at once what the window takes, so what stands unused of it is the burst that the path must bear at any time. How fast a path delivers is
 * seen where a burst arrives (line-rate), so that the rest of what is waiting can be let go as fast as that from the first round trip on. The window moves with the
 * ACKs, and is told by itself (WINS) when none are due, with a `una` that has something left to move by (una-lag). The round trip is asked for (WASK), since a
 * peer that only sends acknowledges nothing of ours.
 * Where delays differ by themselves, or segments overtake each other (path-noise), nothing of this can be known, and the peer is left alone.
 * What a burst has lost is resent in a burst: an ACK told again when nothing more is under way begins the next one, where the peer would wait for its timers,
 * which become longer each time.
 *
 * Source: own; that a receiver limits a sender, and by the delay it sees, is of RFC 9840 (rLEDBAT).
 */
import { seqAdd, seqDiff } from "../base/seq.ts";
import { type Bytes, type Millis, NEVER, type Seq32 } from "../base/units.ts";
import type { AckList } from "./ack-list.ts";
import { AskedRtt } from "./asked-rtt.ts";
import { BurstTrial } from "./burst-trial.ts";
import { CreditNotes } from "./credit-notes.ts";
import { CreditPace } from "./credit-pace.ts";
import { LimitDoubt } from "./limit-doubt.ts";
import { LineRate } from "./line-rate.ts";
import { LossRows } from "./loss-rows.ts";
import { PathNoise } from "./path-noise.ts";
import { PeerDelay } from "./peer-delay.ts";
import type { Probe } from "./probe.ts";
import { QueueDepth } from "./queue-depth.ts";
import type { ReceiveWindow } from "./receive-window.ts";
import { clock } from "./segment.ts";
import { Stamps } from "./stamps.ts";
import { UnaLag } from "./una-lag.ts";

/**
 * Tuning. At first no more is told than a kcptun takes for granted; from the first burst of so many segments on more follows as the path delivers,
 * for a round trip.
 */
const UNTRIED = 32;
const UNTRIED_LONG = 12;
/** So many of a row are lost when a queue runs over that is known to be short. */
const ROW_LOST_AGAIN = 8;
/** A round trip after the first burst that is long, and so much later, nothing more is tried: unless the end of one was lost, then for longer. */
const OPEN_MS: Millis = 150;
const DOUBT_MS: Millis = 5000;
/** What may leave at once where a queue that was seen to be long ran over: of what it held. */
const DEPTH_SHARE = 0.4;
/** A queue that has held more is not short. */
const QUEUE_LONG: Bytes = 36_000;
/** What may leave at once: at first, at least, and when nothing is limited any more. */
const BURST: Bytes = 16_000;
const BURST_LEAST: Bytes = 12_000;
const BURST_ANY: Bytes = 400_000;
const BURST_GROWTH = 1.05;
/** Until it has happened again: the path may have been gone for a moment. */
const BURST_GROWTH_FIRST = 1.5;
const BURST_DECREASE = 0.8;
/** The peer's timer lets some wait where `una` stands. */
const TIMER_MS: Millis = 20;
/** The least round trip at which what is missing is asked for. */
const STEERED_MS_LEAST: Millis = 100;
/** Where a queue is looked for, noise is at most so many times what it is on average. */
const NOISE = 2;
/** A peer that goes up to the edge does so at least each time its timer runs. */
const HELD_MS: Millis = 25;
/** The edge of a peer that has no more to send goes with what comes, a little faster than the path delivers. */
const LEAP = 1.2;
/** What comes on average over so long, at least, says how much is under way at most. */
const USUAL_MS: Millis = 5000;
const USUAL_MS_LEAST: Millis = 500;
/** For how long nothing came when a burst has ended. */
const QUIET_MS: Millis = 25;
/** Share of one segment in the average of their length. */
const LENGTH_SHARE = 1 / 64;

/** Of sessions that are not limited, which most are. */
const NO_NOTES = new CreditNotes();

export class Credit {
  /** How often a row ran over a queue. */
  overflows = 0;
  /** Of the packet being read. The owner sets it. */
  now: Millis = 0;
  #off = false;
  readonly #line: LineRate;
  readonly #delay = new PeerDelay();
  /** Of ACKs. */
  readonly stamps = new Stamps(this.#delay);
  readonly #noise = new PathNoise();
  readonly #asked = new AskedRtt();
  readonly #depth = new QueueDepth();
  readonly #doubt = new LimitDoubt(this.#depth);
  readonly #una: UnaLag;
  readonly #pace = new CreditPace();
  /** Segments that may leave at once; Infinity: any. */
  #burst = UNTRIED;
  /** While nobody knows yet what the path bears. */
  #trial: BurstTrial | undefined = new BurstTrial();
  /** Behind the newest segment; and how many below it have not come. */
  #top: Seq32;
  #missing = 0;
  /** Of a segment, of those that are as long as any. */
  #length: Bytes = 0;
  /** Behind the last segment that the peer may send, since when, and whether it is to be reckoned anew. */
  #edge: Seq32 = 0;
  #edgeAt: Millis = 0;
  #stale = true;
  #notes = NO_NOTES;
  /** The peer goes up to the edge since then, −1: it does not. */
  #limitedSince: Millis = -1;
  /** Segments that come in a millisecond, usually. */
  #usual = 0;
  #openedAt: Millis = -1;
  /** A segment that was sent then may have been the last one of the window. */
  #waited = false;
  #waitedTs = 0;
  #topBefore: Seq32;
  #begunAt: Millis = 0;
  readonly #rows: LossRows;
  /** Overflows since the window is limited. */
  #again = 0;
  #overflowAt: Millis = 0;
  #growAt: Millis = 0;
  /** When the next burst of resent segments is asked for. */
  #nudgeAt: Millis = NEVER;

  /** `overhead`: bytes of a datagram on the path beyond those that `datagram` is told. */
  constructor(firstSn: Seq32 = 0, overhead: Bytes = 0) {
    this.#line = new LineRate(overhead);
    this.#una = new UnaLag(firstSn);
    this.#top = firstSn;
    this.#topBefore = firstSn;
    this.#rows = new LossRows(firstSn);
  }

  /** Off: the peer limits itself, and the window is told as it is. */
  get off(): boolean {
    return this.#off;
  }

  set off(off: boolean) {
    this.#off = off;
    this.stamps.off = off;
    if (off) this.#free();
    // Copies would only fill a short queue, of which bursts are not limited any more; and over a short way its own timeout is as soon.
    this.stamps.steers =
      !off && !this.limited && !this.#doubt.left(this.now) && !this.#noise.reorders && this.#asked.known && this.rtt >= STEERED_MS_LEAST;
  }

  get rtt(): Millis {
    return this.#asked.rtt;
  }

  get limited(): boolean {
    return !this.#off && this.#burst < Number.POSITIVE_INFINITY;
  }

  /** A short queue limits it, and it goes by our ACKs. */
  get pressed(): boolean {
    return this.limited && this.#trial === undefined;
  }

  /** A datagram has come, parity too; before what is in it. */
  datagram(now: Millis, length: Bytes): void {
    if (!this.#off) this.#line.datagram(now, length);
  }

  /** A segment with so many bytes of data came that was not there before, and its sender's time stamp; not `regular`: it was rebuilt from parity. */
  stored(sn: Seq32, ts: number, length: Bytes, regular: boolean): void {
    const ahead = seqDiff(sn, this.#top);
    if (this.#off) {
      if (ahead >= 0) this.#top = seqAdd(sn, 1);
      return;
    }
    const { now } = this;
    this.#stale = true;
    this.#length = Math.max(length, this.#length + (length - this.#length) * LENGTH_SHARE);
    this.#nudgeAt = now + QUIET_MS;
    if (regular) {
      this.#line.segment(now, ts);
      this.#delay.took(now, ts);
      this.#noise.took(now, ts, this.#delay.last);
      if (ahead < 0) this.#noise.overtaken(now, this.stamps.overtaken(now, sn, ts));
      this.#depth.take(now, Math.max(0, this.#delay.last - NOISE * this.#noise.noise) * this.#line.rate);
      if (this.limited && !this.#noise.quiet) this.#leave(now);
    }
    this.stamps.took(now, sn, ahead, ts, regular);
    this.#line.stored(1);
    if (ahead >= 0) this.#judge(now, sn, ts);
    if (this.#trial !== undefined) this.#try(now, ts, ahead, length);
    if (ahead < 0) {
      this.#missing--;
      return;
    }
    this.#missing += ahead;
    this.#top = seqAdd(sn, 1);
    if (this.#rows.took(this.#top, ahead)) this.#endRow(now);
  }

  /**
   * The `una` to tell in the packets that follow, where `nxt` is the first segment that is missing: it lags behind while the peer is limited, and moves on by one at
   * least whenever it is asked for.
   */
  una(nxt: Seq32): Seq32 {
    return this.limited ? this.#una.next(this.now, nxt) : this.#una.whole(nxt);
  }

  /** The window to tell now, counted from what `una` said, where `nxt` is the first segment that is missing and `unused` places are free. */
  window(nxt: Seq32, unused: number): number {
    if (!this.limited) return unused;
    if (this.#stale) this.#move(this.now);
    return Math.max(Math.min(unused, seqDiff(this.#edge, nxt)) + this.#una.before(nxt), Math.min(unused, 1));
  }

  /** When `turn` has something to do. */
  deadline(): Millis {
    return Math.min(this.#nextStep, this.stamps.deadline());
  }

  get #nextStep(): Millis {
    if (!this.limited) return NEVER;
    const step = this.#limitedSince >= 0 ? this.#edgeAt + this.#una.step(this.rtt) : NEVER;
    return Math.min(step, this.#recovers ? this.#nudgeAt : NEVER, this.#una.lag === 0 ? NEVER : this.#una.due);
  }

  /** True when something is to be told though nothing came: the window, or that we want to know the peer's. */
  turn(now: Millis, probe: Probe, receive: ReceiveWindow, acks: AckList): boolean {
    const resends = this.stamps.turn(now, this.rtt, receive, acks);
    if (!this.limited) return resends;
    const tells = now >= this.#nextStep;
    // The answer tells the round trip; a peer that sends little is asked once.
    const asks = (this.pressed || this.#openedAt >= 0 || (!this.#asked.known && this.#length > 0)) && this.#asked.asks(now);
    if (tells) {
      this.now = now;
      this.#stale = true;
      probe.tell = true;
      if (this.#recovers && now >= this.#nudgeAt) {
        for (let n = 0; n < 2; n++) acks.push(seqAdd(this.#top, -1), this.#delay.newest);
        this.#nudgeAt = now + this.rtt + TIMER_MS;
      }
    }
    if (asks) probe.ask = true;
    return tells || asks || resends;
  }

  /** The peer has told its window. */
  told(now: Millis): void {
    this.#asked.told(now);
  }

  /** More is missing than is lost in passing. */
  get #recovers(): boolean {
    return this.#missing > this.#burst;
  }

  #try(now: Millis, ts: number, ahead: number, length: Bytes): void {
    const trial = this.#trial!;
    const { came } = trial;
    const full = this.#depth.fullSince(now - this.rtt - HELD_MS);
    const over = this.#openedAt >= 0 && now - this.#openedAt > this.rtt + (trial.doubtful ? DOUBT_MS : OPEN_MS);
    // A queue that has been seen and is not known to be long would not take all that the peer has by now.
    const ended = this.#depth.seen ? "short" : "long";
    const verdict = this.#depth.most > QUEUE_LONG ? "long" : over ? ended : trial.take(ts, ahead, length, full);
    if (verdict === "short") this.#begin(now, Math.min(Math.max(came, trial.came), BURST / this.#length));
    else if (verdict === "long") this.#free();
  }

  #endRow(now: Millis): void {
    if (this.pressed) {
      if (this.#rows.lost >= ROW_LOST_AGAIN) this.#overflowed(now);
    } else if (this.#rows.overflowed && this.#noise.quiet && this.#doubt.permits(now, this.rtt)) this.#begin(now, BURST / this.#length);
  }

  #begin(now: Millis, burst: number): void {
    this.overflows++;
    this.#again = this.#trial !== undefined ? 1 : 0;
    this.#rows.clear();
    this.#overflowAt = now;
    this.#growAt = now + 2 * this.rtt;
    this.#burst = Math.max(burst, BURST_LEAST / this.#length, (DEPTH_SHARE * this.#depth.most) / (this.#line.segmentBytes || this.#length));
    // What the session was like before says nothing of what is usual from now on.
    this.#topBefore = this.#top;
    this.#begunAt = now;
    this.#usual = 0;
    if (this.#trial === undefined) {
      this.#edgeAt = now;
      this.#edge = this.#top;
    }
    this.#trial = undefined;
    this.stamps.steers = false;
  }

  #overflowed(now: Millis): void {
    // What was lost at once, and what was sent before we could have been heard, counts once.
    if (now - this.#overflowAt < 2 * this.rtt) return;
    this.#overflowAt = now;
    const full = this.#depth.fullSince(now - 2 * this.rtt);
    if (full) this.overflows++;
    if (full) this.#again++;
    if (full && this.#limitedSince >= 0 && now - this.#limitedSince > 2 * this.rtt) {
      this.#pace.overflowed(now, this.rtt);
      return;
    }
    const least = BURST_LEAST / this.#length;
    const futile = this.#doubt.overflowed(full, this.#burst <= least);
    if (full) this.#burst = Math.max(least, this.#burst * BURST_DECREASE);
    if (futile) this.#leave(now);
  }

  #leave(now: Millis): void {
    this.#free();
    this.#doubt.leave(now);
  }

  #free(): void {
    this.#trial = undefined;
    this.#burst = Number.POSITIVE_INFINITY;
    this.#notes = NO_NOTES;
  }

  /** A burst has come through whole, and the peer has more. */
  #grow(now: Millis): void {
    this.#growAt = now + 2 * this.rtt;
    this.#doubt.clear();
    this.#burst *= this.#again === 0 ? BURST_GROWTH_FIRST : BURST_GROWTH;
    if (this.#burst * this.#length > BURST_ANY) this.#free();
  }

  #move(now: Millis): void {
    const top = this.#top;
    if (this.#notes === NO_NOTES) this.#notes = new CreditNotes();
    const notes = this.#notes;
    this.#stale = false;
    const over = Math.min(USUAL_MS, Math.max(USUAL_MS_LEAST, now - this.#begunAt));
    this.#usual += (seqDiff(top, this.#topBefore) - this.#usual * (now - this.#edgeAt)) / over;
    this.#topBefore = top;
    const used = (this.#waited || this.#opening(now)) && (this.#line.rate > 0 || this.#trial === undefined) && !this.#recovers;
    const begins = used && this.#limitedSince < 0;
    if (!used) this.#limitedSince = -1;
    else if (begins) this.#limitedSince = now;
    if (begins && this.#trial === undefined && this.#missing === 0 && now >= this.#growAt) this.#grow(now);
    this.#edge = this.#next(now, used, begins);
    this.#edgeAt = now;
    notes.add(now, top, this.#edge);
  }

  /** Was it the last one that the window let go when it was sent? Then there is more, or was, until one follows later that had room. */
  #judge(now: Millis, sn: Seq32, ts: number): void {
    const then = this.#notes.find(now - (seqDiff(clock(now), ts) - this.#delay.least) - this.rtt);
    if (then >= 0 && seqDiff(sn, this.#notes.edgeOf(then)) >= -2) {
      this.#waited = true;
      this.#waitedTs = ts;
    } else if (seqDiff(ts, this.#waitedTs) > HELD_MS) this.#waited = false;
  }

  /** The first burst that is long: nobody can know whether its end was lost, or how much more there is, before a round trip is over. */
  #opening(now: Millis): boolean {
    if (this.#openedAt < 0 && this.#trial !== undefined && this.#trial.came >= UNTRIED_LONG) this.#openedAt = now;
    return this.#openedAt >= 0 && now - this.#openedAt < this.rtt + HELD_MS;
  }

  #next(now: Millis, used: boolean, begins: boolean): Seq32 {
    const top = this.#top;
    if (this.#recovers) return seqDiff(this.#edge, top) < 0 || this.#missing > 3 * this.#burst ? top : this.#edge;
    const then = this.#notes.find(now - this.rtt);
    const flight = then < 0 ? 0 : seqDiff(top, this.#notes.topOf(then));
    const least = seqAdd(top, Math.ceil(this.#burst) + Math.min(flight, Math.ceil(this.#usual * this.rtt)));
    // What the edge leaps is a burst, too.
    const byTimer = this.#burst / TIMER_MS;
    const { rate, segmentBytes } = this.#line;
    const line = rate > 0 ? rate / segmentBytes : 0;
    const waits = this.#delay.delay - NOISE * this.#noise.noise;
    const pace = used ? this.#pace.of(line, byTimer, now, begins, this.#opening(now), this.rtt, waits) : LEAP * (line || byTimer);
    const edge = seqAdd(
      this.#edge,
      this.#pace.whole(this.#pace.bounded(pace, byTimer, !this.#una.moves(now), this.#missing), now - this.#edgeAt),
    );
    const most = used ? seqAdd(top, Math.ceil(pace * (this.rtt + TIMER_MS) + this.#burst)) : least;
    return seqDiff(edge, most) < 0 ? edge : most;
  }
}
