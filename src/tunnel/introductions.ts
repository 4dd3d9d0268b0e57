/**
 * How streams are introduced to the peer and by it: descriptions (extension/description.ts), and the wait until they can be told.
 *
 *   we open one for a named target  ─▶ is the peer ours? not known yet: the stream waits without a number ─┬▶ yes: SYN with its description
 *                                                                                                          └▶ no:  refused, never sent astray
 *   we open one for the default     ─▶ SYN at once; the description follows if the peer turns out to want it (PROXY protocol)
 *   the peer opens one undescribed, though it is ours and we want one ─▶ nothing is connected for DESCRIBE_MS at most
 *   the peer refuses one of ours    ─▶ its reason is logged, the application's connection is reset
 *
 * Why an unnamed stream does not wait: with a kcptun at the other end it would wait the whole time of asking.
 */
import { type Millis, NEVER } from "../base/units.ts";
import {
  DESCRIPTION_BYTES_MAX,
  type Description,
  GRANTED,
  KIND_TCP,
  REFUSED_FAILED,
  readDescription,
  writeDescription,
} from "../extension/description.ts";
import { FEATURE_DESCRIPTIONS, FEATURE_WANTS_DESCRIPTIONS } from "../extension/hello.ts";
import type { Standing } from "../extension/negotiation.ts";
import type { Session } from "./session.ts";
import type { SessionOptions } from "./session-options.ts";
import type { Stream } from "./stream.ts";

/** The description follows after a round trip, in order with the data. */
const DESCRIBE_MS: Millis = 3000;

/** Why a stream is not to be had: all are in use, or the peer is a kcptun and knows one target only. */
export type OpenRefusal = "streams" | "peer";

export class Introductions {
  /** When `advance` wants to be called. */
  dueAt: Millis = NEVER;
  readonly #session: Session;
  readonly #options: SessionOptions;
  /** As it was told last. */
  #standing: Standing;
  /** Ours, without a number yet, oldest first. */
  readonly #waiting: Stream[] = [];
  /** The peer's, undescribed yet, with the time our patience ends. */
  readonly #undescribed = new Map<Stream, Millis>();

  constructor(session: Session, options: SessionOptions) {
    this.#session = session;
    this.#options = options;
    this.#standing = session.extension?.standing ?? "plain";
  }

