/**
 * The flows of a session: datagrams of applications beside its streams (extension/flow-message.ts).
 *
 *   application ─▶ end.send… ─▶ OPEN, DATA or PARTs ─▶ outbox of the session
 *   message ─▶ flow known? ─┬ DATA, whole PARTs ─▶ end.deliver ─▶ application or target
 *                           ├ OPEN of a new one ─▶ accept ─▶ an end, or a VERDICT that refuses
 *                           └ DATA of an unknown one ─▶ END back, so that the peer opens it again
 *
 * Nothing here waits for a stream or is resent; what does not fit the outbox pushes out what is older.
 */
import type { Bytes, Millis } from "../base/units.ts";
import { type Description, GRANTED, readDescription, writeDescription } from "../extension/description.ts";
import {
  DATA,
  DATAGRAM_BYTES_MAX,
  END,
  FLOW_HEADER_BYTES,
  OPEN,
  OPEN_HEADER_BYTES,
  PART,
  PART_HEADER_BYTES,
  readFlow,
  VERDICT,
  writeFlowHeader,
} from "../extension/flow-message.ts";
import { FEATURE_FLOWS } from "../extension/hello.ts";
import { PIECES_MAX, pieceBytesOf, Reassembly } from "../extension/reassembly.ts";
import type { FlowSink } from "./extension.ts";
import type { Session } from "./session.ts";
import type { SessionOptions } from "./session-options.ts";

/** Our end of a flow. */
export interface FlowEnd {
  /** A datagram of the peer in bytes[start…end), borrowed. */
  deliver(now: Millis, bytes: Uint8Array, start: number, end: number): void;
  /** The peer granted the flow or refused it. */
  verdict(now: Millis, description: Description): void;
  /** The peer does not know the flow, or has ended it. */
  ended(now: Millis): void;
  /** The session is over. */
  lost(): void;
}

export interface FlowRefusal {
  readonly verdict: number;
  readonly reason: string;
}

/** The peer opens flow `id`: our end of it, or why there is none. */
export type AcceptFlow = (session: Session, id: number, description: Description, now: Millis) => FlowEnd | FlowRefusal;

/** Can `session` carry flows: not known yet · yes · no. */
export type FlowStanding = "unknown" | "yes" | "no";

export class Flows implements FlowSink {
  /** Messages that are damaged, or of a flow that is not the sender's to open. */
  errors = 0;
  readonly reassembly: Reassembly;
  readonly #session: Session;
  readonly #options: SessionOptions;
  readonly #ends = new Map<number, FlowEnd>();
  #nextId: number;
  #nextDatagram = 0;

  constructor(session: Session, options: SessionOptions) {
    this.#session = session;
    this.#options = options;
    this.#nextId = options.role === "client" ? 1 : 2;
    this.reassembly = new Reassembly(options.config.flowparts);
  }

  get size(): number {
    return this.#ends.size;
  }

  get standing(): FlowStanding {
    const { extension } = this.#session;
    if (extension === undefined || extension.standing === "plain") return "no";
    if (extension.standing === "unknown") return "unknown";
    return extension.negotiation.peerHas(FEATURE_FLOWS) ? "yes" : "no";
  }

