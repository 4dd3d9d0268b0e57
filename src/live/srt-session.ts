/**
 * One encoder that calls by SRT: its datagrams go to a program of its own and back, what the program makes of them goes to a channel.
 *
 *   calling ── the program answers ──▶ joining ── it takes the caller ──▶ publishing ──▶ closed
 *
 * The program hears a caller like any other: we induce it, and hand on the encoder's own conclusion with the program's cookie. Who proves no passphrase comes no
 * further than that: the channel is taken, from an encoder that fell silent perhaps, only when the program has taken the caller.
 */
import { type Millis, NEVER } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { SrtListener } from "../host/srt-program.ts";
import { statusCode } from "../media/rtmp/command.ts";
import { type Handshake, induction, reason, setCookie } from "../media/srt/handshake.ts";
import { TsToUnit } from "../media/ts/to-unit.ts";
import type { Channel } from "./channel.ts";
import type { Publisher, Refusal } from "./publisher.ts";
import { UnitFeed } from "./unit-feed.ts";

export interface SrtSessionHost {
  readonly log: Log;
  now(): Millis;
  wallClock(): number;
  admit(publisher: Publisher, key: string, now: Millis): Channel | Refusal;
  released(publisher: Publisher, channel: Channel): void;
  refused(reason: string): void;
  /** Sends to the program. */
  toProgram(session: SrtSession, bytes: Uint8Array, start: number, end: number): void;
  /** Sends to the encoder. */
  toCaller(session: SrtSession, bytes: Uint8Array, start: number, end: number): void;
  /** Answers the conclusion that `session` began with. */
  refuseCaller(session: SrtSession, why: number): void;
  hangUp(session: SrtSession): void;
  closed(session: SrtSession): void;
}

export interface SrtCall {
  readonly address: string;
  /** Peer ids in the tables of the two sockets. */
  readonly peer: number;
  readonly key: string;
  /** The stream is encrypted. */
  readonly secure: boolean;
  readonly hello: Pick<Handshake, "from" | "sequence" | "mtu" | "window">;
  /** The datagram; owned by the session. */
  readonly conclusion: Uint8Array;
  /** Until when it must publish. */
  readonly deadline: Millis;
}

/** Between two attempts to reach a program that is starting. */
const CALL_EVERY: Millis = 20;

export class SrtSession implements Publisher {
  readonly call: SrtCall;
  readonly address: string;
  readonly secure: boolean;
  readonly protocol = "srt";
  heard: Millis;
  /** Peer id of its program, −1 before it starts. */
  program = -1;
  readonly #host: SrtSessionHost;
  readonly #log: Log;
  readonly #ts = new TsToUnit();
  #listener: SrtListener | undefined;
  #state: "calling" | "joining" | "publishing" | "closed" = "calling";
  #feed: UnitFeed | undefined;
  #callAt: Millis = 0;

  constructor(host: SrtSessionHost, call: SrtCall, now: Millis) {
    this.#host = host;
    this.call = call;
    this.address = call.address;
    this.secure = call.secure;
    this.heard = now;
    this.#log = host.log.child({ peer: call.address, protocol: "srt" });
  }

  get stats(): Readonly<TsToUnit["stats"]> {
    return this.#ts.stats;
  }

  attach(listener: SrtListener): void {
    this.#listener = listener;
  }

