/**
 * KCP as kcp-go runs it: reliable, ordered bytes over datagrams, one conversation, without a socket or a clock of its own.
 *
 *   send ─▶ send-window ─▶ flush ─▶ transmit            receive ─┬▶ receive-window ─▶ read
 *                 ▲          ▲                                   ├▶ ack-list ─▶ flush
 *                 └─ una, ACK ┴─ probe, rtt, congestion ◀────────┘
 *
 * After every call that takes `now` drain `transmit`, then read `deadline`. A caller that cannot send everything now stops calling `transmit` and
 * goes on later; it may receive and send meanwhile.
 *
 * Source: reference/kcptun.md 2.5 and 5; known answers: 4 traces and 76 estimator steps of kcp-go v5.6.64.
 *
 * Deviations from kcp-go:
 *   - stream mode only; `frg` of a peer is ignored (kcptun always sends 0)
 *   - `una` beyond what was sent is not believed; the peers would drop everything in flight
 *   - a segment that was already acknowledged is not overtaken, so it triggers no flush
 *   - the timer sleeps while nothing is in flight, queued or owed, and wakes in its old phase
 *   - a late ACK of what was acknowledged before is no sample of the round trip, and a duplicate that FEC rebuilt is not acknowledged: over sparse traffic
 *     both carry time stamps of minutes ago, and kcp-go then waits up to a minute before it resends
 *   - the ACK list is bounded; data longer than a peer's largest packet is dropped
 */
import { assert } from "../base/assert.ts";
import type { Pieces } from "../base/pieces.ts";
import { seqDiff } from "../base/seq.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { AckList } from "./ack-list.ts";
import { Congestion } from "./congestion.ts";
import type { Credit } from "./credit.ts";
import type { Flight } from "./flight.ts";
import { FLUSH_ACKS, FLUSH_FULL, Flush } from "./flush.ts";
import type { KcpOptions } from "./options.ts";
import { Probe } from "./probe.ts";
import { PROFILES, type Profile } from "./profile.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { Rtt } from "./rtt.ts";
import { ACK, CMD, CONV, clock, HEADER_BYTES, LEN, PACKET_BYTES_MAX, PUSH, SN, TS, UNA, WASK, WINS, WND, WND_MAX } from "./segment.ts";
import { SegmentStore } from "./segment-store.ts";
import { SendWindow } from "./send-window.ts";
import { KcpStats } from "./stats.ts";

/** Most bytes one `send` takes. */
export const SEND_BYTES_MAX: Bytes = 131_072;

/** Spec. */
const RMT_WND_INITIAL = 32;
const MTU_MIN: Bytes = 50;
const INTERVAL_MIN: Millis = 10;
const INTERVAL_MAX: Millis = 5000;

export class Kcp {
  readonly conv: number;
  /** Data bytes of a full segment. */
  readonly mss: Bytes;
  readonly stats: KcpStats;
  /** With a rate controller: most segments that wait for their first sending, so that what is written later need not wait long. */
  queueMax = Number.POSITIVE_INFINITY;
  /** ACKs leave at once instead of with the timer. */
  ackNoDelay: boolean;
  readonly #options: KcpOptions;
  readonly #profile: Profile;
  readonly #interval: Millis;
  readonly #resend: number;
  readonly #acksInPacket: number;
  readonly #rtt: Rtt;
  readonly #send: SendWindow;
  readonly #receive: ReceiveWindow;
  readonly #acks: AckList;
  readonly #probe: Probe;
  readonly #congestion: Congestion;
  readonly #flush: Flush;
  readonly #flight: Flight | undefined;
  readonly #credit: Credit | undefined;
  /** Next flush by the timer; −1 before the first call. */
  #timer: Millis = -1;
  /** An ACK of the packet being read brought a segment to the fast resend threshold. */
  #overtaken = false;

