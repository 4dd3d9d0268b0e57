/**
 * The sending end of the modelled TCP: CUBIC or Reno, SACK, RACK loss detection and tail loss probe (RFC 8985), retransmission timer (RFC 6298), as Linux runs them.
 *
 *   write ─▶ queue ─▶ segments una … nxt in flight, each sacked, lost or neither
 *
 * Deviations: the reordering window is a quarter of the least round trip and never adapts; no pacing, no HyStart, no D-SACK undo.
 */
import { ByteQueue } from "../base/byte-queue.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { Cubic } from "./cubic.ts";
import type { TcpCongestion } from "./tcp-congestion.ts";
import { HEADER_BYTES, MSS, readBlocks, readIndex, writeData } from "./tcp-segment.ts";

/** Tuning of Linux. */
const RTO_MIN: Millis = 200;
const RTO_INITIAL: Millis = 1000;
const RTO_MAX: Millis = 120_000;

interface Segment {
  readonly payload: Uint8Array;
  sentAt: Millis;
  /** Order of transmission, over all segments. */
  serial: number;
  sacked: boolean;
  lost: boolean;
  resent: boolean;
}

export class TcpSender {
  readonly congestion: TcpCongestion;
  readonly queue: ByteQueue;
  srtt: Millis = 0;
  sentSegments = 0;
  resentSegments = 0;
  timeouts = 0;
  #rttvar: Millis = 0;
  #minRtt: Millis = Number.POSITIVE_INFINITY;
  #rto: Millis = RTO_INITIAL;
  readonly #flight = new Map<number, Segment>();
  #una = 0;
  #nxt = 0;
  /** In flight and neither sacked nor given up as lost. */
  #pipe = 0;
  #lost = 0;
  #serial = 0;
  /** The last transmission known to have arrived. */
  #rackSerial = 0;
  #rackRtt: Millis = 0;
  /** Recovery lasts until una passes this. */
  #recoverUntil = 0;
  /** The timer began the recovery under way: what arrives lets the window grow again from one segment (RFC 5681 section 3.1). */
  #timedOut = false;
  #windowFull = false;
  #timeoutAt: Millis = NEVER;
  #probeAt: Millis = NEVER;
  #reorderAt: Millis = NEVER;
  #lastSentAt: Millis = 0;

  constructor(sendBufferBytes: Bytes, congestion: TcpCongestion = new Cubic()) {
    this.congestion = congestion;
    this.queue = new ByteQueue(sendBufferBytes);
  }

  get inFlight(): number {
    return this.#nxt - this.#una;
  }

  /** Bytes accepted and not acknowledged are the sender's memory: what `write` may still take. */
  get room(): Bytes {
    return Math.max(0, this.queue.bytesMax - this.queue.length - this.inFlight * MSS);
  }