  open(now: Millis, description: Description): Stream | OpenRefusal {
    const { extension } = this.#session;
    const named = description.target !== "" || description.kind !== KIND_TCP;
    if (named && !this.#understood) {
      if (extension === undefined || extension.standing === "extended" || !extension.negotiation.again(now)) return "peer";
      if (this.#waiting.length >= this.#options.config.streams) return "streams";
      const stream = this.#session.newStream(now);
      stream.description = writeDescription(description);
      this.#waiting.push(stream);
      this.#options.wake(this.#session);
      return stream;
    }
    const stream = this.#session.newStream(now);
    stream.description = extension === undefined ? undefined : writeDescription(description);
    return this.#number(now, stream) ? stream : "streams";
  }

  /** From now on the peer may describe its streams: a client has asked for it, a server knows that its client can. */
  allow(): void {
    this.#session.layers?.smux.allowDescriptions(DESCRIPTION_BYTES_MAX);
  }

  /** The peer opened a stream. */
  opened(now: Millis, stream: Stream, body: Uint8Array | undefined): void {
    const wanted = (this.#options.features & FEATURE_WANTS_DESCRIPTIONS) !== 0;
    if (body !== undefined || !wanted || this.#session.extension?.standing !== "extended") {
      this.#connect(now, stream, body);
      return;
    }
    this.#undescribed.set(stream, now + DESCRIBE_MS);
    this.dueAt = Math.min(this.dueAt, now + DESCRIBE_MS);
  }

  /** A stream that is open was described: the peer's, or ours with the peer's answer. */
  described(now: Millis, stream: Stream, body: Uint8Array): void {
    if (this.#undescribed.delete(stream)) {
      this.#connect(now, stream, body);
      return;
    }
    const answer = readDescription(body, 0, body.length);
    if (answer?.verdict === undefined || !stream.ours) return;
    if (answer.verdict === GRANTED) this.#options.granted?.(this.#session, stream, now);
    else {
      const { log, counters } = this.#options;
      counters.refusedByPeer++;
      log.warn(
        { peer: this.#session.peerName, stream: stream.sid, from: stream.remote, reason: answer.reason },
        "connection refused by the peer",
      );
      stream.reset(answer.reason);
      this.#session.streamGone(now, stream);
    }
  }

  /** Ends the stream of the peer and tells it why. */
  refuse(now: Millis, stream: Stream, verdict: number, reason: string): void {
    if (this.#understood) {
      const answer = writeDescription({ kind: 0, target: "", verdict, reason });
      this.#session.layers?.smux.describe(now, stream.sid, answer);
    }
    stream.reset();
    this.#session.streamGone(now, stream);
  }

  /** Tells the peer that what its stream asked for is done. */
  grant(now: Millis, stream: Stream): void {
    this.#session.layers?.smux.describe(now, stream.sid, writeDescription({ kind: 0, target: "", verdict: GRANTED }));
    this.#options.wake(this.#session);
  }

  advance(now: Millis): void {
    const standing = this.#session.extension?.standing ?? "plain";
    if (standing !== this.#standing) this.#standingChanged(now, standing);
    if (now < this.dueAt) return;
    this.dueAt = NEVER;
    for (const [stream, until] of this.#undescribed) {
      if (until > now) this.dueAt = Math.min(this.dueAt, until);
      else {
        this.#undescribed.delete(stream);
        this.#options.counters.undescribed++;
        this.#connect(now, stream, undefined);
      }
    }
  }

  /** The stream has ended. */
  forget(stream: Stream): void {
    this.#undescribed.delete(stream);
    const at = this.#waiting.indexOf(stream);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** The session has ended. */
  clear(): void {
    this.#undescribed.clear();
    for (const stream of this.#waiting.splice(0)) stream.reset();
  }

  /** The peer is known now, or taken for a kcptun. */
  #standingChanged(now: Millis, standing: Standing): void {
    const session = this.#session;
    const { log, role } = this.#options;
    const facts = { peer: session.peerName, version: session.extension?.negotiation.version };
    this.#standing = standing;
    if (standing === "extended") log.info(facts, "the peer is a Longhaul: extensions are in use");
    else if (standing === "plain" && role === "client") log.info(facts, "the server does not know extensions: it is served as a kcptun");
    if (standing === "unknown") return;
    if (this.#understood) this.allow();
    for (const stream of this.#waiting.splice(0)) {
      if (this.#understood && this.#number(now, stream)) session.streamReady(stream);
      else this.#turnAway(stream);
    }
    const wanted = session.extension?.negotiation.peerHas(FEATURE_WANTS_DESCRIPTIONS);
    if (wanted) for (const stream of session.streams.values()) this.#describe(now, stream);
  }

  get #understood(): boolean {
    return this.#session.extension?.negotiation.peerHas(FEATURE_DESCRIPTIONS) === true;
  }

  #number(now: Millis, stream: Stream): boolean {
    const description = this.#understood ? stream.description : undefined;
    const sid = this.#session.layers?.smux.open(now, description) ?? 0;
    if (sid === 0) return false;
    if (description !== undefined) stream.description = undefined;
    this.#session.number(stream, sid);
    return true;
  }

  #describe(now: Millis, stream: Stream): void {
    if (stream.description === undefined) return;
    this.#session.layers?.smux.describe(now, stream.sid, stream.description);
    stream.description = undefined;
  }

  #turnAway(stream: Stream): void {
    const { log, counters } = this.#options;
    counters.refusedPlain++;
    log.warn(
      { peer: this.#session.peerName, from: stream.remote },
      "connection refused: the server is a kcptun, or has extensions off, and knows no named targets",
    );
    stream.reset();
  }

  #connect(now: Millis, stream: Stream, body: Uint8Array | undefined): void {
    const description = body === undefined ? undefined : readDescription(body, 0, body.length);
    if (body !== undefined && description === undefined) this.refuse(now, stream, REFUSED_FAILED, "the description is damaged");
    else this.#options.opened(this.#session, stream, now, description);
  }
}
