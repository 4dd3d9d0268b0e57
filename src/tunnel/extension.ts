/**
 * The extension datagrams of a session (extension/header.ts): asks or answers whether the peer is ours, carries the messages of flows.
 *
 *   receive ─┬ HELLO, ANSWER ─▶ negotiation
 *            └ OPEN … END ────▶ sink, the flows of the session
 *   train ─────────┐
 *   negotiation ───┤
 *   outbox ────────┴▶ transmit ─▶ FEC when it is on (not for HELLO and ANSWER) ─▶ cipher
 *
 * The outbox waits until the peer is known to be ours, and is emptied when it is not.
 */
import type { Bytes, Millis } from "../base/units.ts";
import { FLOW_HEADER_BYTES } from "../extension/flow-message.ts";
import { FLOW_TYPE_LEAST, readType } from "../extension/header.ts";
import { ANSWER, FEATURE_TRAINS, HELLO } from "../extension/hello.ts";
import { Negotiation, type Standing } from "../extension/negotiation.ts";
import { Outbox } from "../extension/outbox.ts";
import { CAR, REPORT, Train } from "../extension/train.ts";
import { readConv } from "../kcp/segment.ts";
import type { SessionOptions } from "./session-options.ts";

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
  /** Messages of other conversations, damaged ones, and of types that this version does not know. */
  errors = 0;
  unknownTypes = 0;
  /** Whether what `transmit` wrote last belongs into FEC. */
  protect = false;
  /** When something was put into the outbox last. */
  saidAt: Millis = Number.NEGATIVE_INFINITY;
  readonly #measures: boolean;
  readonly #conv: number;
  readonly #sink: FlowSink;

  /** Packets of at most `packetBytesMax`, as KCP's; `sink` is told of messages of flows. */
  constructor({ role, conv, features, config }: SessionOptions, packetBytesMax: Bytes, sink: FlowSink) {
    this.#conv = conv;
    this.#sink = sink;
    this.negotiation = new Negotiation(role, conv, features);
    this.train = new Train(conv, packetBytesMax);
    this.#measures = config.mode === "auto";
    this.outbox = new Outbox(packetBytesMax, config.flowqueue);
  }

  get standing(): Standing {
    return this.negotiation.standing;
  }

  /** An extension datagram in bytes[start…end), borrowed. */
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const type = readType(view, start);
    if (readConv(view, start) !== this.#conv) this.errors++;
    else if (type === HELLO || type === ANSWER) this.negotiation.receive(type, bytes, view, start, end);
    else if (type === CAR || type === REPORT) this.train.receive(now, type, view, start, end);
    else if (type < FLOW_TYPE_LEAST) this.unknownTypes++;
    else if (end - start < FLOW_HEADER_BYTES || this.standing !== "extended") this.errors++;
    else this.#sink.flowMessage(now, type, bytes, view, start, end);
  }

  /** Writes the next datagram to bytes[at…); answers its length, 0 = drained. */
  transmit(bytes: Uint8Array, view: DataView, at: number): Bytes {
    const { negotiation, outbox } = this;
    this.protect = false;
    const length = negotiation.transmit(bytes, view, at);
    if (length > 0) return length;
    const measured = this.train.transmit(bytes, view, at);
    if (measured > 0) return measured;
    if (outbox.length === 0 || negotiation.standing !== "extended") return 0;
    this.protect = true;
    return outbox.shift(bytes, at);
  }

  advance(now: Millis): void {
    const { negotiation, train } = this;
    negotiation.advance(now);
    if (this.#measures && this.standing === "extended" && (negotiation.peerFeatures & FEATURE_TRAINS) !== 0) train.depart(now);
    train.advance(now);
    if (this.standing === "plain") this.outbox.clear();
  }

  /** Little is said: gives back room that was made for bursts. */
  rest(): void {
    this.outbox.rest();
    this.#sink.rest();
  }

  deadline(): Millis {
    return Math.min(this.negotiation.deadline(), this.train.deadline());
  }
}