  deadline(): Millis {
    return Math.min(this.#timeoutAt, this.#probeAt, this.#reorderAt);
  }

  receive(now: Millis, view: DataView): void {
    const next = readIndex(view);
    const before = this.#una;
    let delivered = 0;
    for (; this.#una < next && this.#una < this.#nxt; this.#una++) delivered += this.#deliver(now, this.#una, true);
    for (const [first, behind] of readBlocks(view)) {
      for (let i = Math.max(first, this.#una); i < Math.min(behind, this.#nxt); i++) delivered += this.#deliver(now, i, false);
    }
    if (delivered === 0) return;
    this.#detect(now);
    const recovering = this.#una < this.#recoverUntil;
    if (!recovering) this.#timedOut = false;
    if ((!recovering || this.#timedOut) && this.#windowFull) this.congestion.acked(now, delivered, this.srtt);
    if (this.#una > before || delivered > 0) this.#arm(now);
  }

  /** Fires what is due: reordering timer, tail loss probe, retransmission timer. */
  advance(now: Millis): void {
    if (now >= this.#reorderAt) this.#detect(now);
    if (now >= this.#timeoutAt) this.#timeOut(now);
  }

  /** Writes the next segment to into[0…); answers its length, 0 = nothing may be sent now. */
  transmit(now: Millis, into: Uint8Array, view: DataView): number {
    const probing = now >= this.#probeAt;
    if (probing) this.#probeAt = NEVER;
    if (this.inFlight === 0 && this.#lastSentAt > 0 && now - this.#lastSentAt > this.#rto) this.congestion.restart();
    if (this.#pipe < Math.floor(this.congestion.cwnd) || probing) {
      if (this.#lost > 0) return this.#resendLost(now, into, view);
      if (this.queue.length > 0) return this.#sendNew(now, into, view);
      this.#windowFull = false;
      if (probing) return this.#probe(now, into, view);
      return 0;
    }
    this.#windowFull = true;
    return 0;
  }

  #deliver(now: Millis, index: number, cumulative: boolean): number {
    const segment = this.#flight.get(index);
    if (segment === undefined) return 0;
    if (cumulative) this.#flight.delete(index);
    if (segment.sacked) return 0;
    segment.sacked = true;
    if (segment.lost) this.#lost--;
    else this.#pipe--;
    segment.lost = false;
    const rtt = now - segment.sentAt;
    // A resent segment may be acknowledged for its first copy: too soon to be true (RFC 8985 section 6.2).
    if (!segment.resent) this.#sample(rtt);
    if (segment.serial > this.#rackSerial && !(segment.resent && rtt < this.#minRtt)) {
      this.#rackSerial = segment.serial;
      this.#rackRtt = rtt;
    }
    return 1;
  }

  /** RACK: what was sent before something that has arrived, and is overdue by the reordering window, is lost. */
  #detect(now: Millis): void {
    this.#reorderAt = NEVER;
    const wait = this.#rackRtt + this.#minRtt / 4;
    let found = false;
    for (let i = this.#una; i < this.#nxt; i++) {
      const segment = this.#flight.get(i);
      if (segment === undefined || segment.sacked || segment.lost || segment.serial >= this.#rackSerial) continue;
      const due = segment.sentAt + wait;
      if (now < due) {
        this.#reorderAt = Math.min(this.#reorderAt, due);
        continue;
      }
      segment.lost = true;
      this.#lost++;
      this.#pipe--;
      found = true;
    }
    if (found && this.#una >= this.#recoverUntil) {
      this.#recoverUntil = this.#nxt;
      this.#timedOut = false;
      this.congestion.reduce();
    }
  }

  #timeOut(now: Millis): void {
    this.timeouts++;
    for (let i = this.#una; i < this.#nxt; i++) {
      const segment = this.#flight.get(i);
      if (segment === undefined || segment.sacked || segment.lost) continue;
      segment.lost = true;
      this.#lost++;
      this.#pipe--;
    }
    this.#recoverUntil = this.#nxt;
    this.#timedOut = true;
    this.congestion.collapse();
    this.#rto = Math.min(this.#rto * 2, RTO_MAX);
    this.#probeAt = NEVER;
    this.#timeoutAt = this.inFlight > 0 ? now + this.#rto : NEVER;
  }

  #sendNew(now: Millis, into: Uint8Array, view: DataView): number {
    const n = this.queue.peek(into, HEADER_BYTES, HEADER_BYTES + MSS);
    this.queue.consume(n);
    const payload = into.slice(HEADER_BYTES, HEADER_BYTES + n);
    const segment: Segment = { payload, sentAt: now, serial: 0, sacked: false, lost: false, resent: false };
    const index = this.#nxt++;
    this.#flight.set(index, segment);
    return this.#send(now, index, segment, into, view);
  }

  #resendLost(now: Millis, into: Uint8Array, view: DataView): number {
    for (let i = this.#una; i < this.#nxt; i++) {
      const segment = this.#flight.get(i);
      if (segment?.lost !== true) continue;
      segment.lost = false;
      this.#lost--;
      segment.resent = true;
      this.resentSegments++;
      return this.#send(now, i, segment, into, view);
    }
    return 0;
  }

  /** Tail loss probe: the last segment again, so that its SACK shows what is missing before it. */
  #probe(now: Millis, into: Uint8Array, view: DataView): number {
    for (let i = this.#nxt - 1; i >= this.#una; i--) {
      const segment = this.#flight.get(i);
      if (segment === undefined || segment.sacked) continue;
      this.#pipe--;
      segment.resent = true;
      this.resentSegments++;
      const length = this.#send(now, i, segment, into, view);
      this.#probeAt = NEVER;
      return length;
    }
    return 0;
  }

  #send(now: Millis, index: number, segment: Segment, into: Uint8Array, view: DataView): number {
    segment.serial = ++this.#serial;
    segment.sentAt = now;
    this.#pipe++;
    this.sentSegments++;
    this.#lastSentAt = now;
    writeData(view, index);
    into.set(segment.payload, HEADER_BYTES);
    this.#arm(now);
    return HEADER_BYTES + segment.payload.length;
  }

  #arm(now: Millis): void {
    const flying = this.inFlight > 0;
    this.#timeoutAt = flying ? now + this.#rto : NEVER;
    this.#probeAt = flying && this.#lost === 0 && this.srtt > 0 ? now + Math.max(2 * this.srtt, 10) : NEVER;
  }

  #sample(rtt: Millis): void {
    this.#minRtt = Math.min(this.#minRtt, rtt);
    if (this.srtt === 0) {
      this.srtt = rtt;
      this.#rttvar = rtt / 2;
    } else {
      this.#rttvar += (Math.abs(rtt - this.srtt) - this.#rttvar) / 4;
      this.srtt += (rtt - this.srtt) / 8;
    }
    this.#rto = Math.min(Math.max(this.srtt + Math.max(4 * this.#rttvar, RTO_MIN), RTO_MIN), RTO_MAX);
  }
}
