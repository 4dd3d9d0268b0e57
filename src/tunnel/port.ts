/**
 * One port of the server, of UDP or of another carrier, and the sessions of the clients that send to it.
 *
 * A client is known by its address. A datagram of an unknown address makes a session when it carries a whole KCP packet; another conv from
 * a known address replaces the session only with the first segment of a stream (sn 0), as kcp-go does, so that a stray late packet
 * of an older session cannot end a running one.
 */
import type { Bytes, Millis } from "../base/units.ts";
import { isExtension, readType } from "../extension/header.ts";
import { HELLO } from "../extension/hello.ts";
import { PROBE, readProbe } from "../extension/way-message.ts";
import { FecDecoder } from "../fec/decoder.ts";
import { FecEncoder } from "../fec/encoder.ts";
import type { Carrier } from "../host/link.ts";
import type { ProxiedAddress } from "../host/proxy-protocol.ts";
import { isKcp, looksLikeKcp, readConv, readFirstSn } from "../kcp/segment.ts";
import { type Demultiplexer, Endpoint } from "./endpoint.ts";
import { Keyring } from "./keyring.ts";
import { Recurrence } from "./recurrence.ts";
import { reportSession, type SessionReport } from "./report.ts";
import type { ServerParts } from "./server.ts";
import { Session } from "./session.ts";
import { Visitors } from "./visitors.ts";

/** A session from which nothing was heard for so long, and that has no stream, is forgotten. */
const IDLE_MS: Millis = 60_000;
/** The address of a session from which nothing was heard for so long may have become another user's. */
const SUCCESSION_MS: Millis = 10_000;
/** One that could deliver nothing for so long is a part of a session that began before this server did, or at another address. */
const BARREN_MS: Millis = 30_000;

/** What carries a port's datagrams: one carrier or several that are joined (host/joined-link.ts). */
export interface PortCarrier {
  /** The longest datagram of each. */
  readonly limits: readonly Bytes[];
  readonly listen: Carrier["listen"];
}

export class Port implements Demultiplexer {
  readonly endpoint: Endpoint;
  /** Sessions by peer id. */
  readonly #sessions = new Map<number, Session>();
  /** Those that come from several addresses: they are in `#sessions` once for each. */
  readonly #visitors = new Visitors();
  #live = 0;
  readonly #parts: ServerParts;
  readonly #keyring: Keyring;
  readonly #limits: readonly Bytes[];
  readonly #unreadable = new Recurrence();

