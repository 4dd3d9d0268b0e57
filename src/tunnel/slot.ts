/** One of a client's `conn` sessions in turn, with the socket it speaks through: dialled when it is needed, replaced when it has died. */
import { type Millis, NEVER } from "../base/units.ts";
import type { PacketCipher, Primitives } from "../cipher/cipher.ts";
import { FecDecoder } from "../fec/decoder.ts";
import type { Log } from "../host/log.ts";
import type { Loop, TcpSocket } from "../host/loop.ts";
import { looksLikeKcp, readConv } from "../kcp/segment.ts";
import type { ClientConfig } from "./config.ts";
import { type Demultiplexer, Endpoint } from "./endpoint.ts";
import type { Scratch } from "./layers.ts";
import { reportSession, type SessionReport } from "./report.ts";
import { Session } from "./session.ts";
import type { Stream } from "./stream.ts";

/** What a tunnel is given by the process it runs in. */
export interface TunnelParts {
  readonly loop: Loop;
  readonly log: Log;
  readonly primitives: Primitives;
}

export class Slot implements Demultiplexer {
  readonly #config: ClientConfig;
  readonly #parts: TunnelParts;
  readonly #remote: { readonly host: string; readonly port: number };
  readonly #cipher: PacketCipher;
  readonly #scratch: Scratch;
  #endpoint: Endpoint | undefined;
  #session: Session | undefined;
  #dialledAt: Millis = 0;

  constructor(config: ClientConfig, parts: TunnelParts, remote: { host: string; port: number }, cipher: PacketCipher, scratch: Scratch) {
    this.#config = config;
    this.#parts = parts;
    this.#remote = remote;
    this.#cipher = cipher;
    this.#scratch = scratch;
  }

  get peerName(): string {
    return `${this.#remote.host}:${this.#remote.port}`;
  }

  advance(now: Millis): Millis {
    return this.#endpoint?.advance(now) ?? NEVER;
  }

  report(now: Millis): SessionReport[] {
    const session = this.#session;
    return session === undefined || this.#endpoint === undefined ? [] : [reportSession(now, session, this.#endpoint, this.#cipher)];
  }

  /** A stream for an accepted connection; undefined when the session has no more to give. */
  open(now: Millis, socket: TcpSocket): Stream | undefined {
    const session = this.#session ?? this.#dial(now);
    const stream = session.open(now);
    stream?.attach(socket, true);
    return stream;
  }

  finish(now: Millis): void {
    this.#session?.finish(now);
  }

  sessionFor(_now: Millis, peer: number, _bytes: Uint8Array, view: DataView, start: number, end: number): Session | undefined {
    const session = this.#session;
    if (session === undefined || peer !== session.peer) return undefined;
    if (FecDecoder.isFec(view, start, end)) return session;
    return looksLikeKcp(view, start, end - start) && readConv(view, start) === session.conv ? session : undefined;
  }

  sessionClosed(now: Millis, session: Session): void {
    if (this.#session !== session) return;
    const seconds = Math.round(now - this.#dialledAt) / 1000;
    this.#parts.log.warn({ peer: this.peerName, reason: session.closed, seconds }, "session ended; the next connection makes a new one");
    this.#session = undefined;
    this.#endpoint?.close();
    this.#endpoint = undefined;
  }

  #dial(now: Millis): Session {
    const random = new Uint8Array(4);
    this.#parts.primitives.random(random);
    const session = new Session(now, {
      role: "client",
      conv: new DataView(random.buffer).getUint32(0),
      peer: -1,
      peerName: this.peerName,
      config: this.#config,
      cipherBytes: this.#cipher.headBytes + this.#cipher.tailBytes,
      scratch: this.#scratch,
      log: this.#parts.log,
      wake: (touched) => this.#endpoint?.wake(touched),
      opened: (_session, stream) => stream.reset(),
    });
    this.#session = session;
    this.#dialledAt = now;
    this.#parts.loop.resolve(this.#remote.host === "::" ? "::1" : this.#remote.host, 0, (address, resolvedAt) => {
      if (this.#session === session) this.#connect(session, address, resolvedAt);
    });
    return session;
  }

  /** Until here the session only gathered streams: without a peer it has not been advanced. */
  #connect(session: Session, address: string | undefined, now: Millis): void {
    const { loop, log } = this.#parts;
    if (address === undefined) {
      session.close(now, `name "${this.#remote.host}" was not found`);
      this.sessionClosed(now, session);
      return;
    }
    const host = address.includes(":") ? "::" : "0.0.0.0";
    const { sockbuf, dscp } = this.#config;
    const endpoint = new Endpoint(loop, { host, port: 0, socketBufferBytes: sockbuf, dscp, peersMax: 16 }, this.#cipher, this);
    this.#endpoint = endpoint;
    const { addresses, local } = endpoint.socket;
    session.peer = addresses.intern(address, this.#remote.port);
    addresses.hold(session.peer);
    log.info({ peer: addresses.format(session.peer), from: local.port, conv: session.conv }, "session started");
    endpoint.wake(session);
  }
}
