/**
 * The client's end of reverse forwarding: asks the server, in every session it uses, to listen for each of its names, and asks again when the session or
 * the listener has gone.
 *
 *   session of a slot ─▶ a stream of kind "reverse" for each name ─▶ granted: connections come as streams of the server (exits.ts)
 *                                                                └▶ refused: asked for again after REFUSED_MS
 *
 * Thus the client dials at once and stays connected, where it otherwise dials when the first application comes.
 */
import { type Millis, NEVER } from "../base/units.ts";
import { KIND_REVERSE } from "../extension/description.ts";
import type { Log } from "../host/log.ts";
import { Recurrence } from "./recurrence.ts";
import { Registration } from "./registration.ts";
import type { Session } from "./session.ts";
import type { Slot } from "./slot.ts";

const LOOK_MS: Millis = 1000;
/** A session that ended without an answer is not followed by the next one at once. */
const UNANSWERED_MS: Millis = 5000;
const REFUSED_MS: Millis = 10_000;

export class ReverseRequests {
  readonly #log: Log;
  readonly #places: readonly Place[];
  #names: readonly string[] = [];
  #lookAt: Millis = NEVER;

  constructor(slots: readonly Slot[], log: Log) {
    this.#log = log;
    this.#places = slots.map((slot) => new Place(slot));
  }

  /** From now on. */
  replace(now: Millis, names: readonly string[]): void {
    for (const place of this.#places) place.keepOnly(now, names);
    this.#names = [...new Set(names)];
    this.#lookAt = this.#names.length === 0 ? NEVER : now;
  }

  advance(now: Millis): Millis {
    if (now < this.#lookAt) return this.#lookAt;
    for (const place of this.#places) place.look(now, this.#names, this.#log);
    this.#lookAt = now + LOOK_MS;
    return this.#lookAt;
  }
}

/** One slot's session and what was asked for in it. */
class Place {
  readonly #slot: Slot;
  readonly #requests = new Map<string, Registration>();
  readonly #plain = new Recurrence();
  /** Names are asked for again at these times. */
  readonly #restUntil = new Map<string, Millis>();
  #session: Session | undefined;
  #dialAt: Millis = 0;

  constructor(slot: Slot) {
    this.#slot = slot;
  }

  keepOnly(now: Millis, names: readonly string[]): void {
    for (const [name, request] of [...this.#requests]) if (!names.includes(name)) this.#drop(now, name, request);
    this.#restUntil.clear();
  }

  look(now: Millis, names: readonly string[], log: Log): void {
    const last = this.#session;
    if (last?.closed !== undefined) {
      if (last.transport.receivedDatagrams === 0 && this.#dialAt === 0) this.#dialAt = now + UNANSWERED_MS;
      if (now < this.#dialAt) return;
    }
    this.#dialAt = 0;
    const session = this.#slot.session(now);
    if (session !== last) {
      // Who is connected through the session that was replaced goes on; nobody new is sent there.
      for (const [name, request] of [...this.#requests]) this.#drop(now, name, request);
      this.#restUntil.clear();
      this.#session = session;
    }
    for (const name of names) this.#ask(now, session, name, log);
  }

  #ask(now: Millis, session: Session, name: string, log: Log): void {
    if (this.#requests.has(name) || now < (this.#restUntil.get(name) ?? 0)) return;
    const stream = session.open(now, { kind: KIND_REVERSE, target: name });
    this.#restUntil.set(name, now + REFUSED_MS);
    if (typeof stream !== "string") {
      this.#requests.set(name, new Registration(session, stream, `reverse ${name}`, (gone) => this.#gone(name, gone)));
      return;
    }
    const times = this.#plain.happened(now);
    const reason = stream === "peer" ? "the server is a kcptun, or has extensions off" : "no more streams (option streams)";
    if (times > 0) log.warn({ peer: session.peerName, listener: name }, `reverse forward cannot be had: ${reason}`);
  }

  #gone(name: string, registration: Registration): void {
    if (this.#requests.get(name) === registration) this.#requests.delete(name);
  }

  #drop(now: Millis, name: string, { session, stream }: Registration): void {
    this.#requests.delete(name);
    session.endStream(now, stream);
  }
}
