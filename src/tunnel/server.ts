/**
 * `longhaul server`: KCP sessions of many clients on one UDP port, each stream connected to the target.
 *
 * A client is known by its address. A datagram of an unknown address makes a session when it carries a whole KCP packet; another conv from
 * a known address replaces the session only with the first segment of a stream (sn 0), as kcp-go does, so that a stray late packet
 * of an older session cannot end a running one.
 */
import { type Millis, NEVER } from "../base/units.ts";
import { createCipher, type PacketCipher } from "../cipher/cipher.ts";
import { FecDecoder } from "../fec/decoder.ts";
import { FecEncoder } from "../fec/encoder.ts";
import type { Driver, Endpoint as Target } from "../host/loop.ts";
import { looksLikeKcp, readConv, readFirstSn } from "../kcp/segment.ts";
import { parseEndpoint, parseHostPort } from "./address.ts";
import type { ServerConfig } from "./config.ts";
import { type Demultiplexer, Endpoint } from "./endpoint.ts";
import { Scratch } from "./layers.ts";
import { reportSession, type SessionReport } from "./report.ts";
import { Session } from "./session.ts";
import type { TunnelParts } from "./slot.ts";
import type { Stream } from "./stream.ts";

/** A session from which nothing was heard for so long, and that has no stream, is forgotten. */
const IDLE_MS: Millis = 60_000;
const SWEEP_MS: Millis = 5_000;

export class TunnelServer implements Demultiplexer, Driver {
  readonly endpoint: Endpoint;
  /** Sessions by peer id. */
  readonly #sessions = new Map<number, Session>();
  readonly #config: ServerConfig;
  readonly #parts: TunnelParts;
  readonly #cipher: PacketCipher;
  readonly #scratch = new Scratch();
  readonly #target: Target;
  #sweepAt: Millis = 0;
  #refusedLoggedAt: Millis = Number.NEGATIVE_INFINITY;
  /** Sessions refused because `sessions` were open. */
  refused = 0;

  /** @throws HostError when the address cannot be bound, ConfigError for a wrong address */
  constructor(config: ServerConfig, parts: TunnelParts) {
    this.#config = config;
    this.#parts = parts;
    this.#target = parseEndpoint("target", config.target);
    this.#cipher = createCipher(config.crypt, parts.primitives.deriveKey(config.key), parts.primitives);
    const { host, port } = parseHostPort("listen", config.listen, 0);
    this.endpoint = new Endpoint(
      parts.loop,
      { host, port, socketBufferBytes: config.sockbuf, dscp: config.dscp, peersMax: config.sessions * 2 },
      this.#cipher,
      this,
    );
    parts.loop.drive(this);
  }

  advance(now: Millis): Millis {
    if (now >= this.#sweepAt) this.#sweep(now);
    return Math.min(this.endpoint.advance(now), this.#sessions.size > 0 ? this.#sweepAt : NEVER);
  }

  report(now: Millis): SessionReport[] {
    return Array.from(this.#sessions.values(), (session) => reportSession(now, session, this.endpoint, this.#cipher));
  }

  stop(now: Millis): void {
    for (const session of this.#sessions.values()) session.finish(now);
  }

  sessionFor(now: Millis, peer: number, _bytes: Uint8Array, view: DataView, start: number, end: number): Session | undefined {
    const known = this.#sessions.get(peer);
    const fec = FecDecoder.isFec(view, start, end);
    const at = fec ? start + FecEncoder.headBytes : start;
    if (fec && !FecDecoder.isData(view, start, end)) return known;
    if (!looksLikeKcp(view, at, end - at)) return undefined;
    const conv = readConv(view, at);
    if (known !== undefined) {
      if (known.conv === conv) return known;
      if (readFirstSn(view, at) !== 0) return undefined;
      known.close(now, "replaced by a new session of the same address");
      this.#forget(known);
    }
    return this.#accept(now, peer, conv);
  }

  sessionClosed(now: Millis, session: Session): void {
    if (this.#sessions.get(session.peer) !== session) return;
    this.#parts.log.info(
      { peer: session.peerName, reason: session.closed, seconds: Math.round(now - session.startedAt) / 1000 },
      "session ended",
    );
    this.#forget(session);
  }

  #accept(now: Millis, peer: number, conv: number): Session | undefined {
    if (this.#sessions.size >= this.#config.sessions) {
      this.refused++;
      if (now - this.#refusedLoggedAt >= 1000) {
        this.#refusedLoggedAt = now;
        this.#parts.log.warn(
          { refused: this.refused, sessions: this.#sessions.size },
          "session refused: as many as option sessions allows are open",
        );
      }
      return undefined;
    }
    const { addresses } = this.endpoint.socket;
    const session = new Session(now, {
      role: "server",
      conv,
      peer,
      peerName: addresses.format(peer),
      config: this.#config,
      cipherBytes: this.#cipher.headBytes + this.#cipher.tailBytes,
      scratch: this.#scratch,
      log: this.#parts.log,
      wake: this.endpoint.wake,
      opened: (of, stream) => this.#connect(of, stream),
    });
    addresses.hold(peer);
    this.#sessions.set(peer, session);
    this.#parts.log.info({ peer: session.peerName, conv, sessions: this.#sessions.size }, "session started");
    return session;
  }

  #connect(session: Session, stream: Stream): void {
    stream.attach(this.#parts.loop.connect(this.#target, stream), false);
    if (!this.#config.quiet)
      this.#parts.log.info({ peer: session.peerName, stream: stream.sid, target: this.#config.target }, "connection opened");
  }

  #sweep(now: Millis): void {
    this.#sweepAt = now + SWEEP_MS;
    for (const session of this.#sessions.values()) {
      if (session.streams.size === 0 && now - session.lastReceived >= IDLE_MS) session.close(now, "idle");
    }
  }

  #forget(session: Session): void {
    this.#sessions.delete(session.peer);
    this.endpoint.socket.addresses.release(session.peer);
  }
}
