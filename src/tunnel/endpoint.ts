/**
 * One link (a UDP socket, as a rule) and the sessions behind it: batches in, batches out, and who is due when.
 *
 *   round:  receive(batch) → open all → each to its session            (sessions only mutate)
 *           advance(now)   → due and touched sessions advance, then drain into one batch → seal all → send
 *
 * When the socket takes no more, what is sealed stays in the batch and sessions keep the rest inside KCP until it is writable again.
 */
import type { Batch } from "../base/batch.ts";
import { Heap } from "../base/heap.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { Link, LinkHandler } from "../host/link.ts";
import type { Loop } from "../host/loop.ts";
import type { Envelope } from "./envelope.ts";
import type { Scratch } from "./scratch.ts";
import type { Session } from "./session.ts";

/** Tuning: datagrams sealed and sent together; four times what the kernel takes as one. */
const BATCH_DATAGRAMS = 192;
/** Tuning: most batches sent in one round before other sockets get their turn. */
const BATCHES_PER_ROUND = 11;

/** Finds the session a datagram belongs to, or makes it. */
export interface Demultiplexer {
  /** bytes[start…end) is decrypted. Undefined = drop (counted as stray). */
  sessionFor(now: Millis, peer: number, bytes: Uint8Array, view: DataView, start: number, end: number): Session | undefined;
  /** A datagram that is not encrypted as ours are, or damaged. */
  unreadable(now: Millis, peer: number): void;
  /** The session has closed and is not called any more. */
  sessionClosed(now: Millis, session: Session): void;
}

export interface EndpointCounters {
  /** Datagrams that belong to no session. */
  strayDatagrams: number;
  /** Times the socket's buffer was full. */
  sendBlocked: number;
}

export class Endpoint implements LinkHandler {
  readonly socket: Link;
  readonly counters: EndpointCounters = { strayDatagrams: 0, sendBlocked: 0 };
  readonly #loop: Loop;
  readonly #envelope: Envelope;
  readonly #demultiplexer: Demultiplexer;
  readonly #scratch: Scratch;
  /** Lent by the scratch memory while there is something to send, which is for ever while the socket is full. */
  #batch: Batch | undefined;
  readonly #batchDatagrams: number;
  #sealed = 0;
  #taken = 0;
  #blocked = false;
  #dirty: Session[] = [];
  #pending: Session[] = [];
  /** Sessions whose peers take no more for now. */
  readonly #waiting = new Set<Session>();
  readonly #timers = new Heap<Session>();

  /** `open` is called once, at once. @throws what it throws */
  constructor(loop: Loop, open: (handler: LinkHandler) => Link, envelope: Envelope, demultiplexer: Demultiplexer, scratch: Scratch) {
    this.#loop = loop;
    this.#scratch = scratch;
    this.#envelope = envelope;
    this.#demultiplexer = demultiplexer;
    this.socket = open(this);
    this.#batchDatagrams = this.socket.batchDatagrams ?? BATCH_DATAGRAMS;
  }

  /** The session is advanced in this round, or in the next one when called outside. */
  readonly wake = (session: Session): void => {
    if (session.dirty) return;
    session.dirty = true;
    this.#dirty.push(session);
    this.#loop.wake();
  };

  receive(now: Millis, batch: Batch): void {
    this.#envelope.open(now, batch);
    for (let i = 0; i < batch.length; i++) {
      const start = batch.start[i]!;
      const end = batch.end[i]!;
      if (end <= start) {
        this.#demultiplexer.unreadable(now, batch.peer[i]!);
        continue;
      }
      const session = this.#demultiplexer.sessionFor(now, batch.peer[i]!, batch.bytes, batch.view, start, end);
      if (session === undefined) {
        this.counters.strayDatagrams++;
        continue;
      }
      session.receive(now, batch.bytes, batch.view, start, end);
      this.wake(session);
    }
  }

  writable(_now: Millis): void {
    this.#blocked = false;
    for (const session of this.#waiting) this.wake(session);
    this.#waiting.clear();
  }

  /** Called by the owner once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    while (this.#timers.minimum <= now) {
      const due = this.#timers.minimum;
      const session = this.#timers.pop()!;
      if (session.scheduled !== due) continue;
      session.scheduled = NEVER;
      this.wake(session);
    }
    const touched = this.#dirty;
    this.#dirty = this.#pending;
    this.#pending = touched;
    for (let i = 0; i < touched.length; i++) {
      const session = touched[i]!;
      if (session.closed === undefined) session.advance(now);
      // Only now: what a session wakes itself for while it advances, it does in the same pass.
      session.dirty = false;
    }
    this.#drain(now, touched);
    for (let i = 0; i < touched.length; i++) this.#settle(now, touched[i]!);
    touched.length = 0;
    return this.#dirty.length > 0 && !this.#blocked ? now : this.#timers.minimum;
  }

  close(): void {
    if (this.#batch !== undefined) this.#scratch.giveBatch(this.#batch);
    this.#batch = undefined;
    this.socket.close();
  }

  #drain(now: Millis, touched: readonly Session[]): void {
    if (touched.length === 0 && this.#batch === undefined) return;
    this.#batch ??= this.#scratch.takeBatch(this.#batchDatagrams);
    const batch = this.#batch;
    let batchesLeft = BATCHES_PER_ROUND;
    if (!this.#flush(batch)) batchesLeft = 0;
    for (let i = 0; i < touched.length; i++) {
      const session = touched[i]!;
      if (session.closed !== undefined) continue;
      while (batchesLeft > 0 && this.#takes(session) && !session.transmit(now, batch)) {
        batchesLeft--;
        if (!this.#flush(batch)) batchesLeft = 0;
      }
      if (batchesLeft === 0) this.wake(session);
    }
    if (batchesLeft > 0) this.#flush(batch);
    if (batch.length > 0) return;
    this.#scratch.giveBatch(batch);
    this.#batch = undefined;
  }

  /** False when the session's peer takes no more for now: then it is woken when it does. */
  #takes(session: Session): boolean {
    if (this.socket.takes?.(session.peer) !== false) return true;
    this.#waiting.add(session);
    return false;
  }

  /** Seals and sends what the batch holds; false when the socket takes no more now. */
  #flush(batch: Batch): boolean {
    if (this.#blocked) return false;
    if (this.#sealed < batch.length) {
      this.#envelope.seal(batch, this.#sealed);
      this.#sealed = batch.length;
    }
    if (this.#taken < batch.length) this.#taken = this.socket.send(batch, this.#taken);
    if (this.#taken < batch.length) {
      this.#blocked = true;
      // Packets may lie where sessions keep their data, which are another's when the batch goes on.
      batch.own(this.#taken);
      this.counters.sendBlocked++;
      return false;
    }
    batch.length = 0;
    this.#sealed = 0;
    this.#taken = 0;
    return true;
  }

  #settle(now: Millis, session: Session): void {
    if (session.closed !== undefined) {
      this.#waiting.delete(session);
      session.scheduled = NEVER;
      if (!session.dirty) this.#demultiplexer.sessionClosed(now, session);
      return;
    }
    const deadline = session.deadline();
    if (deadline < session.scheduled) {
      session.scheduled = deadline;
      this.#timers.push(deadline, session);
    }
  }
}