  constructor(options: KcpOptions) {
    const { conv, mtu, sndWnd, rcvWnd, nodelay, nc, resend, firstSn = 0 } = options;
    assert(mtu >= MTU_MIN && mtu <= PACKET_BYTES_MAX, `mtu ${mtu} is not 50…1500`);
    assert(sndWnd >= 1 && rcvWnd >= 1 && rcvWnd <= WND_MAX, `windows ${sndWnd}, ${rcvWnd}: at least 1, rcvWnd at most ${WND_MAX}`);
    this.conv = conv >>> 0;
    this.mss = mtu - HEADER_BYTES;
    this.#options = options;
    this.ackNoDelay = options.ackNoDelay === true;
    this.#profile = PROFILES[options.profile];
    this.#interval = Math.min(Math.max(options.interval, INTERVAL_MIN), INTERVAL_MAX);
    this.#resend = resend > 0 ? resend : Number.POSITIVE_INFINITY;
    this.#acksInPacket = Math.floor(mtu / HEADER_BYTES);
    this.#rtt = new Rtt(nodelay, this.#interval);
    const headroom = options.headroom === undefined ? 0 : HEADER_BYTES + options.headroom;
    // A send is taken whole while a single place is free, so the last one may reach beyond the window.
    this.#flight = options.flight;
    this.#credit = options.credit;
    this.#send = new SendWindow(
      this.mss,
      sndWnd + Math.ceil(SEND_BYTES_MAX / this.mss),
      RMT_WND_INITIAL,
      headroom,
      firstSn,
      options.flight,
    );
    this.#receive = new ReceiveWindow(rcvWnd, options.segments ?? new SegmentStore(), firstSn);
    this.#acks = new AckList(rcvWnd);
    this.#probe = new Probe(this.#profile.probeInitial);
    this.#congestion = new Congestion(nc, this.mss, resend);
    this.stats = new KcpStats(this.#rtt, this.#congestion, this.#send);
    this.#flush = new Flush({
      ...options,
      conv: this.conv,
      interval: this.#interval,
      resend: this.#resend,
      resendOncePerTimeout: this.#profile.resendOncePerTimeout,
      send: this.#send,
      receive: this.#receive,
      acks: this.#acks,
      probe: this.#probe,
      rtt: this.#rtt,
      congestion: this.#congestion,
      stats: this.stats,
      flight: options.flight,
      inPlace: headroom > 0,
      credit: options.credit,
    });
  }

  /**
   * Takes the packet bytes[start…end), borrowed until the call returns; `view` is over the same bytes. `regular` is false for packets rebuilt by
   * FEC: they are late, so they tell nothing of round trip and window. False when the packet was damaged or of another conversation: what
   * was before the damage counts.
   */
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number, regular: boolean): boolean {
    this.#wake(now);
    const { stats } = this;
    stats.inPkts++;
    stats.inBytes += end - start;
    const una = this.#send.una;
    let at = start;
    let ackTs = -1;
    let whole = end - start >= HEADER_BYTES;
    this.#overtaken = false;
    if (this.#credit !== undefined) this.#credit.now = now;
    this.#flight?.packet(now);
    while (whole && end - at >= HEADER_BYTES) {
      const cmd = view.getUint8(at + CMD);
      const length = view.getUint32(at + LEN, true);
      if (view.getUint32(at + CONV, true) !== this.conv || cmd < PUSH || cmd > WINS || length > end - at - HEADER_BYTES) {
        whole = false;
        break;
      }
      if (regular) this.#send.rmtWnd = view.getUint16(at + WND, true);
      this.#slide(view.getUint32(at + UNA, true));
      if (cmd === ACK) {
        const sn = view.getUint32(at + SN, true);
        const ts = view.getUint32(at + TS, true);
        if (seqDiff(sn, una) >= 0 || this.#rtt.isPlausible(clock(now), ts)) ackTs = ts;
        this.#acknowledged(sn, ts);
      } else if (cmd === PUSH) {
        this.#pushed(bytes, view, at, length, regular);
      } else if (cmd === WASK) {
        this.#probe.tell = true;
      } else this.#credit?.told(now);
      stats.inSegs++;
      at += HEADER_BYTES + length;
    }
    if (!whole) stats.inErrs++;
    if (regular && ackTs >= 0) this.#rtt.echoed(clock(now), ackTs);
    this.#settle(this.#send.una !== una);
    return whole;
  }

  /**
   * Queues bytes[start…end), at most SEND_BYTES_MAX, which are copied. All are taken while fewer than sndWnd segments wait, none otherwise: answers
   * end − start or 0.
   */
  send(now: Millis, bytes: Uint8Array, start: number, end: number): number {
    assert(end - start <= SEND_BYTES_MAX, "a send takes at most SEND_BYTES_MAX");
    this.#wake(now);
    if (!this.writable) {
      this.stats.sendRefused++;
      return 0;
    }
    this.#expect(end - start);
    this.#send.push(bytes, start, end);
    this.stats.bytesSent += end - start;
    this.#flush.ask(FLUSH_FULL);
    return end - start;
  }

  /**
   * Adds to `into` the places of the next `bytes` bytes, 1…SEND_BYTES_MAX, so that they can be written without a copy; `commit` then queues them.
   * Nothing else may be called between the two. Only while `writable`.
   */
  reserve(now: Millis, bytes: Bytes, into: Pieces): void {
    assert(this.writable && bytes > 0 && bytes <= SEND_BYTES_MAX, "a reservation of 1…SEND_BYTES_MAX bytes, while writable");
    this.#wake(now);
    this.#expect(bytes);
    this.#send.reserve(bytes, into);
  }

  /** Queues the first `n` bytes of what `reserve` laid out; 0 gives it all up. */
  commit(n: Bytes): void {
    if (n === 0) return;
    this.#send.commit(n);
    this.stats.bytesSent += n;
    this.#flush.ask(FLUSH_FULL);
  }

  /** Segments that fit before `send` refuses; 0 when it does. */
  get room(): number {
    if (!this.writable) return 0;
    return Math.min(this.#options.sndWnd - this.#send.waiting, this.queueMax - this.#send.queued);
  }

  /** Over the buffer in which `reserve` has just laid out places. */
  get reservedView(): DataView {
    return this.#send.store.view;
  }

  /** Segments queued or not yet confirmed. */
  get waitSnd(): number {
    return this.#send.waiting;
  }

  /** Most segments that may be in flight now: the least of sndWnd, the peer's window and the congestion window. */
  get window(): number {
    return this.#flush.window;
  }

  /** `send` would take bytes. */
  get writable(): boolean {
    const { waiting, rmtWnd, queued } = this.#send;
    if (this.#flight !== undefined) return waiting < this.#options.sndWnd && queued < this.queueMax;
    return waiting < this.#options.sndWnd && (!this.#profile.sendWaitsForPeer || waiting < rmtWnd);
  }

  /** Moves received bytes, in order, into into[offset…limit); answers how many, 0 = none. */
  read(now: Millis, into: Uint8Array, offset: number, limit: number): Bytes {
    this.#wake(now);
    const closed = this.#receive.unused === 0;
    const n = this.#receive.read(into, offset, limit);
    if (closed && this.#receive.unused > 0) this.#probe.tell = true;
    this.stats.bytesReceived += n;
    return n;
  }

  /** Bytes `read` can move now. */
  get readable(): Bytes {
    return this.#receive.readable;
  }

  /** Bytes held for payloads in both directions; grows to what the windows allow and no further. */
  get bytesHeld(): Bytes {
    return this.#send.bytesHeld + this.#receive.bytesHeld;
  }

  /** Little has happened for a while: gives back room that was made for bursts. Answers whether all of it was empty; harmless at any time. */
  rest(): boolean {
    const idle = this.#send.waiting === 0;
    if (idle) this.#send.rest();
    return [this.#receive.rest(), this.#acks.rest()].every(Boolean) && idle;
  }

  /** The conversation is over: all memory goes back, to the shared store what is of it. Nothing may be called any more. */
  release(): void {
    this.#receive.release();
    this.#send.store.rest();
  }

  /** Holds data back until it is its turn, for pacers; ACKs go meanwhile. */
  set held(held: boolean) {
    this.#flush.held = held;
  }

  /** Tells so many ACKs of segments behind a gap again with each packet of ACKs: only to a peer that counts no overtaking by them. */
  set ackRepeats(n: number) {
    this.#flush.ackRepeats = n;
  }

  /** What the packet written last carries: no data, 0; only such as were sent before, 1; others, 2. */
  get wrote(): number {
    return this.#flush.wrote;
  }

  /** Writes a packet that only tells the window, where one is wanted that means nothing; answers its length. */
  filler(view: DataView, offset: number): Bytes {
    return this.#flush.filler(view, offset);
  }

  /** Something that is not an ACK waits to be written, with a rate controller. */
  get hasData(): boolean {
    return this.#flush.hasData;
  }

  /** Does what is due; early calls are harmless. */
  advance(now: Millis): void {
    this.#wake(now);
    this.#flight?.turn(now);
    if (this.hasData) this.#flush.ask(FLUSH_FULL);
    if (this.#credit?.turn(now, this.#probe, this.#receive, this.#acks)) this.#flush.ask(FLUSH_FULL);
    if (now < this.#timer) return;
    if (!this.#idle) {
      const flush = this.#flush;
      flush.tellAgain = flush.ackedLately && this.#acks.length === 0;
      flush.ackedLately = false;
      flush.ask(FLUSH_FULL, true);
    }
    this.#timer = now + this.#interval;
  }

  /** When `advance` wants to be called; NEVER while nothing is in flight, queued or owed. */
  deadline(): Millis {
    if (this.#idle) return NEVER;
    return Math.min(this.#timer, this.#flight?.deadline() ?? NEVER, this.#credit?.deadline() ?? NEVER);
  }

  /** Where in `into` the packet written last lies, if not at `offset`; −1: there. It is borrowed until anything else is called. */
  get placed(): number {
    return this.#flush.placed;
  }

  /** Writes the next packet, at most mtu bytes, to into[offset…), or see `placed`; answers its length, 0 = drained. `view` is over the same bytes. */
  transmit(now: Millis, into: Uint8Array, view: DataView, offset: number): Bytes {
    if (!this.#flush.active) return 0;
    const length = this.#flush.transmit(clock(now), into, view, offset);
    if (this.#flush.timerDelay >= 0) {
      this.#timer = now + this.#flush.timerDelay;
      this.#flush.timerDelay = -1;
    }
    if (length > 0) this.stats.wrote(length);
    return length;
  }

  /** Makes room for what is sent next. */
  #expect(bytes: Bytes): void {
    // Where the flush stands is an index.
    if (this.#send.expect(bytes)) this.#flush.rewind();
  }

  #slide(una: number): void {
    const acked = this.#send.slide(una);
    if (acked < 0) this.stats.unaErrs++;
    else this.stats.ackedBytes += acked;
  }

  #acknowledged(sn: number, ts: number): void {
    const acked = this.#send.acknowledge(sn);
    if (this.#flight !== undefined) this.#flight.heard(sn, ts);
    if (acked < 0) return;
    this.stats.ackedBytes += acked;
    if (this.#flight !== undefined) this.#flush.ask(FLUSH_FULL);
    else if (this.#send.overtake(sn, ts, this.#resend)) this.#overtaken = true;
  }

  #pushed(bytes: Uint8Array, view: DataView, at: number, length: Bytes, regular: boolean): void {
    const { stats } = this;
    const sn = view.getUint32(at + SN, true);
    if (length > SegmentStore.payloadBytesMax) {
      stats.oversizedSegs++;
      return;
    }
    if (seqDiff(sn, this.#receive.nxt) >= this.#receive.rcvWnd) {
      stats.outsideSegs++;
      return;
    }
    // A duplicate is acknowledged too: the ACK of the first may be lost. Not one that FEC rebuilt: its time stamp may be a minute old.
    if (!regular && seqDiff(sn, this.#receive.nxt) < 0) {
      stats.repeatSegs++;
      return;
    }
    const ts = view.getUint32(at + TS, true);
    const placed = this.#receive.put(sn, bytes, at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (placed === "repeat") stats.repeatSegs++;
    else if (placed === "stored") this.#credit?.stored(sn, ts, length, regular);
    this.#acks.push(sn, this.#credit?.stamps.of(ts) ?? ts);
    stats.ackOverflows = this.#acks.overflows;
  }

  /** Decides after a packet which flush follows. */
  #settle(progressed: boolean): void {
    this.#flush.rewind();
    if (progressed) this.#congestion.progressed(this.#send.rmtWnd);
    if (progressed || (this.#profile.flushWhenOvertaken && this.#overtaken)) this.#flush.ask(FLUSH_FULL);
    else if (this.#profile.flushFullAckPacket && this.#acks.length >= this.#acksInPacket) this.#flush.ask(FLUSH_ACKS);
    else if (this.ackNoDelay && this.#acks.length > 0) this.#flush.ask(FLUSH_ACKS);
  }

  /** Nothing to do for the timer. */
  get #idle(): boolean {
    const { waiting, rmtWnd } = this.#send;
    if (this.#credit !== undefined && this.#credit.deadline() < NEVER) return false;
    return waiting === 0 && this.#acks.length === 0 && rmtWnd > 0 && !this.#probe.tell && !this.#flush.active && !this.#flush.ackedLately;
  }

  /** Starts the timer at the first call, and brings it up to date after it slept, in the phase it had. */
  #wake(now: Millis): void {
    if (this.#timer < 0) this.#timer = now;
    else if (this.#timer < now && this.#idle) this.#timer += Math.ceil((now - this.#timer) / this.#interval) * this.#interval;
  }
}