  /** From the encoder. `conclusion`: it is that again. */
  fromCaller(now: Millis, bytes: Uint8Array, start: number, end: number, conclusion: boolean): void {
    this.heard = now;
    if (this.#state === "calling") return;
    if (conclusion) this.#host.toProgram(this, this.call.conclusion, 0, this.call.conclusion.length);
    else this.#host.toProgram(this, bytes, start, end);
  }

  /** From the program. `handshake` where it is one. */
  fromProgram(now: Millis, bytes: Uint8Array, start: number, end: number, handshake: Handshake | undefined): void {
    if (this.#state === "closed") return;
    if (handshake?.kind === "induction") {
      if (this.#state !== "calling") return;
      this.#state = "joining";
      setCookie(this.call.conclusion, 0, handshake.cookie);
      this.#host.toProgram(this, this.call.conclusion, 0, this.call.conclusion.length);
      return;
    }
    if (handshake?.kind === "refusal") {
      this.#host.toCaller(this, bytes, start, end);
      this.#turnAway("passphrase", "the stream is not encrypted with the channel's passphrase");
      return;
    }
    if (handshake?.kind === "conclusion" && this.#state === "joining" && !this.#join(now)) return;
    this.#host.toCaller(this, bytes, start, end);
  }

  /** What the program got of the encoder. */
  received(bytes: Uint8Array): void {
    if (this.#feed === undefined) return;
    const now = this.#host.now();
    this.#ts.receive(bytes, this.#host.wallClock());
    this.#feed.take(now, this.#ts);
  }

  /** The program is gone. */
  ended(complaint: string): void {
    if (this.#state === "closed") return;
    if (this.#state === "publishing") this.#ts.end(this.#host.wallClock());
    this.#feed?.take(this.#host.now(), this.#ts);
    if (this.#state !== "publishing") {
      this.#log.warn({ complaint }, "srt-live-transmit ended before it took the encoder");
      this.#host.refused("program");
      this.#host.refuseCaller(this, reason.unavailable);
    }
    this.#close("encoder left");
  }

  advance(now: Millis): Millis {
    const { deadline } = this.call;
    if (this.#state === "publishing" || this.#state === "closed") return NEVER;
    if (now >= deadline) {
      this.#turnAway("setup", "it took too long to begin");
      return NEVER;
    }
    if (this.#state === "joining" || this.program < 0) return deadline;
    if (now >= this.#callAt) {
      this.#callAt = now + CALL_EVERY;
      const hello = induction(this.call.hello);
      this.#host.toProgram(this, hello, 0, hello.length);
    }
    return Math.min(deadline, this.#callAt);
  }

  refuse(_now: Millis, { reason: word, description }: Refusal): void {
    if (this.#state === "closed") return;
    this.#turnAway(word, description);
  }

  /** Ends it without a word in the log, at the stop of the program or where the encoder calls anew. */
  stop(): void {
    this.#close("encoder left");
  }

  #join(now: Millis): boolean {
    const admitted = this.#host.admit(this, this.call.key, now);
    if ("reason" in admitted) {
      this.#host.refuseCaller(this, reason.conflict);
      this.#turnAway(admitted.reason, admitted.description);
      return false;
    }
    this.#state = "publishing";
    this.#feed = new UnitFeed(admitted, this.#log, (at, refusal) => this.refuse(at, refusal));
    admitted.start(this.#host.wallClock());
    this.#log.info({ channel: admitted.name, encrypted: this.secure }, "encoder publishes");
    return true;
  }

  #turnAway(word: string, description: string): void {
    this.#log.warn({ reason: word, ...(this.#feed && { channel: this.#feed.channel.name }) }, `encoder refused: ${description}`);
    this.#host.refused(word);
    this.#close("channel is off the air");
  }

  #close(text: string): void {
    if (this.#state === "closed") return;
    if (this.#state === "publishing") this.#host.hangUp(this);
    this.#state = "closed";
    this.#listener?.close();
    const channel = this.#feed?.channel;
    this.#feed = undefined;
    if (channel !== undefined) {
      channel.end(this.#host.now());
      this.#host.released(this, channel);
      const { packets, damaged, broken, skipped } = this.#ts.stats;
      this.#log.info({ channel: channel.name, packets, missing: this.#ts.gaps, damaged, broken, skipped }, text);
    }
    this.#host.closed(this);
  }
}

/** Why an encoder is refused, as SRT says it. */
export function reasonOf({ code, reason: word }: Refusal): number {
  if (word === "key") return reason.unauthorized;
  return code === statusCode.badName ? reason.conflict : reason.forbidden;
}
