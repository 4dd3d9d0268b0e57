/**
 * A client's session and the socket it speaks through, which is its alone: a kcptun server tells sessions apart by the address they come from.
 *
 *   dial: resolve the name ─► socket ─► session has a peer ─┬─► answered
 *            ▲                                              └─► silent for 2 s: resolve again, another port of the range, go on there
 *            └──────────────────────────────────────────────────────┘
 *
 * A server knows nothing of a session that it never answered, so that session can go to another address as it is. Once answered it stays.
 */
import { type Millis, NEVER } from "../base/units.ts";
import type { PacketCipher } from "../cipher/cipher.ts";
import { isExtension } from "../extension/header.ts";
import { FEATURES_OF_ALL, FEATURES_OF_AUTO } from "../extension/hello.ts";
import { TOKEN_BYTES } from "../extension/way-message.ts";
import { Ways } from "../extension/ways.ts";
import { FecDecoder } from "../fec/decoder.ts";
import type { Departure } from "../host/departure.ts";
import { JoinedLink } from "../host/joined-link.ts";
import type { Carrier, Link, LinkHandler, LinkOptions } from "../host/link.ts";
import { TiedLink } from "../host/tied-link.ts";
import { looksLikeKcp, readConv } from "../kcp/segment.ts";
import { type Demultiplexer, Endpoint } from "./endpoint.ts";
import { OneCipher } from "./envelope.ts";
import type { Opinion } from "./probation.ts";
import { Recurrence } from "./recurrence.ts";
import { reportSession, type SessionReport } from "./report.ts";
import { Roaming } from "./roaming.ts";
import type { ServerAddress } from "./server-address.ts";
import { Session } from "./session.ts";
import type { ClientParts, WayPlan } from "./slot.ts";

/** A server that has not answered is looked for anew so often. */
const REDIAL_MS: Millis = 2000;
/** Where there are several ways to it. */
const ROTATE_MS: Millis = 1000;
/** Lines about a server that does not answer come at first when the session has its opinion, then after 2, 4, 8 and then every 16 looks. */
const COMPLAINT_GAP_MAX = 16;
/** A session that ends so young, and in which the server said nothing, was refused for its settings. */
const YOUNG_MS: Millis = 10_000;

interface FoundWay {
  readonly way: WayPlan;
  /** "": not found. */
  readonly address: string;
}

export class Path implements Demultiplexer {
  readonly session: Session;
  readonly #parts: ClientParts;
  readonly #remote: ServerAddress;
  readonly #ended: (path: Path, now: Millis) => void;
  /** The session's, whatever a reload brings. */
  readonly #cipher: PacketCipher;
  #endpoint: Endpoint | undefined;
  #target = "";
  /** The ways', in their order; one where there is one. */
  #peers: readonly number[] = [];
  #over = false;
  #opinionTold = false;
  #redialAt: Millis;
  #redials = 0;
  #complainAt = 2;
  readonly #unreadable = new Recurrence();

  /** `ended` is called once, when the session has closed for any reason. */
  constructor(now: Millis, parts: ClientParts, remote: ServerAddress, ended: (path: Path, now: Millis) => void) {
    this.#parts = parts;
    this.#remote = remote;
    this.#ended = ended;
    const { config, cipher } = parts;
    this.#cipher = cipher;
    const random = new Uint8Array(4);
    parts.primitives.random(random);
    this.session = new Session(now, {
      role: "client",
      conv: new DataView(random.buffer).getUint32(0),
      peer: -1,
      peerName: parts.peerName,
      config: {
        ...config,
        mtu: Math.min(config.mtu, parts.carrier.datagramBytesMax, ...parts.ways.map(({ carrier }) => carrier.datagramBytesMax)),
      },
      cipherBytes: cipher.headBytes + cipher.tailBytes,
      scratch: parts.scratch,
      pads: parts.pads,
      log: parts.log,
      wake: (touched) => this.#endpoint?.wake(touched),
      features: FEATURES_OF_ALL | (config.mode === "auto" ? FEATURES_OF_AUTO : 0),
      counters: parts.counters,
      opened: parts.opened,
      flowOpened: parts.flowOpened,
    });
    parts.totals.sessionStarted(this.session);
    this.#redialAt = now + this.#redialMs;
    this.#resolve();
  }

