/**
 * SRT for all channels at one UDP port: encoders call with their stream key as stream id.
 *
 *   encoder ─ induction ─▶ answered here with a cookie; nothing is kept of it
 *           ─ conclusion, cookie, stream id ─▶ key known? no: refused with a reason
 *                                                          yes: SrtSession, srt-live-transmit on the loopback
 *           ─ datagrams ─▶ SrtSession ─▶ srt-live-transmit ─ MPEG-TS ─▶ TsToUnit ─ tracks, units ─▶ Channel
 *
 * So a process is started only for who has shown a key and is where it says it is. SRT itself (order, lost datagrams, encryption, time) is the program's work.
 *
 * Source: media/srt/handshake.ts.
 */
import { Batch } from "../base/batch.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { Driver, Loop, UdpHandler, UdpSocket } from "../host/loop.ts";
import type { StartSrtListener } from "../host/srt-program.ts";
import { answerInduction, answerRefusal, Handshake, reason, shutdown } from "../media/srt/handshake.ts";
import { parseStreamId } from "../media/srt/stream-id.ts";
import type { Channel } from "./channel.ts";
import type { Publisher, Refusal } from "./publisher.ts";
import { reasonOf, SrtSession, type SrtSessionHost } from "./srt-session.ts";

export interface SrtFrontOptions {
  readonly host: string;
  readonly port: number;
  /** ms for lost datagrams. */
  readonly latency: Millis;
  /** Most encoders at once. */
  readonly sessionsMax: number;
  /** From its call on, an encoder may take so long to publish. */
  readonly setup: Millis;
  /** Passphrase of a channel, empty where it has none, and whether streams must be encrypted beside what the origin's gate says. */
  readonly encryption: (channel: string) => { readonly passphrase: string; readonly needed: boolean };
  /** Tells who was answered from who says so: 32 bits that nobody else can make. */
  readonly cookie: (address: string, minute: number) => number;
  readonly start: StartSrtListener;
}

/** What the front needs of the origin. */
export interface SrtOrigin {
  readonly log: Log;
  now(): Millis;
  wallClock(): number;
  examine(publisher: Publisher, key: string, now: Millis): Channel | Refusal;
  admit(publisher: Publisher, key: string, now: Millis): Channel | Refusal;
  released(publisher: Publisher, channel: Channel): void;
  refused(reason: string): void;
}

/** Why a call is not taken: a word for the counter, a sentence, SRT's reason. */
interface Objection {
  readonly word: string;
  readonly description: string;
  readonly why: number;
}

const wrongMode: Objection = { word: "mode", description: "only publishing is offered by SRT", why: reason.badMode };
const MINUTE: Millis = 60_000;
const SOCKET_BYTES = 2 << 20;

export class SrtFront implements Driver, UdpHandler, SrtSessionHost {
  readonly log: Log;
  readonly counters = { calls: 0, stray: 0, damaged: 0, full: 0, unsent: 0 };
  readonly #origin: SrtOrigin;
  readonly #loop: Loop;
  readonly #options: SrtFrontOptions;
  readonly #outer: UdpSocket;
  readonly #inner: UdpSocket;
  /** By the peer's id at the outer and at the inner socket. */
  readonly #callers = new Map<number, SrtSession>();
  readonly #programs = new Map<number, SrtSession>();
  readonly #handshake = new Handshake();
  readonly #out = new Batch(1);

