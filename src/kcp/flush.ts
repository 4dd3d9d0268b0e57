/**
 * A flush: everything that is to be sent now, written packet by packet as the caller asks for it.
 *
 *   ACKs ─▶ WASK, WINS ─▶ segments in flight that are to be sent again ─▶ queued segments the window admits ─▶ end
 *   └──── ack-only ends here
 *
 * A packet is closed when the next segment would pass the mtu, and at the end of the flush. The walk stops anywhere between two packets, for as
 * long as the socket is full or a pacer says so. When something new asks for a flush meanwhile, the walk starts again from
 * its beginning, so ACKs never wait behind data; what it had sent says so itself (its time is not up), so nothing goes out twice.
 *
 * Source: reference/kcptun.md 5.1. The peers flush in one go with a callback per packet.
 * Deviations: `sn` and `ts` of WASK and WINS are 0 (the peers leave there what the last ACK had; nobody reads them). A flush that no timer asked
 * for passes over the segments in flight when none of them can be due.
 */
import { seqAdd, seqDiff } from "../base/seq.ts";
import type { Millis, Seq32 } from "../base/units.ts";
import type { Flight } from "./flight.ts";
import type { FlushParts } from "./flush-parts.ts";
import { ACK, HEADER_BYTES, PUSH, WASK, WINS, writeHeader } from "./segment.ts";
import { FASTACK, FASTACK_SPENT, LENGTH, NEXT, PLACE_WORDS, RESENDTS, RTO, SN, TS, XMIT } from "./send-window.ts";

/** What is asked for; the greater includes the lesser. */
export const FLUSH_ACKS = 1;
export const FLUSH_FULL = 2;

const IDLE = 0;
const ACKS = 1;
const PROBES = 2;
const AGAIN = 3;
const FIRST = 4;

/** Why a segment in flight is sent again. */
const KEEP = 0;
const FAST = 1;
const EARLY = 2;
const LOST = 3;

export class Flush {
  readonly #parts: FlushParts;
  readonly #fastackAfter: number;
  /** Data waits for its turn; ACKs and probes go. */
  held = false;
  /** ACKs told before that are told again with new ones; only to a peer that does not take that for overtaking. */
  ackRepeats = 0;
  /** ACKs were told and nothing since; the timer tells the last ones again. */
  ackedLately = false;
  tellAgain = false;
  /** What the packet written last carries: no data, 0; only such as were sent before, 1; others, 2. */
  wrote = 0;
  /** Where the packet written last lies, when its segment's data were not copied; −1: where the caller said. */
  placed = -1;
  /** Set when a flush that the timer asked for ends: time until the next one, −1 otherwise. The owner clears it. */
  timerDelay: Millis = -1;

  #asked = 0;
  #askedByTimer = false;
  #phase = IDLE;
  #kind = 0;
  #byTimer = false;
  /** What limits this flush, in segments. */
  #window = 0;
  /** Queued segments still to be sent for the first time in this flush. */
  #firstLeft = 0;
  #firstTotal = 0;
  /** Index of the next segment in flight to look at. */
  #cursor = -1;
  #scanned = false;
  #nearest: Millis = 0;
  #resent = 0;
  #timedOut = 0;

  /** Where the packet being written stands. */
  #at = 0;
  #limit = 0;
  /** What `una` is to be told in it. */
  #una: Seq32 = 0;

  constructor(parts: FlushParts) {
    this.#parts = parts;
    this.#fastackAfter = parts.resendOncePerTimeout ? FASTACK_SPENT : 0;
  }

  /** Something is still to be written. */
  get active(): boolean {
    return this.#phase !== IDLE || this.#asked > 0;
  }

