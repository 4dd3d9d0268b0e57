/**
 * One of a client's `conn` places for sessions: new connections go to its session, which is made when it is needed and replaced
 *
 *   with mode auto                           the first one is made at once
 *   when it has ended                        at the next connection, as kcptun does
 *   when it is older than autoexpire         it goes on for its connections, until scavengettl has passed as well
 *   when it is silent (health.ts)            it goes on as well: after an outage it comes back; it ends when its successor is answered
 *   when the server has forgotten it         it ends at once, so that its applications notice and connect again
 *
 * Deviation: kcptun keeps a replaced session that has no connections until its time is up; here it ends.
 */
import { type Millis, NEVER } from "../base/units.ts";
import type { PacketCipher, Primitives } from "../cipher/cipher.ts";
import type { Description } from "../extension/description.ts";
import type { Carrier } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { Loop, TcpSocket } from "../host/loop.ts";
import type { Primitives as QppPrimitives } from "../qpp/primitives.ts";
import type { QppPads } from "../qpp/qpp.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import type { ClientConfig } from "./config.ts";
import type { OpenRefusal } from "./introductions.ts";
import { Path } from "./path.ts";
import type { SessionReport } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import type { ServerAddress } from "./server-address.ts";
import type { Session } from "./session.ts";
import type { SessionOptions } from "./session-options.ts";
import type { Stream } from "./stream.ts";
import type { Totals } from "./totals.ts";
import type { UserLedger } from "./user-ledger.ts";

/** A silent session ends when its successor has been heard for so long while it was not. */
const SUCCESSION_MS: Millis = 10_000;
/** How often replaced sessions are looked at. */
const SWEEP_MS: Millis = 1000;

/** What a tunnel is given by the process it runs in. */
export interface TunnelParts {
  /** Server: of its users, when several threads or option state share it. */
  readonly ledger?: UserLedger | undefined;
  readonly loop: Loop;
  readonly log: Log;
  readonly primitives: Primitives & QppPrimitives;
  /** What carries datagrams: plain UDP by default. A client uses the first, a server all. */
  readonly carriers?: readonly CarrierAt[];
}

/** `at`: where a server listens with it, unless at the address of all. */
export interface CarrierAt {
  readonly carrier: Carrier;
  readonly at?: { readonly host: string; readonly port: number };
}

/** What a client's sessions have in common. */
export interface ClientParts extends TunnelParts {
  readonly carrier: Carrier;
  readonly config: ClientConfig;
  readonly cipher: PacketCipher;
  readonly scratch: Scratch;
  readonly pads: QppPads | undefined;
  readonly totals: Totals;
  readonly counters: ChannelCounters;
  readonly opened: SessionOptions["opened"];
  readonly flowOpened: SessionOptions["flowOpened"];
  /** Beyond the first, which is `carrier` and the slot's address. */
  readonly ways: readonly WayPlan[];
  /** The server as the user wrote it, for logs. */
  readonly peerName: string;
}

/** One of the ways to the server. */
export interface WayPlan {
  readonly carrier: Carrier;
  readonly remote: ServerAddress;
  /** As the user wrote it, for logs. */
  readonly name: string;
}

export class Slot {
  readonly #parts: ClientParts;
  #remote: ServerAddress;
  #renewed = false;
  #current: Path | undefined;
  #begun = false;
  /** Replaced, oldest first. */
  #retired: Path[] = [];
  #sweepAt: Millis = NEVER;
  /** Replaced sessions ended early because `retired` were kept. */
  retiredCut = 0;

  constructor(parts: ClientParts, remote: ServerAddress) {
    this.#parts = parts;
    this.#remote = remote;
  }