  /** @throws HostError when the address cannot be bound */
  constructor(origin: SrtOrigin, loop: Loop, options: SrtFrontOptions) {
    this.log = origin.log;
    this.#origin = origin;
    this.#loop = loop;
    this.#options = options;
    const { host, port } = options;
    this.#outer = loop.udp({ host, port, socketBufferBytes: SOCKET_BYTES, segmentation: false }, this);
    const programs: UdpHandler = { receive: (now, batch) => this.#fromPrograms(now, batch), writable: () => {} };
    this.#inner = loop.udp({ host: "127.0.0.1", port: 0, socketBufferBytes: SOCKET_BYTES, segmentation: false }, programs);
    loop.drive(this);
  }

  get port(): number {
    return this.#outer.local.port;
  }

  get sessions(): number {
    return this.#callers.size;
  }

  close(): void {
    for (const session of [...this.#callers.values()]) session.stop();
    this.#outer.close();
    this.#inner.close();
  }

  receive(now: Millis, batch: Batch): void {
    for (let i = 0; i < batch.length; i++) {
      const [peer, start, end] = [batch.peer[i]!, batch.start[i]!, batch.end[i]!];
      const session = this.#callers.get(peer);
      const handshake = this.#read(batch.bytes, start, end);
      if (handshake === undefined) {
        if (session !== undefined) session.fromCaller(now, batch.bytes, start, end, false);
        else this.counters.stray++;
      } else this.#greet(now, peer, session, handshake, batch.bytes, start, end);
    }
    this.#loop.wake();
  }

  writable(): void {}

  advance(now: Millis): Millis {
    let deadline = NEVER;
    for (const session of this.#callers.values()) deadline = Math.min(deadline, session.advance(now));
    return deadline;
  }

  now(): Millis {
    return this.#origin.now();
  }

  wallClock(): number {
    return this.#origin.wallClock();
  }

  admit(publisher: Publisher, key: string, now: Millis): Channel | Refusal {
    return this.#origin.admit(publisher, key, now);
  }

  released(publisher: Publisher, channel: Channel): void {
    this.#origin.released(publisher, channel);
  }

  refused(word: string): void {
    this.#origin.refused(word);
  }

  toProgram({ program }: SrtSession, bytes: Uint8Array, start: number, end: number): void {
    this.#send(this.#inner, program, bytes, start, end);
  }

  toCaller({ call }: SrtSession, bytes: Uint8Array, start: number, end: number): void {
    this.#send(this.#outer, call.peer, bytes, start, end);
  }

  refuseCaller(session: SrtSession, why: number): void {
    const bytes = session.call.conclusion.slice();
    this.toCaller(session, bytes, 0, answerRefusal(bytes, 0, why));
  }

  hangUp(session: SrtSession): void {
    const bytes = shutdown(session.call.hello.from);
    this.toCaller(session, bytes, 0, bytes.length);
  }

  closed(session: SrtSession): void {
    const { peer } = session.call;
    this.#callers.delete(peer);
    this.#outer.addresses.release(peer);
    if (session.program < 0) return;
    this.#programs.delete(session.program);
    this.#inner.addresses.release(session.program);
  }

  /** A handshake to nobody in particular, as callers begin with; undefined: it is something else. */
  #read(bytes: Uint8Array, start: number, end: number): Handshake | undefined {
    // The first bit and type of most datagrams say already that they are none.
    if (bytes[start] !== 0x80 || bytes[start + 1] !== 0) return undefined;
    return this.#handshake.read(bytes, start, end) ? this.#handshake : undefined;
  }

  #greet(
    now: Millis,
    peer: number,
    known: SrtSession | undefined,
    handshake: Handshake,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { addresses } = this.#outer;
    const at = addresses.format(peer);
    const minute = Math.floor(now / MINUTE);
    if (handshake.kind === "induction") {
      answerInduction(bytes, start, this.#options.cookie(at, minute));
      this.#send(this.#outer, peer, bytes, start, end);
    } else if (handshake.kind !== "conclusion") this.counters.stray++;
    else if (known !== undefined && known.call.hello.from === handshake.from) known.fromCaller(now, bytes, start, end, true);
    else if (![minute, minute - 1].some((each) => this.#options.cookie(at, each) === handshake.cookie)) this.counters.damaged++;
    else {
      // An encoder that begins again from the same port.
      known?.stop();
      this.#call(now, peer, handshake, bytes, start, end);
    }
  }

  #call(now: Millis, peer: number, handshake: Handshake, bytes: Uint8Array, start: number, end: number): void {
    this.counters.calls++;
    const { from, sequence, mtu, window, encrypted: secure, streamId } = handshake;
    const { key, publishes } = parseStreamId(streamId);
    const address = this.#outer.addresses.host(peer);
    const hello = { from, sequence, mtu, window };
    const conclusion = bytes.slice(start, end);
    const session = new SrtSession(this, { address, peer, key, secure, hello, conclusion, deadline: now + this.#options.setup }, now);
    const channel = publishes ? this.#examine(session, now) : wrongMode;
    if ("why" in channel) {
      this.log.warn({ peer: address, protocol: "srt", reason: channel.word }, `encoder refused: ${channel.description}`);
      this.refused(channel.word);
      this.#send(this.#outer, peer, bytes, start, answerRefusal(bytes, start, channel.why));
    } else this.#begin(session, channel);
  }

  #examine(session: SrtSession, now: Millis): Channel | Objection {
    const { sessionsMax, encryption } = this.#options;
    if (this.#callers.size >= sessionsMax) {
      this.counters.full++;
      return { word: "connections", description: "too many connections", why: reason.overload };
    }
    const examined = this.#origin.examine(session, session.call.key, now);
    if ("reason" in examined) return { word: examined.reason, description: examined.description, why: reasonOf(examined) };
    const { passphrase, needed } = encryption(examined.name);
    if (session.secure && passphrase === "")
      return { word: "passphrase", description: "the stream is encrypted, and no passphrase is set here", why: reason.unauthorized };
    if (!session.secure && needed)
      return { word: "passphrase", description: "the stream must be encrypted with the passphrase", why: reason.unauthorized };
    return examined;
  }

  #begin(session: SrtSession, { name }: Channel): void {
    const { setup, encryption, latency, start } = this.#options;
    const { peer } = session.call;
    this.#callers.set(peer, session);
    this.#outer.addresses.hold(peer);
    const passphrase = session.secure ? encryption(name).passphrase : "";
    const listener = start(
      { latency, passphrase, callWithin: setup },
      {
        starting: (port) => this.#started(session, port),
        received: (piece) => session.received(piece),
        ended: (complaint) => session.ended(complaint),
      },
    );
    session.attach(listener);
  }

  #started(session: SrtSession, port: number): void {
    const { addresses } = this.#inner;
    const program = addresses.intern("127.0.0.1", port);
    addresses.hold(program);
    session.program = program;
    this.#programs.set(program, session);
    this.#loop.wake();
  }

  #fromPrograms(now: Millis, batch: Batch): void {
    for (let i = 0; i < batch.length; i++) {
      const session = this.#programs.get(batch.peer[i]!);
      const [start, end] = [batch.start[i]!, batch.end[i]!];
      if (session === undefined) this.counters.stray++;
      else session.fromProgram(now, batch.bytes, start, end, this.#read(batch.bytes, start, end));
    }
    this.#loop.wake();
  }

  #send(socket: UdpSocket, peer: number, bytes: Uint8Array, start: number, end: number): void {
    const batch = this.#out;
    if (end - start > batch.bytes.length) {
      this.counters.damaged++;
      return;
    }
    batch.length = 0;
    batch.bytes.set(bytes.subarray(start, end));
    batch.add(0, end - start, peer);
    // What a full socket does not take is lost: SRT sends it again.
    if (socket.send(batch, 0) === 0) this.counters.unsent++;
  }
}
