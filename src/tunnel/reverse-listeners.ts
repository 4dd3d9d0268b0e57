/**
 * The server's end of reverse forwarding: listeners that its configuration allows and a client asks for.
 *
 *   stream of kind "reverse", name ─▶ on the list? ─▶ listen, unless somebody has asked before ─▶ granted
 *   connection or datagram there ─▶ the next of the sessions that asked ─▶ stream or flow to that client, which connects it to its target
 *   the last such session has gone ─▶ the listener is closed
 *
 *   --reverse NAME=[tcp:|udp:]LISTEN     without a word for TCP; a name may stand for one of each
 *
 * Several clients may ask for one name: they hold the same key, and take turns.
 */
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { type Description, KIND_TCP, KIND_UDP, REFUSED_FAILED, REFUSED_TARGET } from "../extension/description.ts";
import type { Log } from "../host/log.ts";
import type { Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import { type Entrance, Entrances, TcpEntrance } from "./entrances.ts";
import type { Forward } from "./forward.ts";
import { Registration } from "./registration.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";
import { parseTarget, type Target } from "./target.ts";
import { UdpEntrance, type UdpEntranceOptions } from "./udp-entrance.ts";

export interface ReverseOptions extends Omit<UdpEntranceOptions, "session"> {
  readonly loop: Loop;
  readonly log: Log;
  readonly counters: ChannelCounters;
}

/** @throws ConfigError */
export function parseListeners(texts: readonly string[]): Forward[] {
  return texts.map((text) => {
    const { name, endpoint, kind, text: listen }: Target = parseTarget("reverse", text, 0);
    return { kind: kind ?? KIND_TCP, listen: endpoint, text: listen, target: name };
  });
}

export class ReverseListeners {
  readonly #options: ReverseOptions;
  #allowed: readonly Forward[];
  readonly #names = new Map<string, Name>();

  constructor(options: ReverseOptions, allowed: readonly Forward[]) {
    this.#options = options;
    this.#allowed = allowed;
  }

  /** Names that are listened for now. */
  get size(): number {
    return this.#names.size;
  }

  /** A client asks; its stream is granted, or refused with the reason. */
  register(session: Session, stream: Stream, now: Millis, { target: name }: Description): void {
    const { counters, log } = this.#options;
    const allowed = this.#allowed.filter(({ target }) => target === name);
    const refuse = (verdict: number, reason: string): void => {
      counters.refusedTargets++;
      log.warn({ peer: session.peerName, listener: name, refused: counters.refusedTargets }, `reverse forward refused: ${reason}`);
      session.introductions.refuse(now, stream, verdict, reason);
    };
    const forbidden = session.lock?.user.mayReach(name) === false;
    if (allowed.length === 0 || forbidden) {
      refuse(REFUSED_TARGET, `"${name}" is not a listener here (${forbidden ? "not one of the user's targets" : "option reverse"})`);
      return;
    }
    try {
      const known = this.#names.get(name) ?? new Name(this.#options, allowed, name);
      this.#names.set(name, known);
      known.add(new Registration(session, stream, name, (gone) => this.#gone(known, gone)));
      log.info({ peer: session.peerName, listener: name, at: known.addresses }, "reverse forward opened");
      session.introductions.grant(now, stream);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      refuse(REFUSED_FAILED, error.message);
    }
  }

  /** Other listeners from now on: those that are gone, or elsewhere, are closed, and who asked for them is told. */
  replace(now: Millis, allowed: readonly Forward[]): void {
    this.#allowed = allowed;
    for (const known of [...this.#names.values()]) {
      if (known.same(allowed.filter(({ target }) => target === known.name))) continue;
      for (const { session, stream } of known.registrations) {
        session.introductions.refuse(now, stream, REFUSED_TARGET, `"${known.name}" is not the listener here any more (option reverse)`);
      }
    }
  }

  advance(now: Millis): Millis {
    let next = Number.POSITIVE_INFINITY;
    for (const known of this.#names.values()) next = Math.min(next, known.advance(now));
    return next;
  }

  close(): void {
    for (const known of this.#names.values()) known.close();
    this.#names.clear();
  }

  #gone(known: Name, registration: Registration): void {
    known.remove(registration);
    this.#options.log.info({ peer: registration.session.peerName, listener: known.name }, "reverse forward closed");
    if (known.registrations.length > 0) return;
    known.close();
    this.#names.delete(known.name);
  }
}

/** A name that somebody asked for. */
class Name {
  readonly name: string;
  readonly #options: ReverseOptions;
  readonly #forwards: readonly Forward[];
  readonly #entrances: Entrances;
  #registrations: Registration[] = [];
  #turn = 0;

  /** @throws HostError when an address cannot be bound */
  constructor(options: ReverseOptions, forwards: readonly Forward[], name: string) {
    this.name = name;
    this.#options = options;
    this.#forwards = forwards;
    this.#entrances = new Entrances((forward) => this.#open(forward));
    this.#entrances.replace(forwards);
  }

  get addresses(): string {
    return this.#forwards.map(({ kind, text }) => (kind === KIND_UDP ? `udp:${text}` : text)).join(" ");
  }

  get registrations(): readonly Registration[] {
    return [...this.#registrations];
  }

  add(registration: Registration): void {
    this.#registrations.push(registration);
  }

  remove(registration: Registration): void {
    this.#registrations = this.#registrations.filter((other) => other !== registration);
  }

  same(forwards: readonly Forward[]): boolean {
    const texts = (list: readonly Forward[]): string => list.map(({ kind, text }) => `${kind} ${text}`).join();
    return texts(forwards) === texts(this.#forwards);
  }

  advance(now: Millis): Millis {
    return this.#entrances.advance(now);
  }

  close(): void {
    this.#entrances.close();
  }

  #open(forward: Forward): Entrance {
    if (forward.kind === KIND_UDP) return new UdpEntrance({ ...this.#options, session: this.#session }, forward);
    return new TcpEntrance(this.#options.loop, forward, this.#accept);
  }

  /** A flow stays where it is while that client is there. */
  readonly #session = (_now: Millis, turn: number, current: Session | undefined): Session | undefined => {
    const all = this.#registrations;
    if (current !== undefined && all.some(({ session }) => session === current)) return current;
    return all[turn % all.length]?.session;
  };

  readonly #accept = (socket: TcpSocket, now: Millis, description: Description): TcpHandler | undefined => {
    const { log, config, counters } = this.#options;
    const { session } = this.#registrations[this.#turn++ % this.#registrations.length]!;
    const stream = session.open(now, description);
    if (typeof stream === "string") {
      counters.reverseRefused++;
      log.warn(
        { from: socket.remote, listener: this.name, peer: session.peerName },
        "connection refused: no more streams (option streams)",
      );
      return undefined;
    }
    stream.attach(socket, true);
    if (!config.quiet)
      log.info({ from: socket.remote, listener: this.name, peer: session.peerName, stream: stream.sid }, "connection opened");
    return stream;
  };
}
