/**
 * The extension datagrams of a session (extension/header.ts): asks or answers whether the peer is ours, carries the messages of flows.
 *
 *   receive ─┬ HELLO, ANSWER ─▶ negotiation
 *            └ OPEN … END ────▶ sink, the flows of the session
 *   train, reports ┐
 *   negotiation ───┤
 *   outbox ────────┴▶ transmit ─▶ FEC when it is on (not for HELLO and ANSWER) ─▶ cipher
 *
 * The outbox waits until the peer is known to be ours, and is emptied when it is not.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { ReturnPath, STAMP, Stamps } from "../extension/clock-stamp.ts";
import { FLOW_HEADER_BYTES } from "../extension/flow-message.ts";
import { FLOW_TYPE_LEAST, readType } from "../extension/header.ts";
import {
  ANSWER,
  FEATURE_SURVEYS,
  FEATURE_TRAINS,
  FEATURE_WANTS_REBUILT,
  FEATURE_WANTS_STAMPS,
  FEATURE_WAYS,
  HELLO,
} from "../extension/hello.ts";
import { Negotiation, type Standing } from "../extension/negotiation.ts";
import { Outbox } from "../extension/outbox.ts";
import { REBUILT, RebuiltCount, RebuiltNews } from "../extension/rebuilt-report.ts";
import { Survey } from "../extension/survey.ts";
import { ASK, LOAD } from "../extension/survey-message.ts";
import { CAR, REPORT, Train } from "../extension/train.ts";
import { HEARD, PROBE, readHeard, writeHeard } from "../extension/way-message.ts";
import type { Ways } from "../extension/ways.ts";
import { readConv } from "../kcp/segment.ts";
import type { SessionOptions } from "./session-options.ts";

/** Answers to probes that may wait. */
const HEARD_MAX = 16;

export interface FlowSink {
  /** view[start…end) is borrowed until the call returns. */
  flowMessage(now: Millis, type: number, bytes: Uint8Array, view: DataView, start: number, end: number): void;
  /** Little is said: gives back room that was made for bursts. */
  rest(): void;
}

export class Extension {
  readonly negotiation: Negotiation;
  readonly outbox: Outbox;
  readonly train: Train;
  /** What we tell a peer that sends much, and what a peer tells us of the way back. */
  readonly stamps = new Stamps();
  readonly returnPath = new ReturnPath();
  /** The same of what was rebuilt from parity. */
  readonly rebuilt = new RebuiltCount();
  readonly rebuiltThere = new RebuiltNews();
  /** A server's; made when somebody measures. */
  survey: Survey | undefined;
  /** Of types that this version does not know. */
  unknownTypes = 0;
  /** Whether what `transmit` wrote last belongs into FEC. */
  protect = false;
  /** When something was put into the outbox last. */
  saidAt: Millis = Number.NEGATIVE_INFINITY;
  /** A client's that has several; and the peer that each is. */
  ways: Ways | undefined;
  wayPeers: readonly number[] = [];
  /** Whom what `transmit` wrote last is for, −1: the session's peer. */
  peer = -1;
  /** Answers to probes that wait, a server's. */
  readonly #heard: { readonly peer: number; readonly way: number; readonly n: number; readonly loss: number }[] = [];
  #errors = 0;
  #now: Millis = 0;
  /** Trains are sent: not where what carries paces by itself. */
  measures: boolean;
  readonly #conv: number;
  readonly #answers: boolean;
  readonly #packetBytesMax: Bytes;
  readonly #sink: FlowSink;

  /** Packets of at most `packetBytesMax`, as KCP's; `sink` is told of messages of flows. */
  constructor({ role, conv, features, config }: SessionOptions, packetBytesMax: Bytes, sink: FlowSink) {
    this.#conv = conv;
    this.#answers = role === "server";
    this.#packetBytesMax = packetBytesMax;
    this.#sink = sink;
    this.negotiation = new Negotiation(role, conv, features);
    this.train = new Train(conv, packetBytesMax);
    this.measures = config.mode === "auto";
    this.outbox = new Outbox(packetBytesMax, config.flowqueue);
  }

  /** Messages of other conversations, and damaged ones. */
  get errors(): number {
    return this.#errors + this.returnPath.errors + this.rebuiltThere.errors;
  }

  get standing(): Standing {
    return this.negotiation.standing;
  }

