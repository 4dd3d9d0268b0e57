/**
 * One KCP session with one peer, and the streams in it.
 *
 *   datagram → (cipher, in endpoint.ts) → FEC → KCP (transport.ts) → snappy → smux (layers.ts) → streams
 *   streams → smux → snappy → KCP → FEC → (cipher, socket)
 *
 * Driven by its endpoint: `receive` for each datagram, then `advance`, then `transmit` until it answers drained, then `deadline`.
 */
import type { Batch } from "../base/batch.ts";
import type { Pieces } from "../base/pieces.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import type { Description } from "../extension/description.ts";
import type { Log } from "../host/log.ts";
import type { Kcp } from "../kcp/kcp.ts";
import { HEADER_BYTES } from "../kcp/segment.ts";
import { Qpp } from "../qpp/qpp.ts";
import { DATA, DESCRIBED, FINISHED, OPENED, type SmuxSession } from "../smux/session.ts";
import { sniff } from "../smux/sniff.ts";
import { INITIAL_WINDOW_BYTES } from "../smux/stream.ts";
import type { TunnelConfig } from "./config.ts";
import { Extension } from "./extension.ts";
import { Flows } from "./flows.ts";
import { Introductions, type OpenRefusal } from "./introductions.ts";
import { INBOUND_BYTES_MIN, Layers, OVERSHOOT_BYTES, type SmuxSink } from "./layers.ts";
import type { Lock } from "./lock.ts";
import type { Roaming } from "./roaming.ts";
import type { SessionOptions } from "./session-options.ts";
import type { RateShare } from "./shared-rate.ts";
import { ENDED, SHUT, Stream, type StreamOwner } from "./stream.ts";
import { Transport } from "./transport.ts";
import { Turns } from "./turns.ts";
import { Vigil } from "./vigil.ts";

/** How often half-closed streams are looked at. */
const SWEEP_MS: Millis = 1000;

export class Session implements StreamOwner, SmuxSink {
  /** Id in the socket's address table; −1 until the peer's name is resolved. */
  peer: number;
  /** Its number among all of its tunnel, from 1 on. */
  id = 0;
  readonly peerName: string;
  readonly conv: number;
  readonly transport: Transport;
  readonly kcp: Kcp;
  /** A client's opinion of its server; a server has none, clients come and go. */
  readonly vigil: Vigil | undefined;
  readonly streams = new Map<number, Stream>();
  /** Bookkeeping of the endpoint. */
  dirty = false;
  scheduled: Millis = NEVER;
  readonly startedAt: Millis;
  /** Set once: why the session ended. */
  closed: string | undefined;
  layers: Layers | undefined;
  readonly introductions: Introductions;
  readonly lock: Lock | undefined;
  /** Client: of a session with several ways. */
  roaming: Roaming | undefined;
  /** Undefined when extensions are off. */
  readonly flows: Flows | undefined;
  readonly #options: SessionOptions;
  /** Of the rate at which the user may send. */
  readonly #intake: RateShare | undefined;
  readonly #ready: Turns;
  #now: Millis;
  /** Streams that have gathered pieces of what is being received. */
  readonly #gathering: Stream[] = [];
  #sweepAt: Millis = NEVER;

  constructor(now: Millis, options: SessionOptions) {
    const { config } = options;
    this.#options = options;
    this.peer = options.peer;
    this.peerName = options.peerName;
    this.conv = options.conv;
    this.startedAt = now;
    this.lock = options.lock;
    this.#intake = options.lock?.user.up.share();
    this.vigil = options.role === "client" ? new Vigil(now) : undefined;
    const { scratch, cipherBytes, lock } = options;
    this.transport = new Transport(now, options.conv, config, cipherBytes, scratch, this.vigil?.health, lock?.user.down.share());
    this.kcp = this.transport.kcp;
    if (config.extensions) {
      this.flows = new Flows(this, options);
      this.transport.extension = new Extension(options, this.kcp.mss + HEADER_BYTES, this.flows);
    }
    this.introductions = new Introductions(this, options);
    this.#ready = new Turns(config.streams + 1);
    this.#now = now;
    if (options.role === "client") this.#settle(config.smuxver === 1 ? 1 : 2, !config.nocomp);
  }