  ask(kind: number, byTimer = false): void {
    if (kind > this.#asked) this.#asked = kind;
    if (byTimer) this.#askedByTimer = true;
  }

  /** An ACK may have unlinked the segment the walk stands at. */
  rewind(): void {
    if (this.#phase === AGAIN) this.#cursor = this.#parts.send.first;
  }

  /** Writes the next packet to into[offset…offset + mtu); answers its length, 0 when the flush is over. `current` is the 32-bit clock. */
  transmit(current: number, into: Uint8Array, view: DataView, offset: number): number {
    this.placed = -1;
    if (this.#asked > 0) this.#begin();
    if (this.#phase === IDLE) return 0;
    this.wrote = 0;
    this.#una = this.#parts.credit?.una(this.#parts.receive.nxt) ?? this.#parts.receive.nxt;
    this.#at = offset;
    this.#limit = offset + this.#parts.mtu;
    if (this.#phase === ACKS && this.#writeAcks(current, view)) this.#leaveAcks(current);
    if (this.#phase === PROBES && this.#writeProbes(view)) this.#enterAgain(current);
    if (this.#parts.flight !== undefined) return this.#paced(current, into, view, this.#parts.flight) - offset;
    if (this.#phase === AGAIN && this.#writeAgain(current, into, view)) this.#phase = FIRST;
    if (this.#phase === FIRST && this.#writeFirst(current, into, view)) this.#end();
    return this.#at - offset;
  }

  /** Data by the rate controller: what is lost, then what the window takes. Answers where the packet ends. */
  #paced(current: number, into: Uint8Array, view: DataView, flight: Flight): number {
    if (this.#phase < AGAIN || this.held) return this.#at;
    if (this.#writeLost(current, into, view, flight) && this.#writeNew(current, into, view, flight)) this.#end();
    return this.#at;
  }

  /** Something that is not an ACK waits to be written, with a rate controller. */
  get hasData(): boolean {
    const { flight, send, sndWnd } = this.#parts;
    if (flight === undefined) return false;
    if (flight.lost >= 0 || flight.echo >= 0) return true;
    return send.queued > 0 && flight.open && send.inFlight < Math.min(sndWnd, send.rmtWnd);
  }

  #writeLost(current: number, into: Uint8Array, view: DataView, flight: Flight): boolean {
    const { send, stats } = this.#parts;
    for (let sn = flight.lost; sn >= 0; sn = flight.lost) {
      const i = sn & send.mask;
      if (this.#at + HEADER_BYTES + send.words[PLACE_WORDS * i + LENGTH]! > this.#limit) return false;
      stats.retransSegs++;
      stats.lostSegs++;
      flight.launch(sn, send.words[PLACE_WORDS * i + LENGTH]!, true);
      this.#writePush(i, current, into, view);
    }
    for (let sn = flight.echo; sn >= 0; sn = flight.echo) {
      const i = sn & send.mask;
      if (this.#at + HEADER_BYTES + send.words[PLACE_WORDS * i + LENGTH]! > this.#limit) return false;
      flight.dropEcho();
      flight.launch(sn, send.words[PLACE_WORDS * i + LENGTH]!, true);
      this.#writePush(i, current, into, view);
    }
    return true;
  }

  #writeNew(current: number, into: Uint8Array, view: DataView, flight: Flight): boolean {
    const { send, sndWnd } = this.#parts;
    while (send.queued > 0 && flight.open && send.inFlight < Math.min(sndWnd, send.rmtWnd)) {
      const i = send.nxt & send.mask;
      if (this.#at + HEADER_BYTES + send.words[PLACE_WORDS * i + LENGTH]! > this.#limit) return false;
      flight.launch(send.words[PLACE_WORDS * i + SN]!, send.words[PLACE_WORDS * i + LENGTH]!, false);
      send.launch(i);
      this.wrote = 2;
      this.#writePush(i, current, into, view);
    }
    if (send.queued === 0) flight.exhausted();
    return true;
  }

  /** Writes the smallest packet there is: it tells the window, which a peer may hear at any time. */
  filler(view: DataView, offset: number): number {
    this.#at = offset;
    this.#una = this.#parts.receive.nxt;
    this.#header(view, this.#parts.conv, WINS, 0, 0, 0);
    return HEADER_BYTES;
  }

  #begin(): void {
    const unfinished = this.#phase !== IDLE;
    if (unfinished) this.#react();
    this.#kind = unfinished ? Math.max(this.#kind, this.#asked) : this.#asked;
    this.#byTimer = this.#askedByTimer || (unfinished && this.#byTimer);
    this.#asked = 0;
    this.#askedByTimer = false;
    this.#phase = ACKS;
  }

  /** Each of the four writers answers true when its phase is over, false when the packet is full. */
  #writeAcks(current: number, view: DataView): boolean {
    const { acks, conv, credit } = this.#parts;
    const fresh = acks.length > 0;
    const limit = this.#limit - (credit === undefined || credit.off ? 0 : HEADER_BYTES);
    if (fresh) this.ackedLately = this.ackRepeats > 0;
    while (acks.length > 0) {
      // What is below rcv_nxt is told by `una`; the last entry always goes, for its time stamp.
      if (acks.length === 1 || seqDiff(acks.sn, this.#una) >= 0) {
        if (this.#at + HEADER_BYTES > limit) return this.#echo(current, view);
        this.#header(view, conv, ACK, acks.ts, acks.sn, 0);
      }
      acks.shift();
    }
    if (fresh) this.#echo(current, view);
    if (this.ackRepeats > 0 && (fresh || this.tellAgain)) this.#repeatAcks(view, fresh ? 2 : 1);
    this.tellAgain = false;
    return true;
  }

  /** Names a segment that the peer knows we have, for its time stamp; room for it is left. */
  #echo(current: number, view: DataView): false {
    const ts = this.#parts.credit?.stamps.last(current) ?? -1;
    if (ts >= 0) this.#header(view, this.#parts.conv, ACK, ts, seqAdd(this.#una, -1), 0);
    return false;
  }

  /** ACKs of what is behind a gap are told once and are as easily lost as data: the last ones are told again. */
  #repeatAcks(view: DataView, from: number): void {
    const { acks, conv } = this.#parts;
    const end = Math.min(this.ackRepeats + from, acks.shifted + 1);
    for (let back = from; back < end && this.#at + HEADER_BYTES <= this.#limit; back++) {
      const sn = acks.snBefore(back);
      if (back === 1 || seqDiff(sn, this.#una) >= 0) this.#header(view, conv, ACK, acks.tsBefore(back), sn, 0);
    }
  }

  #leaveAcks(current: number): void {
    if (this.#kind === FLUSH_ACKS) {
      this.#phase = IDLE;
      return;
    }
    this.#parts.probe.update(current, this.#parts.send.rmtWnd);
    this.#phase = PROBES;
  }

  #writeProbes(view: DataView): boolean {
    const { probe, conv } = this.#parts;
    if (probe.ask) {
      if (this.#at + HEADER_BYTES > this.#limit) return false;
      this.#header(view, conv, WASK, 0, 0, 0);
      probe.ask = false;
    }
    if (probe.tell) {
      if (this.#at + HEADER_BYTES > this.#limit) return false;
      this.#header(view, conv, WINS, 0, 0, 0);
      probe.tell = false;
    }
    return true;
  }

  /** Most segments that may be in flight now. */
  get window(): number {
    const { send, congestion, sndWnd } = this.#parts;
    const window = Math.min(sndWnd, send.rmtWnd);
    return congestion.limits ? Math.min(window, congestion.cwnd) : window;
  }

  #enterAgain(current: number): void {
    const { send, interval } = this.#parts;
    const { window } = this;
    this.#window = window;
    if (this.#parts.flight !== undefined) {
      this.#nearest = interval;
      this.#phase = AGAIN;
      return;
    }
    this.#firstTotal = Math.max(0, Math.min(send.queued, window - send.inFlight));
    this.#firstLeft = this.#firstTotal;
    this.#nearest = interval;
    this.#scanned = this.#byTimer || send.overtaken || seqDiff(current, send.earliest) >= 0;
    this.#cursor = this.#scanned ? send.first : -1;
    this.#phase = AGAIN;
  }

  #writeAgain(current: number, into: Uint8Array, view: DataView): boolean {
    const { send } = this.#parts;
    for (let i = this.#cursor; i !== -1; i = send.links[PLACE_WORDS * i + NEXT]!) {
      const verdict = this.#verdict(i, current);
      if (verdict === KEEP) continue;
      if (this.#at + HEADER_BYTES + send.words[PLACE_WORDS * i + LENGTH]! > this.#limit) {
        this.#cursor = i;
        return false;
      }
      this.#resend(i, current, verdict);
      this.#writePush(i, current, into, view);
    }
    this.#cursor = -1;
    if (this.#scanned) this.#survey(current);
    return true;
  }

  /** One more pass, only over numbers: exact figures for the timer and for the next flushes, also when the walk was interrupted. */
  #survey(current: number): void {
    const { send, interval } = this.#parts;
    let nearest = interval;
    let overtaken = false;
    let earliest = seqAdd(current, 0x7fffffff);
    for (let i = send.first; i !== -1; i = send.links[PLACE_WORDS * i + NEXT]!) {
      const resendts = send.words[PLACE_WORDS * i + RESENDTS]!;
      if (seqDiff(resendts, earliest) < 0) earliest = resendts;
      const wait = seqDiff(resendts, current);
      if (wait > 0 && wait < nearest) nearest = wait;
      const fastack = send.words[PLACE_WORDS * i + FASTACK]!;
      if (fastack > 0 && fastack !== FASTACK_SPENT) overtaken = true;
    }
    send.earliest = earliest;
    send.overtaken = overtaken;
    this.#nearest = nearest;
  }

  /** Why the segment in flight at `i` is to be sent again now, KEEP when it is not. */
  #verdict(i: number, current: number): number {
    const { send, resend } = this.#parts;
    const fastack = send.words[PLACE_WORDS * i + FASTACK]!;
    if (fastack > 0 && fastack !== FASTACK_SPENT) {
      if (fastack >= resend) return FAST;
      // Nothing new goes out that could bring more ACKs, so the missing ones are not waited for.
      if (this.#firstTotal === 0) return EARLY;
    }
    return seqDiff(current, send.words[PLACE_WORDS * i + RESENDTS]!) >= 0 ? LOST : KEEP;
  }

  /** Books why it is sent again, and until when we then wait. */
  #resend(i: number, current: number, verdict: number): void {
    const { send, rtt, nodelay, stats } = this.#parts;
    if (verdict === LOST) {
      stats.lostSegs++;
      send.words[PLACE_WORDS * i + FASTACK] = 0;
      send.words[PLACE_WORDS * i + RTO] = send.words[PLACE_WORDS * i + RTO]! + (nodelay === 1 ? rtt.rto >> 1 : rtt.rto);
      this.#timedOut++;
    } else {
      if (verdict === FAST) stats.fastRetransSegs++;
      else stats.earlyRetransSegs++;
      send.words[PLACE_WORDS * i + FASTACK] = this.#fastackAfter;
      send.words[PLACE_WORDS * i + RTO] = rtt.rto;
      this.#resent++;
    }
    stats.retransSegs++;
    send.words[PLACE_WORDS * i + RESENDTS] = seqAdd(current, send.words[PLACE_WORDS * i + RTO]!);
  }

  #writeFirst(current: number, into: Uint8Array, view: DataView): boolean {
    const { send, rtt } = this.#parts;
    for (; this.#firstLeft > 0; this.#firstLeft--) {
      const i = send.nxt & send.mask;
      if (this.#at + HEADER_BYTES + send.words[PLACE_WORDS * i + LENGTH]! > this.#limit) return false;
      const resendts = seqAdd(current, rtt.rto);
      if (send.first === -1 || seqDiff(resendts, send.earliest) < 0) send.earliest = resendts;
      if (rtt.rto < this.#nearest) this.#nearest = rtt.rto;
      send.words[PLACE_WORDS * i + RTO] = rtt.rto;
      send.words[PLACE_WORDS * i + RESENDTS] = resendts;
      send.launch(i);
      this.#writePush(i, current, into, view);
    }
    return true;
  }

  #writePush(i: number, current: number, into: Uint8Array, view: DataView): void {
    const { send, conv } = this.#parts;
    const length = send.words[PLACE_WORDS * i + LENGTH]!;
    this.wrote ||= 1;
    send.words[PLACE_WORDS * i + XMIT] = send.words[PLACE_WORDS * i + XMIT]! + 1;
    send.words[PLACE_WORDS * i + TS] = current;
    if (this.#parts.inPlace && this.#at + HEADER_BYTES + length === this.#limit && length === send.mss && send.store.bytes === into) {
      this.#pushInPlace(view, current, i);
      return;
    }
    this.#header(view, conv, PUSH, current, send.words[PLACE_WORDS * i + SN]!, length);
    send.copyPayload(i, into, this.#at);
    this.#at += length;
  }

  /** The packet is this segment alone: nothing else fits. */
  #pushInPlace(view: DataView, current: number, i: number): void {
    const { send, stats, conv } = this.#parts;
    this.placed = send.placeOf(i) - HEADER_BYTES;
    writeHeader(view, this.placed, conv, PUSH, this.#wnd, current, send.words[PLACE_WORDS * i + SN]!, this.#una, send.mss);
    this.#at += HEADER_BYTES + send.mss;
    stats.outSegs++;
  }

  #header(view: DataView, conv: number, cmd: number, ts: number, sn: number, length: number): void {
    const { stats } = this.#parts;
    writeHeader(view, this.#at, conv, cmd, this.#wnd, ts, sn, this.#una, length);
    this.#at += HEADER_BYTES;
    stats.outSegs++;
  }

  get #wnd(): number {
    const { receive, credit } = this.#parts;
    return credit === undefined ? receive.unused : credit.window(receive.nxt, receive.unused);
  }

  #end(): void {
    this.#react();
    if (this.#byTimer) this.timerDelay = this.#nearest;
    this.#phase = IDLE;
  }

  /** The congestion window answers to what this flush had to resend. */
  #react(): void {
    const { send, congestion } = this.#parts;
    if (this.#resent > 0) congestion.resent(send.inFlight);
    if (this.#timedOut > 0) congestion.timedOut(this.#window);
    this.#resent = 0;
    this.#timedOut = 0;
  }
}
