/**
 * Is the peer a Longhaul, and what does it understand? The client asks, the server answers; a kcptun at the other end never notices.
 *
 *   client   HELLO ─▶ nothing: again after 150, 300, 600 … ms, 5 s at most, until the server has said anything at all
 *            HELLO ─▶ the server speaks KCP but no ANSWER: TRIES more, 300 ms apart, then 1 s of patience ─▶ plain
 *            ANSWER ─▶ extended, also when it comes late
 *   server   HELLO ─▶ extended; each HELLO is answered, one ANSWER for all that came in a round
 *
 * Datagrams get lost: behind 30 % loss each way, one session in a hundred takes a Longhaul for a kcptun. So `plain` is an opinion for a
 * while: `again` asks once more, and the caller does so when somebody wants what only a Longhaul can do.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { ANSWER, HELLO, readHello, VERSION, writeHello } from "./hello.ts";

// Tuning
const FIRST_GAP_MS: Millis = 150;
const GAP_MS_MAX: Millis = 5000;
const TRIES = 6;
const TRY_GAP_MS: Millis = 300;
const PATIENCE_MS: Millis = 1000;
/** `again` within so long of the last opinion changes nothing. */
const OPINION_MS: Millis = 5000;

export type Standing = "unknown" | "extended" | "plain";

export interface NegotiationStats {
  hellosSent: number;
  hellosReceived: number;
  answersSent: number;
  /** Messages that were damaged, or of the role that is ours. */
  errors: number;
}

export class Negotiation {
  standing: Standing = "unknown";
  /** The lower of both ends', and the peer's; 0 until it is extended. */
  version = 0;
  peerFeatures = 0;
  /** `heard` was called: it need not be called again. */
  peerSpeaks = false;
  readonly stats: NegotiationStats = { hellosSent: 0, hellosReceived: 0, answersSent: 0, errors: 0 };
  readonly #role: "client" | "server";
  readonly #conv: number;
  readonly #features: number;
  #gap: Millis = FIRST_GAP_MS;
  /** Client: when to ask, or to give up once no try is left. NEVER: nothing to do. */
  #dueAt: Millis;
  #triesLeft = TRIES;
  #plainAt: Millis = Number.NEGATIVE_INFINITY;
  /** Waits to be transmitted. */
  #message: typeof HELLO | typeof ANSWER | 0 = 0;

  constructor(role: "client" | "server", conv: number, features: number) {
    this.#role = role;
    this.#conv = conv;
    this.#features = features;
    this.#dueAt = role === "client" ? 0 : NEVER;
  }

  /** The peer is one of ours, and has said this of itself (hello.ts). */
  peerHas(feature: number): boolean {
    return this.standing === "extended" && (this.peerFeatures & feature) !== 0;
  }

  /** The peer said something of the session. */
  heard(now: Millis): void {
    if (this.peerSpeaks) return;
    this.peerSpeaks = true;
    // The answer is probably right behind.
    if (this.standing === "unknown" && this.#role === "client") this.#dueAt = Math.min(this.#dueAt, now + TRY_GAP_MS);
  }

  /** Client: a peer taken for plain is asked once more. True when the question is open again. */
  again(now: Millis): boolean {
    if (this.standing !== "plain" || now - this.#plainAt < OPINION_MS) return this.standing === "unknown";
    this.standing = "unknown";
    this.#triesLeft = TRIES;
    this.#dueAt = now;
    return true;
  }

  /** Takes a HELLO or ANSWER. */
  receive(type: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const hello = type === (this.#role === "server" ? HELLO : ANSWER) ? readHello(bytes, view, start, end) : undefined;
    if (hello === undefined) {
      this.stats.errors++;
      return;
    }
    this.stats.hellosReceived++;
    this.standing = "extended";
    this.version = Math.min(VERSION, hello.version);
    this.peerFeatures = hello.features;
    this.#dueAt = NEVER;
    this.#message = this.#role === "server" ? ANSWER : 0;
  }

  /** Asks, or gives up. */
  advance(now: Millis): void {
    if (now < this.#dueAt) return;
    if (this.#triesLeft === 0) {
      this.standing = "plain";
      this.#plainAt = now;
      this.#dueAt = NEVER;
      return;
    }
    this.#message = HELLO;
    if (this.peerSpeaks) this.#dueAt = now + (--this.#triesLeft > 0 ? TRY_GAP_MS : PATIENCE_MS);
    else {
      this.#dueAt = now + this.#gap;
      this.#gap = Math.min(this.#gap * 2, GAP_MS_MAX);
    }
  }

  /** Writes the message that waits to bytes[at…); answers its length, 0 when none does. */
  transmit(bytes: Uint8Array, view: DataView, at: number): Bytes {
    const type = this.#message;
    if (type === 0) return 0;
    this.#message = 0;
    if (type === HELLO) this.stats.hellosSent++;
    else this.stats.answersSent++;
    return writeHello(bytes, view, at, this.#conv, type, this.#features);
  }

  /** When `advance` wants to be called. */
  deadline(): Millis {
    return this.#dueAt;
  }
}