  /** A decrypted datagram in bytes[start…end). */
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.transport.receive(now, bytes, view, start, end);
  }

  /** Moves bytes between KCP and the sockets as far as both sides allow. */
  advance(now: Millis): void {
    this.#now = now;
    // Nothing wakes for this: keep-alives come often enough.
    if (this.transport.rest(now)) this.layers?.rest();
    this.kcp.advance(now);
    this.extension?.advance(now);
    this.roaming?.advance(now);
    this.introductions.advance(now);
    this.#inbound(now);
    const { layers } = this;
    if (layers === undefined) return;
    layers.smux.advance(now);
    if (layers.failure !== undefined) {
      this.close(now, layers.failure.code);
      return;
    }
    for (let sid = layers.smux.overstayed(); sid !== 0; sid = layers.smux.overstayed()) this.#evict(now, sid, layers.smux);
    if (now >= this.#sweepAt) this.#sweep(now);
    this.vigil?.advance(now, this.transport, layers);
    this.#outbound(now, layers);
  }

  deadline(): Millis {
    if (this.closed !== undefined) return NEVER;
    const { smux } = this.layers ?? {};
    const due = Math.min(
      this.transport.deadline(),
      smux?.deadline() ?? NEVER,
      this.#sweepAt,
      this.introductions.dueAt,
      this.#intakeDeadline,
    );
    return this.vigil === undefined ? due : Math.min(due, this.vigil.deadline());
  }

  /** Lays packets into the batch; false when the batch is full and more wait. */
  transmit(now: Millis, batch: Batch): boolean {
    return this.transport.transmit(now, batch, this.peer);
  }

  /** Opens a stream for a connection: attach its socket. It may have to wait until the peer is known; then it has no number yet. */
  open(now: Millis, description: Description): Stream | OpenRefusal {
    return this.introductions.open(now, description);
  }

  get log(): Log {
    return this.#options.log;
  }

  /** Takes over what may change in a running session. */
  reconfigure(now: Millis, { ratelimit, keepalive, closewait, quiet }: TunnelConfig): void {
    const { config } = this.#options;
    if (config.ratelimit !== ratelimit) this.transport.limitRate(now, ratelimit);
    if (config.keepalive !== keepalive) this.layers?.smux.keepalive(now, keepalive * 1000);
    Object.assign(config, { ratelimit, keepalive, closewait, quiet });
    this.#options.wake(this);
  }

  /** Ends all streams in order (FIN to the peer), as the process stops. */
  finish(now: Millis): void {
    for (const stream of [...this.streams.values()]) this.#forget(now, stream, "close");
    this.introductions.clear();
    this.#options.wake(this);
  }

  close(_now: Millis, reason: string): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    for (const stream of this.streams.values()) stream.reset(reason);
    this.streams.clear();
    this.introductions.clear();
    this.flows?.clear();
    this.#ready.clear();
    this.#options.wake(this);
  }

  /** Whether the user may send a datagram of so many bytes now; what waits for that in a stream is dropped in a flow. */
  takes(now: Millis, bytes: Bytes): boolean {
    if (this.#intake === undefined) return true;
    if (!this.#intake.admits(now)) return false;
    this.#intake.spend(bytes);
    return true;
  }

  /** Something was put into the outbox. */
  wake(): void {
    this.#options.wake(this);
  }

  streamReady(stream: Stream): void {
    if (!stream.queued && this.streams.get(stream.sid) === stream) {
      stream.queued = true;
      this.#ready.push(this.#now, stream);
    }
    this.#options.wake(this);
  }

  gather(stream: Stream): Pieces {
    this.#gathering.push(stream);
    return this.#options.scratch.takePieces();
  }

  smuxSettle(now: Millis): void {
    const gathering = this.#gathering;
    for (let i = 0; i < gathering.length; i++) {
      const stream = gathering[i]!;
      if (!stream.settle(now)) this.close(now, "smux.window");
      const pieces = stream.releasePieces();
      if (pieces !== undefined) this.#options.scratch.givePieces(pieces);
    }
    gathering.length = 0;
  }

  streamConsumed(now: Millis, stream: Stream, n: number): void {
    this.layers?.smux.consumed(now, stream.sid, n);
    this.#options.wake(this);
  }

  streamBroken(now: Millis, stream: Stream, code: string): void {
    if (!this.#options.config.quiet) this.#options.log.info({ peer: this.peerName, stream: stream.sid, code }, "connection broke");
    this.streamGone(now, stream);
  }

  /** The stream has ended without more to be said to its socket. */
  streamGone(now: Millis, stream: Stream): void {
    this.introductions.forget(stream);
    this.#forget(now, stream, "gone");
    this.#options.wake(this);
  }

  /** Ends a stream in order. */
  endStream(now: Millis, stream: Stream): void {
    this.introductions.forget(stream);
    this.#forget(now, stream, "close");
    this.#options.wake(this);
  }

  /** Ends a stream whose application takes nothing while all others wait for it. */
  #evict(now: Millis, sid: number, smux: SmuxSession): void {
    smux.stats.streamsEvicted++;
    const stream = this.streams.get(sid);
    const facts = { peer: this.peerName, stream: sid, heldBytes: stream?.backlogBytes };
    this.#options.log.warn(facts, "connection reset: it took nothing while all others waited for it (options spill and stallwait)");
    stream?.reset("its application took nothing");
    if (stream !== undefined) this.streamGone(now, stream);
    smux.forget(now, sid);
    this.#options.wake(this);
  }

  /** A stream without a number. */
  newStream(now: Millis): Stream {
    const { config, pads } = this.#options;
    const backlogBytesMax = Math.max(config.smuxbuf + config.spill, config.streambuf, INITIAL_WINDOW_BYTES) + OVERSHOOT_BYTES;
    return new Stream(now, this, backlogBytesMax, pads === undefined ? undefined : new Qpp(pads));
  }

  number(stream: Stream, sid: number): void {
    stream.sid = sid;
    stream.ours = (sid & 1) === (this.#options.role === "client" ? 1 : 0);
    this.streams.set(sid, stream);
  }

  smuxEvent(now: Millis, smux: SmuxSession, bytes: Uint8Array): void {
    const sid = smux.eventSid;
    if (smux.event === OPENED) {
      if (smux.stats.accepted === 1) {
        this.#options.log.info({ peer: this.peerName, smux: smux.version, snappy: this.layers?.compressed }, "client's settings found");
      }
      const stream = this.newStream(now);
      this.number(stream, sid);
      this.introductions.opened(now, stream, smux.takeDescription());
      return;
    }
    const stream = this.streams.get(sid);
    if (stream === undefined) {
      if (smux.event === DATA) smux.consumed(now, sid, smux.dataEnd - smux.dataStart);
      return;
    }
    if (smux.event === DATA) {
      if (!stream.deliver(now, bytes, smux.dataStart, smux.dataEnd)) this.close(now, "smux.window");
    } else if (smux.event === DESCRIBED) {
      const description = smux.takeDescription();
      if (description !== undefined) this.introductions.described(now, stream, description);
    } else if (smux.event === FINISHED) {
      if (!stream.settle(now)) {
        this.close(now, "smux.window");
        return;
      }
      stream.finish(now);
      if (stream.done) this.#forget(now, stream, "close");
      else this.#sweepAt = Math.min(this.#sweepAt, now + SWEEP_MS);
    }
  }

  get addresses(): SessionOptions["addresses"] {
    return this.#options.addresses;
  }

  get extension(): Extension | undefined {
    return this.transport.extension;
  }

  get #intakeDeadline(): Millis {
    return this.#intake === undefined || this.kcp.readable === 0 ? NEVER : this.#intake.deadline();
  }

  #settle(version: 1 | 2 | "any", compressed: boolean): void {
    const { config, role, scratch } = this.#options;
    this.layers = new Layers(role, version, compressed, config, this.kcp, scratch);
    // A client's question is its word that it understands descriptions; a server learns it from the question.
    if (role === "client" ? config.extensions : this.extension?.standing === "extended") this.introductions.allow();
  }

  #inbound(now: Millis): void {
    const { kcp } = this;
    const { inbound } = this.#options.scratch;
    while (this.closed === undefined && kcp.readable > 0) {
      if (this.#intake?.admits(now) === false) return;
      const n = kcp.read(now, inbound.bytes, inbound.at, inbound.at + (this.layers?.inboundBytes ?? INBOUND_BYTES_MIN));
      if (n === 0) return;
      this.#intake?.spend(n);
      if (this.layers === undefined && !this.#sniff(now, inbound.bytes, inbound.at, n)) return;
      this.layers?.receive(now, inbound.bytes, inbound.at, inbound.at + n, this);
    }
  }

  /** Server: takes over the client's settings from the first bytes of its stream. */
  #sniff(now: Millis, bytes: Uint8Array, start: number, n: number): boolean {
    const found = sniff(bytes, start, start + n);
    if (found === undefined) {
      this.close(now, "stream.unrecognised");
      return false;
    }
    this.#settle(found.version, found.compressed);
    return true;
  }

  /** Control frames first, then the ready streams in turn, a share of KCP's room each, while it takes them. */
  #outbound(now: Millis, layers: Layers): void {
    const { kcp } = this;
    const ready = this.#ready;
    let blocked = 0;
    while (this.closed === undefined && kcp.writable) {
      if (layers.pushControl(now)) continue;
      if (blocked >= ready.length) return;
      const stream = ready.next();
      if (stream === undefined) return;
      stream.queued = false;
      if (this.streams.get(stream.sid) !== stream) continue;
      if (stream.done) {
        this.#forget(now, stream, "close");
        continue;
      }
      if (stream.localEnded) continue;
      const n = layers.pull(now, stream, ready.length + 1);
      if (n === ENDED) this.#endLocal(now, stream, layers);
      if (n > 0 || n === SHUT) {
        stream.queued = true;
        ready.push(now, stream, n === SHUT);
        blocked = n > 0 ? 0 : blocked + 1;
      }
    }
  }

  #endLocal(now: Millis, stream: Stream, layers: Layers): void {
    layers.smux.finish(now, stream.sid);
    if (stream.done) this.#forget(now, stream, "close");
    else this.#sweepAt = Math.min(this.#sweepAt, now + SWEEP_MS);
  }

  /** Closes halves that idle because the peer has closed its stream whole. */
  #sweep(now: Millis): void {
    const idleMax = this.#options.config.closewait * 1000;
    let halves = 0;
    for (const stream of this.streams.values()) {
      if (!stream.localEnded && !stream.remoteEnded) continue;
      if (now - stream.lastActive >= idleMax && stream.backlogBytes === 0) this.#forget(now, stream, "close");
      else halves++;
    }
    this.#sweepAt = halves > 0 ? now + SWEEP_MS : NEVER;
  }

  #forget(now: Millis, stream: Stream, how: "close" | "gone"): void {
    const smux = this.layers?.smux;
    if (this.streams.get(stream.sid) !== stream) return;
    this.streams.delete(stream.sid);
    if (smux !== undefined) {
      if (!stream.localEnded) smux.finish(now, stream.sid);
      if (!stream.remoteEnded || stream.backlogBytes > 0) smux.forget(now, stream.sid);
    }
    if (how === "close") stream.close();
    const { log, config } = this.#options;
    if (config.quiet) return;
    const { sid, sentBytes, receivedBytes, openedAt } = stream;
    const seconds = Math.round(now - openedAt) / 1000;
    log.info({ peer: this.peerName, stream: sid, sentBytes, receivedBytes, seconds }, "connection closed");
  }
}
