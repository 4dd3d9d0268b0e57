/**
 * The client's end of a raw connection, for ever: connects, keeps alive, and begins anew from another port when the server is not heard any more.
 *
 *   port ─▶ syn (faketcp only) ─▶ handshake1 ─▶ handshake2 ─▶ ready ─▶ port …
 *
 *   C→S  SYN            S→C  SYN-ACK
 *   C→S  ACK, bare(id, 0, constant)
 *                       S→C  bare(server's id, id, server's constant)
 *   C→S  bare(id, server's id, constant)
 *                       S→C  heartbeat
 *
 * The same `constant` in every connection of a process lets the server carry the conversations over to the new one.
 *
 * Core: `receive`, of one packet or several of the same buffer, then `next` until 0; `advance`; drain `transmit`; `deadline`. When `needsPort`, whoever runs it reserves a port and calls `connect`.
 *
 * Source: reference udp2raw.md sections 5.2 to 5.6.
 */
import type { Batch } from "../base/batch.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { Arrival } from "./arrival.ts";
import { Connection } from "./connection.ts";
import type { Ends } from "./envelope.ts";
import { Inbox } from "./inbox.ts";
import { drawU32, type RawOptions, type RawTiming, timing } from "./options.ts";
import { type Seals, sealsOf } from "./seal.ts";
import { ACK, RST, SYN } from "./tcp-header.ts";

export type ClientState = "port" | "syn" | "handshake1" | "handshake2" | "ready";

export interface RawClientStats {
  /** Packets of other senders, and damaged ones. */
  foreign: number;
  resets: number;
  connections: number;
  /** Steps of a handshake that were given up, and ready connections that fell silent. */
  timeouts: number;
  silences: number;
}

export class RawClient {
  readonly connection: Connection;
  readonly stats: RawClientStats = { foreign: 0, resets: 0, connections: 0, timeouts: 0, silences: 0 };
  readonly #options: RawOptions;
  readonly #timing: RawTiming;
  readonly #constant: number;
  /** What all packets are sealed with. */
  readonly seals: Seals;
  readonly #inbox: Inbox<undefined>;
  #state: ClientState = "port";
  #ends: Ends | undefined;
  #stepAt: Millis = 0;
  #sendAt: Millis = NEVER;
  /** Of the step that lasts: a repetition looks the same. */
  #seq = 0;
  #ack = 0;
  /** handshake1 of faketcp is two packets. */
  #acknowledged = false;