  /** @throws HostError when the address cannot be bound */
  constructor(parts: ServerParts, carrier: PortCarrier, at: { readonly host: string; readonly port: number }) {
    this.#parts = parts;
    this.#limits = carrier.limits;
    const { config, loop, users, totals } = parts;
    this.#keyring = new Keyring(users);
    const { sockbuf, dscp, gso, sessions } = config;
    const options = { socketBufferBytes: sockbuf, dscp, segmentation: gso, peersMax: sessions * 2 };
    this.endpoint = new Endpoint(loop, (handler) => carrier.listen(at, options, handler), this.#keyring, this, parts.scratch);
    totals.endpointOpened(this.endpoint);
  }

  get sessions(): number {
    return this.#live;
  }

  report(now: Millis): SessionReport[] {
    return Array.from(new Set(this.#sessions.values()), (session) => reportSession(now, session));
  }

  reconfigure(now: Millis): void {
    for (const session of this.#sessions.values()) session.reconfigure(now, this.#parts.config);
  }

  finish(now: Millis): void {
    for (const session of this.#sessions.values()) session.finish(now);
  }

  sessionFor(now: Millis, peer: number, bytes: Uint8Array, view: DataView, start: number, end: number): Session | undefined {
    const known = this.#sessions.get(peer);
    const lock = this.#keyring.lockOf(peer);
    const same = known !== undefined && known.lock === lock;
    const fec = FecDecoder.isFec(view, start, end);
    const at = fec ? start + FecEncoder.headBytes : start;
    if (fec && !FecDecoder.isData(view, start, end)) return same ? known : undefined;
    if (isExtension(view, at, end)) return this.#extension(now, peer, known, bytes, view, at, end);
    if (!looksLikeKcp(view, at, end - at)) {
      this.unreadable(now, peer);
      return undefined;
    }
    const conv = readConv(view, at);
    if (same && known.conv === conv) return known;
    if (!isKcp(view, at, end - at)) {
      this.unreadable(now, peer);
      return undefined;
    }
    if (known !== undefined) {
      if (readFirstSn(view, at) !== 0) return undefined;
      known.close(now, "replaced by a new session of the same address");
      this.#forget(known);
    }
    return this.#accept(now, peer, conv);
  }

  /** A stranger has another key; one datagram of a client that we do understand is merely damaged. */
  unreadable(now: Millis, peer: number): void {
    const known = this.#sessions.get(peer);
    if (known !== undefined && now - known.transport.lastReceived < SUCCESSION_MS) return;
    this.#keyring.doubt(peer);
    const datagrams = this.#unreadable.happened(now);
    if (datagrams === 0) return;
    this.#parts.log.warn(
      { peer: this.endpoint.socket.addresses.format(peer), datagrams },
      this.#parts.users.named
        ? "datagrams that do not decrypt: no user has this key and crypt"
        : "datagrams that do not decrypt: key or crypt differ from the client's",
    );
  }

  sessionClosed(now: Millis, session: Session): void {
    if (this.#sessions.get(session.peer) !== session) return;
    session.log.info(
      { peer: session.peerName, reason: session.closed, seconds: Math.round(now - session.startedAt) / 1000 },
      "session ended",
    );
    this.#forget(session);
  }

  sweep(now: Millis): void {
    for (const session of this.#sessions.values()) {
      // One that has said HELLO was begun here, and may carry datagrams only.
      if (session.layers === undefined && session.extension?.standing !== "extended" && now - session.startedAt >= BARREN_MS) {
        session.close(now, "nothing of it could be delivered: it began before this server did, or at another address");
      } else if (session.streams.size === 0 && now - session.transport.lastReceived >= IDLE_MS) session.close(now, "idle");
    }
  }

  /** As a kcptun does, a session begins with whatever comes first of it; of extension datagrams that is HELLO. */
  #extension(
    now: Millis,
    peer: number,
    known: Session | undefined,
    bytes: Uint8Array,
    view: DataView,
    at: number,
    end: number,
  ): Session | undefined {
    const conv = readConv(view, at);
    if (readType(view, at) === PROBE) return this.#probed(now, peer, known, bytes, view, at, end);
    if (known !== undefined) return known.conv === conv && known.lock === this.#keyring.lockOf(peer) ? known : undefined;
    return this.#parts.config.extensions && readType(view, at) === HELLO ? this.#accept(now, peer, conv) : undefined;
  }

  /** A probe of one of a session's ways, which may come from an address that is new. */
  #probed(
    now: Millis,
    peer: number,
    known: Session | undefined,
    bytes: Uint8Array,
    view: DataView,
    at: number,
    end: number,
  ): Session | undefined {
    const probe = readProbe(bytes, view, at, end);
    if (probe === undefined) return undefined;
    const conv = readConv(view, at);
    const lock = this.#keyring.lockOf(peer);
    const session = known ?? this.#visitors.find(conv, probe.token);
    if (session === undefined || session.conv !== conv || session.lock !== lock || lock === undefined) return undefined;
    if (known !== undefined && session.peer === peer) this.#visitors.introduce(session, probe);
    // What the session sends would not get through there.
    if (this.#mtu(peer) < this.#mtu(session.peer)) return undefined;
    if (!this.#visitors.admits(session, peer, probe)) return undefined;
    if (known === undefined) {
      this.endpoint.socket.addresses.hold(peer);
      this.#keyring.bind(peer, lock);
      this.#sessions.set(peer, session);
    }
    if (this.#visitors.moves(session, peer, probe)) {
      const from = session.peer;
      session.peer = peer;
      session.transport.moved(now, from, peer, this.#paces(peer));
      session.log.info({ peer: session.peerName, at: this.endpoint.socket.addresses.format(peer) }, "session goes on at another address");
    }
    const { transport } = session;
    const copies = probe.copies > 0 ? transport.copier() : transport.copies;
    copies?.asked(now, peer, peer === session.peer ? 0 : probe.copies);
    session.extension?.answer(peer, probe.way, probe.n, transport.lately());
    return session;
  }

  #paces(peer: number): boolean {
    return this.endpoint.socket.paces?.(peer) === true;
  }

  /** The longest datagram to this peer. */
  #mtu(peer: number): Bytes {
    return Math.min(this.#parts.config.mtu, this.#limits[peer % this.#limits.length]!);
  }

  #accept(now: Millis, peer: number, conv: number): Session | undefined {
    const { config, scratch, totals } = this.#parts;
    const lock = this.#keyring.lockOf(peer);
    if (lock === undefined || !this.#parts.open.now || !this.#parts.admit(now, lock.user)) return undefined;
    const { user, cipher, pads } = lock;
    const log = user.name === "" ? this.#parts.log : this.#parts.log.child({ user: user.name });
    const { addresses } = this.endpoint.socket;
    const session = new Session(now, {
      role: "server",
      conv,
      peer,
      peerName: addresses.format(peer),
      config: { ...config, mtu: this.#mtu(peer), rcvwnd: user.receiveWindow(config.rcvwnd) },
      lock,
      cipherBytes: cipher.headBytes + cipher.tailBytes,
      scratch,
      pads,
      log,
      wake: this.endpoint.wake,
      features: this.#parts.features,
      counters: this.#parts.counters,
      addresses: () => this.#addressesOf(peer),
      opened: this.#parts.opened,
      flowOpened: this.#parts.flowOpened,
    });
    session.transport.moved(now, -1, peer, this.#paces(peer));
    addresses.hold(peer);
    this.#keyring.bind(peer, lock);
    user.sessions.add(session);
    user.publish(now);
    this.#sessions.set(peer, session);
    this.#live++;
    totals.sessionStarted(session);
    log.info({ peer: session.peerName, conv, sessions: this.#live }, "session started");
    return session;
  }

  /** Who the client is and which address of ours it sends to. */
  #addressesOf(peer: number): readonly [ProxiedAddress, ProxiedAddress] {
    const { addresses, local } = this.endpoint.socket;
    return [
      { host: addresses.host(peer), port: addresses.port(peer) },
      { host: addresses.localHost(peer), port: local.port },
    ];
  }

  #forget(session: Session): void {
    this.#live--;
    session.lock?.user.sessionEnded(session);
    this.#parts.totals.sessionEnded(session);
    session.transport.release();
    for (const peer of this.#visitors.leave(session)) {
      this.#sessions.delete(peer);
      this.#keyring.unbind(peer);
      this.endpoint.socket.addresses.release(peer);
    }
  }
}