  /** An extension datagram in bytes[start…end), borrowed. */
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const type = readType(view, start);
    if (readConv(view, start) !== this.#conv) this.#errors++;
    else if (type === HELLO || type === ANSWER) this.negotiation.receive(type, bytes, view, start, end);
    else if (type === CAR || type === REPORT) this.train.receive(now, type, view, start, end);
    else if (type === STAMP) this.returnPath.receive(now, view, start, end);
    else if (type === REBUILT) this.rebuiltThere.receive(view, start, end);
    else if (type === HEARD && this.ways !== undefined) this.#wayHeard(now, this.ways, view, start, end);
    else if ((type === LOAD || type === ASK) && this.#surveyed) this.#survey.receive(now, type, view, start, end);
    else if (type < FLOW_TYPE_LEAST) this.unknownTypes += type === PROBE ? 0 : 1;
    else if (end - start < FLOW_HEADER_BYTES || this.standing !== "extended") this.#errors++;
    else this.#sink.flowMessage(now, type, bytes, view, start, end);
  }

  /** A datagram of the session came, of whatever kind. */
  received(now: Millis, length: Bytes): void {
    this.stamps.received(now, length);
    this.rebuilt.received(now);
  }

  /** Writes the next datagram to bytes[at…); answers its length, 0 = drained. */
  transmit(bytes: Uint8Array, view: DataView, at: number): Bytes {
    const { negotiation, outbox } = this;
    this.protect = false;
    this.peer = -1;
    const length = negotiation.transmit(bytes, view, at);
    if (length > 0) return length;
    const way = this.#wayMessage(bytes, view, at);
    if (way > 0) return way;
    const measured = this.train.transmit(bytes, view, at);
    if (measured > 0) return measured;
    const surveyed = this.survey?.transmit(bytes, view, at) ?? 0;
    if (surveyed > 0) return surveyed;
    const reported = this.stamps.transmit(view, at, this.#conv) || this.rebuilt.transmit(view, at, this.#conv);
    if (reported > 0) return reported;
    if (outbox.length === 0 || negotiation.standing !== "extended") return 0;
    this.protect = true;
    return outbox.shift(bytes, at);
  }

  advance(now: Millis): void {
    const { negotiation, train } = this;
    // Written in every round a number is a new one on the heap: only where it is read.
    if (this.ways !== undefined) this.#now = now;
    negotiation.advance(now);
    if (this.measures && negotiation.peerHas(FEATURE_TRAINS)) train.depart(now);
    train.advance(now);
    this.stamps.wanted = negotiation.peerHas(FEATURE_WANTS_STAMPS);
    this.rebuilt.wanted = negotiation.peerHas(FEATURE_WANTS_REBUILT);
    this.survey?.advance(now);
    if (this.standing === "plain") this.outbox.clear();
  }

  /** Server: the probe came from this peer, and is answered; `loss` of what is sent here. */
  answer(peer: number, way: number, n: number, loss: number): void {
    if (this.#heard.length < HEARD_MAX) this.#heard.push({ peer, way, n, loss });
  }

  /** Ways can be used: the server is ours and knows them. */
  get roams(): boolean {
    return this.ways !== undefined && this.negotiation.peerHas(FEATURE_WAYS);
  }

  /** Who asks is one of ours, and so are we a server that answers. */
  get #surveyed(): boolean {
    return this.#answers && this.negotiation.peerHas(FEATURE_SURVEYS);
  }

  get #survey(): Survey {
    this.survey ??= new Survey(this.#conv, this.#packetBytesMax);
    return this.survey;
  }

  #wayMessage(bytes: Uint8Array, view: DataView, at: number): Bytes {
    const heard = this.#heard.length > 0 ? this.#heard.shift() : undefined;
    if (heard !== undefined) {
      this.peer = heard.peer;
      return writeHeard(view, at, this.#conv, heard.way, heard.n, heard.loss);
    }
    if (!this.roams || this.ways!.probing < 0) return 0;
    this.peer = this.wayPeers[this.ways!.probing]!;
    return this.ways!.transmit(this.#now, bytes, view, at);
  }

  #wayHeard(now: Millis, ways: Ways, view: DataView, start: number, end: number): void {
    const heard = readHeard(view, start, end);
    if (heard === undefined) this.#errors++;
    else ways.heard(now, heard);
  }

  /** Little is said: gives back room that was made for bursts. */
  rest(): void {
    this.outbox.rest();
    this.#sink.rest();
  }

  deadline(): Millis {
    return Math.min(
      this.negotiation.deadline(),
      this.train.deadline(),
      this.survey?.deadline() ?? NEVER,
      this.roams ? this.ways!.deadline() : NEVER,
    );
  }
}