  constructor(options: RawOptions, times: RawTiming = timing) {
    this.#options = options;
    this.#timing = times;
    this.#constant = drawU32(options.random);
    this.seals = sealsOf("client", options);
    this.#inbox = new Inbox(options.mode, "server", this.seals.in);
    this.connection = new Connection("client", options, this.seals);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Of the connection that lasts, or of the last one. */
  get ends(): Ends | undefined {
    return this.#ends;
  }

  /** A port (icmp: an id) is wanted, on which nobody else listens; a new one each time. */
  get needsPort(): boolean {
    return this.#state === "port";
  }

  /** Begins a connection between these ends. */
  connect(now: Millis, ends: Ends): void {
    this.#ends = ends;
    this.connection.open(now, ends);
    this.#seq = drawU32(this.#options.random);
    this.#ack = drawU32(this.#options.random) || 1;
    this.#enter(now, this.#options.mode === "faketcp" ? "syn" : "handshake1");
    // The machine's own TCP says SYN, and ACK.
    if (this.#options.easy === true) this.#sendAt = NEVER;
  }

  /** Gives the connection up and asks for another port: the user wants it, or the address of the server has changed. */
  reconnect(_now: Millis): void {
    this.#state = "port";
    this.#sendAt = NEVER;
    this.#inbox.clear();
  }

  /**
   * An IP packet, opened in place; `segmentBytes` and `place` as the raw socket tells them. True when it may hold datagrams: then call `next` until it
   * answers 0.
   */
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number, segmentBytes = 0, place = 0): boolean {
    const { arrival } = this.#inbox;
    arrival.segmentBytes = segmentBytes;
    arrival.place = place;
    const ends = this.#ends;
    if (this.#state === "port" || ends === undefined) return false;
    const ours =
      arrival.read(bytes, view, start, end) &&
      arrival.sourcePort === ends.remotePort &&
      arrival.destinationPort === ends.localPort &&
      arrival.isFrom(bytes, ends.remote);
    if (!ours) {
      this.stats.foreign++;
      return false;
    }
    if ((arrival.tcp.flags & RST) !== 0) {
      this.stats.resets++;
      return false;
    }
    if (this.#state === "syn") this.#synAck(now, arrival);
    else if (this.#state === "handshake1") this.#answer(now, bytes, view, arrival);
    else if (arrival.start < arrival.end) {
      this.#inbox.keep(bytes, undefined);
      return true;
    }
    return false;
  }

  /** The next thing inside the packets received: DATA (a datagram, see `connection`), HEARTBEAT, or 0. */
  next(now: Millis, bytes: Uint8Array, view: DataView): number {
    const inbox = this.#inbox;
    while (inbox.next()) {
      const found = this.connection.take(now, view, bytes, inbox.plainStart, inbox.plainEnd, inbox.packet, inbox.isFirst);
      if (found === 0) continue;
      if (this.#state === "handshake2") {
        this.#state = "ready";
        this.#sendAt = NEVER;
        this.stats.connections++;
        this.connection.heartbeatDue = now;
      }
      return found;
    }
    return 0;
  }

  advance(now: Millis): void {
    if (this.#state === "port") return;
    if (this.#state !== "ready") {
      if (now < this.#stepAt + this.#timing.stepMs) return;
      this.stats.timeouts++;
      this.reconnect(now);
      return;
    }
    const { heardAt, rollerAt } = this.connection;
    if (now < heardAt + this.#timing.silenceMs && now < rollerAt + this.#timing.rollerMs) return;
    this.stats.silences++;
    this.reconnect(now);
  }

  deadline(): Millis {
    if (this.#state === "port") return NEVER;
    const { heardAt, rollerAt, heartbeatDue } = this.connection;
    const { silenceMs, rollerMs, stepMs } = this.#timing;
    return this.#state === "ready"
      ? Math.min(heartbeatDue, heardAt + silenceMs, rollerAt + rollerMs)
      : Math.min(this.#sendAt, this.#stepAt + stepMs);
  }

  /** Lays what is due into the batch; false when it is full and more waits. */
  transmit(now: Millis, batch: Batch): boolean {
    const { connection } = this;
    if (this.#state === "ready") {
      if (now < connection.heartbeatDue) return true;
      if (batch.full) return false;
      connection.heartbeatDue = now + this.#timing.heartbeatMs;
      batch.add(connection.heartbeat(now, batch.bytes, batch.view, batch.slot(batch.length)), connection.packetEnd, connection.place);
      return true;
    }
    while (now >= this.#sendAt) {
      if (batch.full) return false;
      this.#step(now, batch);
    }
    return true;
  }

  #step(now: Millis, batch: Batch): void {
    const { connection } = this;
    const { bytes, view } = batch;
    const slot = batch.slot(batch.length);
    if (this.#state === "syn")
      batch.add(connection.bareSegment(now, bytes, view, slot, SYN, this.#seq, this.#ack), connection.packetEnd, connection.place);
    else if (this.#state === "handshake1" && this.#options.mode === "faketcp" && !this.#acknowledged && this.#options.easy !== true) {
      this.#acknowledged = true;
      batch.add(connection.bareSegment(now, bytes, view, slot, ACK, this.#seq, this.#ack), connection.packetEnd, connection.place);
      return;
    } else
      batch.add(connection.handshake(now, bytes, view, slot, this.#constant, this.#seq, this.#ack), connection.packetEnd, connection.place);
    this.#acknowledged = false;
    this.#sendAt = now + this.#timing.retryMs;
  }

  #synAck(now: Millis, arrival: Arrival): void {
    const { flags, seq, ack, tsval } = arrival.tcp;
    const easy = this.#options.easy === true;
    if ((flags & (SYN | ACK)) !== (SYN | ACK) || (!easy && ack !== (this.#seq + 1) >>> 0)) return;
    this.#seq = ack;
    this.#ack = (seq + 1) >>> 0;
    this.connection.flow.tsecr = tsval;
    this.#enter(now, "handshake1");
  }

  #answer(now: Millis, bytes: Uint8Array, view: DataView, arrival: Arrival): void {
    const { connection } = this;
    if (arrival.start === arrival.end) return;
    const bare = connection.readHandshake(bytes, view, arrival);
    if (bare === undefined || bare.receiver !== connection.id) return;
    const { seq, ack, tsval } = arrival.tcp;
    const next = (this.#seq + connection.handshakeBytes) >>> 0;
    if (this.#options.mode === "faketcp") {
      if (ack !== next || seq !== this.#ack) return;
      this.#seq = next;
      this.#ack = (seq + arrival.end - arrival.start) >>> 0;
      connection.flow.tsecr = tsval;
      connection.flow.reset((next + connection.handshakeBytes) >>> 0, this.#ack);
    }
    connection.meet(bare);
    connection.peerId = bare.sender;
    this.#enter(now, "handshake2");
  }

  #enter(now: Millis, state: ClientState): void {
    this.#state = state;
    this.#stepAt = now;
    this.#sendAt = now;
    this.#acknowledged = false;
  }
}