  get #redialMs(): Millis {
    return this.#parts.ways.length > 0 ? ROTATE_MS : REDIAL_MS;
  }

  get answered(): boolean {
    return this.session.transport.receivedDatagrams > 0;
  }

  advance(now: Millis): Millis {
    const { session } = this;
    const { vigil } = session;
    const next = this.#endpoint?.advance(now) ?? NEVER;
    if (session.closed !== undefined || vigil === undefined) return next;
    const { health, probation } = vigil;
    if (health.verdict === "forgotten") {
      this.close(now, this.#forgotten(now));
      return now;
    }
    if (!this.#opinionTold && probation.opinion !== undefined) this.#tell(now, probation.opinion);
    if (health.verdict !== "silent" || this.answered || this.#endpoint === undefined) return next;
    if (now >= this.#redialAt) this.#redial(now);
    return Math.min(next, this.#redialAt);
  }

  /** Ends the session: its connections are reset. */
  close(now: Millis, reason: string): void {
    this.session.close(now, reason);
    this.sessionClosed(now, this.session);
  }

  report(now: Millis): SessionReport[] {
    return this.#endpoint === undefined ? [] : [reportSession(now, this.session)];
  }

  sessionFor(now: Millis, peer: number, _bytes: Uint8Array, view: DataView, start: number, end: number): Session | undefined {
    const { session } = this;
    if ((peer !== session.peer && !this.#peers.includes(peer)) || session.closed !== undefined) return undefined;
    session.roaming?.seen(now, peer);
    if (FecDecoder.isFec(view, start, end)) return session;
    const known = looksLikeKcp(view, start, end - start) || isExtension(view, start, end);
    return known && readConv(view, start) === session.conv ? session : undefined;
  }

  unreadable(now: Millis, peer: number): void {
    if (peer !== this.session.peer || this.answered) return;
    const datagrams = this.#unreadable.happened(now);
    if (datagrams > 0)
      this.#parts.log.warn({ peer: this.#target, datagrams }, "answers do not decrypt: key or crypt differ from the server's");
  }

  sessionClosed(now: Millis, session: Session): void {
    if (session !== this.session || this.#over) return;
    this.#over = true;
    this.#parts.totals.sessionEnded(session);
    session.transport.release();
    this.#hangUp();
    this.#ended(this, now);
  }

  /** Until an address is found the session only gathers streams: without an endpoint it is not advanced. */
  #resolve(): void {
    const { host } = this.#remote;
    this.#parts.loop.resolve(host === "::" ? "::1" : host, 0, (address, now) => {
      if (this.#over || this.answered) return;
      if (address !== undefined) this.#resolveWays(now, address, []);
      else if (this.#endpoint === undefined) this.close(now, `name "${host}" was not found`);
    });
  }

  /** The ways beyond the first, one after the other; what is not found is left out. */
  #resolveWays(now: Millis, address: string, found: readonly FoundWay[]): void {
    const { ways, loop, log } = this.#parts;
    const way = ways[found.length];
    if (way === undefined) {
      this.#connect(
        now,
        address,
        found.filter((each) => each.address !== ""),
      );
      return;
    }
    loop.resolve(way.remote.host === "::" ? "::1" : way.remote.host, 0, (at, later) => {
      if (this.#over || this.answered) return;
      if (at === undefined) log.warn({ way: way.name }, "way left out: its name was not found");
      this.#resolveWays(later, address, [...found, { way, address: at ?? "" }]);
    });
  }

  #connect(now: Millis, address: string, others: readonly FoundWay[]): void {
    const { loop, log, config, totals, carrier } = this.#parts;
    const port = this.#port();
    const target = `${address} ${port}`;
    if (target === this.#target) return;
    this.#hangUp();
    this.#target = target;
    const { sockbuf, dscp, gso } = config;
    const options = { socketBufferBytes: sockbuf, dscp, segmentation: gso, peersMax: 16 };
    const endpoint = new Endpoint(
      loop,
      (handler) => {
        const first = this.#dialled(carrier, { host: address, port }, this.#remote.departure, options);
        if (others.length === 0) return first(handler);
        const more = others.map(({ way, address: host }) =>
          this.#dialled(way.carrier, { host, port: way.remote.least }, way.remote.departure, options),
        );
        return new JoinedLink([first, ...more], handler);
      },
      new OneCipher(this.#cipher),
      this,
      this.#parts.scratch,
    );
    this.#endpoint = endpoint;
    totals.endpointOpened(endpoint);
    const { addresses, local } = endpoint.socket;
    const { session } = this;
    session.peer = addresses.intern(address, port);
    addresses.hold(session.peer);
    session.transport.moved(now, -1, session.peer, endpoint.socket.paces?.(session.peer) === true);
    if (endpoint.socket instanceof JoinedLink) this.#roam(session, endpoint.socket, others);
    this.#redialAt = now + this.#redialMs;
    log.info({ peer: addresses.format(session.peer), from: local.port, conv: session.conv }, "session started");
    endpoint.wake(session);
  }

  /** What is to leave by an interface or from an address of its own waits for that to be there. */
  #dialled(
    carrier: Carrier,
    server: { readonly host: string; readonly port: number },
    departure: Departure | undefined,
    options: LinkOptions,
  ): (handler: LinkHandler) => Link {
    if (departure === undefined) return (handler) => carrier.dial(server, options, handler);
    const { loop, log } = this.#parts;
    const open = (handler: LinkHandler): Link => carrier.dial(server, { ...options, departure }, handler);
    return (handler) => new TiedLink({ server, departure, open, now: () => loop.now(), log }, handler);
  }

  #roam(session: Session, joined: JoinedLink, others: readonly FoundWay[]): void {
    const { primitives, carrier, peerName } = this.#parts;
    const { links } = joined;
    const peers = others.map(({ way, address }, i) =>
      JoinedLink.number(links[i + 1]!.addresses.intern(address, way.remote.least), i + 1, links.length),
    );
    for (const peer of peers) joined.addresses.hold(peer);
    this.#peers = [session.peer, ...peers];
    const token = new Uint8Array(TOKEN_BYTES);
    primitives.random(token);
    const names = [`${carrier.name}=${peerName}`, ...others.map(({ way }) => way.name)];
    session.roaming = new Roaming(
      session,
      joined,
      new Ways(session.conv, token, this.#peers.length, this.#parts.config.copies),
      this.#peers,
      names,
    );
  }

  /** Nobody has answered: looks for the server anew. */
  #redial(now: Millis): void {
    this.#redialAt = now + this.#redialMs;
    if (this.session.roaming !== undefined) {
      if (++this.#redials % 16 === 2) this.#complain(now);
      this.session.roaming.rotate(now);
      this.#endpoint?.wake(this.session);
      return;
    }
    if (++this.#redials >= this.#complainAt) {
      this.#complainAt += Math.min(this.#complainAt, COMPLAINT_GAP_MAX);
      this.#complain(now);
    }
    this.#resolve();
  }

  /** Says once what the session thinks of its server after its first seconds. */
  #tell(now: Millis, opinion: Opinion): void {
    this.#opinionTold = true;
    if (opinion === "unanswered") this.#complain(now);
    else
      this.#parts.log.warn({ peer: this.#target }, "the server answers but takes nothing: smuxver or nocomp differ, or nearly all is lost");
  }

  #complain(now: Millis): void {
    const { session } = this;
    this.#parts.log.warn(
      { peer: this.#parts.peerName, datagrams: session.transport.sentDatagrams, seconds: Math.round((now - session.startedAt) / 1000) },
      "no answer: nothing listens there, the way is blocked, or key or crypt differ from the server's (or a kcptun's smuxver or nocomp)",
    );
  }

  #hangUp(): void {
    const { session } = this;
    session.dirty = false;
    session.scheduled = NEVER;
    if (this.#endpoint === undefined) return;
    this.#parts.totals.endpointClosed(this.#endpoint);
    this.#endpoint.close();
    this.#endpoint = undefined;
  }

  /** A random one of the range. */
  #port(): number {
    const { least, most } = this.#remote;
    if (least === most) return least;
    const random = new Uint8Array(4);
    this.#parts.primitives.random(random);
    return least + (new DataView(random.buffer).getUint32(0) % (most - least + 1));
  }

  #forgotten(now: Millis): string {
    const { session } = this;
    const young = now - session.startedAt < YOUNG_MS && session.kcp.stats.bytesReceived === 0;
    return young
      ? "the server closed the session at once: smuxver or nocomp differ"
      : "the server knows the session no more: it was restarted, it closed the session, or our address has changed";
  }
}