  advance(now: Millis): Millis {
    // A session that measures its path does so before the first connection needs it.
    if (!this.#begun && this.#parts.config.mode === "auto") this.session(now);
    let next = this.#current?.advance(now) ?? NEVER;
    for (let i = this.#retired.length - 1; i >= 0; i--) next = Math.min(next, this.#retired[i]!.advance(now));
    if (now >= this.#sweepAt) this.#sweep(now);
    return Math.min(next, this.#sweepAt);
  }

  report(now: Millis): SessionReport[] {
    return [...(this.#current === undefined ? [] : [this.#current]), ...this.#retired].flatMap((path) => path.report(now));
  }

  /** A stream for an accepted connection, or why there is none. */
  open(now: Millis, socket: TcpSocket, description: Description): Stream | OpenRefusal {
    const stream = this.session(now).open(now, description);
    if (typeof stream !== "string") stream.attach(socket, true);
    return stream;
  }

  /** The session for what is new, made when there is none. */
  session(now: Millis): Session {
    this.#begun = true;
    if (this.#current !== undefined) this.#retireIfDue(now, this.#current);
    this.#current ??= new Path(now, this.#parts, this.#remote, (path, endedAt) => this.#ended(path, endedAt));
    return this.#current.session;
  }

  /** The session for what is new has been answered and is not silent; it is made when there is none. */
  answers(now: Millis): boolean {
    const { vigil } = this.session(now);
    return this.#current!.answered && vigil?.health.verdict !== "silent";
  }

  /** What is new gets a session with the settings of now; the one there is goes on for what it has. */
  renew(now: Millis, remote: ServerAddress): void {
    this.#remote = remote;
    this.#renewed = this.#current !== undefined;
    if (this.#current !== undefined) this.#retireIfDue(now, this.#current);
    this.#renewed = false;
  }

  /** Takes over what may change in running sessions. */
  reconfigure(now: Millis): void {
    for (const { session } of this.#retired) session.reconfigure(now, this.#parts.config);
    this.#current?.session.reconfigure(now, this.#parts.config);
  }

  finish(now: Millis): void {
    this.#current?.session.finish(now);
    for (const { session } of this.#retired) session.finish(now);
  }

  #retireIfDue(now: Millis, path: Path): void {
    const { config, log, peerName } = this.#parts;
    const seconds = Math.round(now - path.session.startedAt) / 1000;
    const expired = config.autoexpire > 0 && now - path.session.startedAt >= config.autoexpire * 1000;
    // One that was never answered would have a successor in the same plight: it looks for the server by itself.
    const silent = path.answered && path.session.vigil?.health.verdict === "silent";
    if (!expired && !silent && !this.#renewed) return;
    const why = expired ? "session expired" : silent ? "session is silent" : "the configuration has changed";
    log.info({ peer: peerName, seconds, connections: path.session.streams.size }, `${why}; new connections get a new one`);
    this.#current = undefined;
    if (this.#retired.length >= config.retired) {
      this.retiredCut++;
      this.#retired[0]!.close(now, "too many replaced sessions (option retired)");
    }
    this.#retired.push(path);
    this.#sweepAt = now + SWEEP_MS;
  }

  #sweep(now: Millis): void {
    for (const path of [...this.#retired]) {
      const reason = this.#over(now, path);
      if (reason !== undefined) path.close(now, reason);
    }
    this.#sweepAt = this.#retired.length > 0 ? now + SWEEP_MS : NEVER;
  }

  /** Why a replaced session ends now. */
  #over(now: Millis, { session }: Path): string | undefined {
    const { autoexpire, scavengettl } = this.#parts.config;
    if (session.streams.size === 0 && session.kcp.waitSnd === 0) return "replaced, and its connections have ended";
    if (autoexpire > 0 && now - session.startedAt >= (autoexpire + scavengettl) * 1000)
      return "expired (options autoexpire and scavengettl)";
    if (session.vigil?.health.verdict !== "silent") return undefined;
    if (session.streams.size === 0) return "silent and replaced";
    const heard = this.#current?.session.transport.lastReceived ?? 0;
    return heard - session.transport.lastReceived >= SUCCESSION_MS ? "silent, while its successor is answered" : undefined;
  }

  #ended(path: Path, now: Millis): void {
    const { session } = path;
    const seconds = Math.round(now - session.startedAt) / 1000;
    if (this.#current === path) {
      this.#current = undefined;
      this.#parts.log.warn(
        { peer: this.#parts.peerName, reason: session.closed, seconds },
        "session ended; the next connection makes a new one",
      );
    } else {
      this.#retired = this.#retired.filter((other) => other !== path);
      this.#parts.log.info({ peer: this.#parts.peerName, reason: session.closed, seconds }, "replaced session ended");
    }
  }
}