  /** A flow of ours; answers its number. */
  add(end: FlowEnd): number {
    let id = this.#nextId;
    // Numbers begin anew after 2^31 flows; by then most are free again.
    while (this.#ends.has(id)) id = (id + 2) >>> 0;
    this.#nextId = (id + 2) >>> 0;
    this.#ends.set(id, end);
    return id;
  }

  /** Our end has gone; `tell` the peer. */
  remove(now: Millis, id: number, tell: boolean): void {
    if (this.#ends.delete(id) && tell) this.#bare(now, END, id);
  }

  /** Sends the datagram bytes[start…end) of flow `id`; with `description` the flow is opened by it. */
  send(now: Millis, id: number, bytes: Uint8Array, start: number, end: number, description?: Uint8Array): void {
    const { extension } = this.#session;
    if (extension === undefined) return;
    const room = extension.outbox.slotBytes;
    const length = end - start;
    if (description !== undefined) {
      const fits = OPEN_HEADER_BYTES + description.length + length <= room;
      this.#open(now, id, description, bytes, start, fits ? end : start);
      if (fits) return;
    }
    if (FLOW_HEADER_BYTES + length <= room) {
      const at = this.#claim(now, DATA, id, FLOW_HEADER_BYTES + length);
      copy(bytes, start, end, extension.outbox.bytes, at + FLOW_HEADER_BYTES);
    } else this.#cut(now, id, bytes, start, end, room - PART_HEADER_BYTES);
  }

  flowMessage(now: Millis, type: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const id = readFlow(view, start);
    const known = this.#ends.get(id);
    const body = start + FLOW_HEADER_BYTES;
    if (type <= PART && !this.#session.takes(now, end - start)) {
      this.#options.counters.datagramsLimited++;
      return;
    }
    if (type === DATA) {
      if (known === undefined) this.#bare(now, END, id);
      else known.deliver(now, bytes, body, end);
    } else if (type === PART) {
      if (known === undefined) {
        this.#bare(now, END, id);
        return;
      }
      const length = this.reassembly.receive(now, bytes, view, start, end);
      if (length > 0) known.deliver(now, this.reassembly.bytes, 0, length);
    } else if (type === OPEN) this.#opened(now, id, known, bytes, view, body, end);
    else if (type === VERDICT) {
      const description = readDescription(bytes, body, end);
      if (description?.verdict === undefined) this.errors++;
      else known?.verdict(now, description);
    } else if (type === END) known?.ended(now);
    else this.errors++;
  }

  rest(): void {
    this.reassembly.rest();
  }

  /** The session has ended. */
  clear(): void {
    const ends = [...this.#ends.values()];
    this.#ends.clear();
    for (const end of ends) end.lost();
  }

  #opened(now: Millis, id: number, known: FlowEnd | undefined, bytes: Uint8Array, view: DataView, body: number, end: number): void {
    const from = body + 2;
    const to = from + (from <= end ? view.getUint16(body, true) : 0);
    const theirs = (id & 1) === (this.#options.role === "client" ? 0 : 1);
    const description = from <= end && to <= end && theirs ? readDescription(bytes, from, to) : undefined;
    if (description === undefined) {
      this.errors++;
      return;
    }
    const answer = known ?? this.#options.flowOpened(this.#session, id, description, now);
    if ("deliver" in answer) {
      if (known === undefined) {
        this.#ends.set(id, answer);
        this.#options.counters.flowsAccepted++;
      }
      this.#verdict(now, id, GRANTED);
      if (to < end) answer.deliver(now, bytes, to, end);
    } else this.#verdict(now, id, answer.verdict, answer.reason);
  }

  #verdict(now: Millis, id: number, verdict: number, reason?: string): void {
    const description = writeDescription({ kind: 0, target: "", verdict, reason });
    const at = this.#claim(now, VERDICT, id, FLOW_HEADER_BYTES + description.length);
    this.#session.extension?.outbox.bytes.set(description, at + FLOW_HEADER_BYTES);
  }

  #open(now: Millis, id: number, description: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
    const head = OPEN_HEADER_BYTES + description.length;
    const at = this.#claim(now, OPEN, id, head + end - start);
    const { outbox } = this.#session.extension!;
    outbox.view.setUint16(at + FLOW_HEADER_BYTES, description.length, true);
    outbox.bytes.set(description, at + OPEN_HEADER_BYTES);
    copy(bytes, start, end, outbox.bytes, at + head);
  }

  #cut(now: Millis, id: number, bytes: Uint8Array, start: number, end: number, room: Bytes): void {
    const total = end - start;
    const count = Math.ceil(total / room);
    if (total > DATAGRAM_BYTES_MAX || count > PIECES_MAX) {
      this.#options.counters.datagramsTooLong++;
      return;
    }
    this.#options.counters.datagramsCut++;
    const datagram = this.#nextDatagram;
    this.#nextDatagram = (datagram + 1) & 0xffff;
    const pieceBytes = pieceBytesOf(total, count);
    for (let index = 0; index < count; index++) {
      const from = start + index * pieceBytes;
      const to = Math.min(from + pieceBytes, end);
      const at = this.#claim(now, PART, id, PART_HEADER_BYTES + to - from);
      const { outbox } = this.#session.extension!;
      outbox.view.setUint16(at + FLOW_HEADER_BYTES, datagram, true);
      outbox.view.setUint16(at + FLOW_HEADER_BYTES + 2, total, true);
      outbox.bytes[at + FLOW_HEADER_BYTES + 4] = index;
      outbox.bytes[at + FLOW_HEADER_BYTES + 5] = count;
      copy(bytes, from, to, outbox.bytes, at + PART_HEADER_BYTES);
    }
  }

  #bare(now: Millis, type: number, id: number): void {
    this.#claim(now, type, id, FLOW_HEADER_BYTES);
  }

  #claim(now: Millis, type: number, id: number, length: Bytes): number {
    const extension = this.#session.extension!;
    const at = extension.outbox.claim(length);
    writeFlowHeader(extension.outbox.view, at, this.#session.conv, type, id);
    extension.saidAt = now;
    this.#session.wake();
    return at;
  }
}

/** A view would be allocated for each datagram, and `set` wants one. */
function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  for (let i = start; i < end; i++) into[at++] = from[i]!;
}
