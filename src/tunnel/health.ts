/**
 * Does the server still know a client's session? KCP itself never gives up and smux notices after 30 to 60 s.
 *
 *   silent      something waits to be acknowledged and nothing was heard for max(1.5 s, 4 · RTO):
 *               an outage, a server that is gone, a wrong key. New connections get a session of their own; this one may come back.
 *   forgotten   the peer says again and again that it has received nothing (una 0) of what it acknowledged before: it was restarted,
 *               or it sees us at a new address, or it has closed the session. It will never take a byte again.
 *
 * Why una 0 is a proof: `una` of a peer never falls, and a server that does not know the session never receives our segment 0 a second time,
 * so its `una` stays 0. One such packet may be old, late or replayed: the session then asks (probation.ts), and the una we know contradicts it;
 * a lower one does not: it is late too, or of a session that was begun and closed again. DENIALS of them that nothing contradicts for
 * max(DENIAL_MS, 2 · RTO) are the truth, and so is one that silence follows, because all in flight was acknowledged and nothing more may be sent.
 */
import { type Millis, NEVER, type Seq32 } from "../base/units.ts";

// Tuning
const SILENCE_MS: Millis = 1500;
const SILENCE_RTOS = 4;
const DENIALS = 2;
const DENIAL_MS: Millis = 500;
const DENIAL_RTOS = 2;

export type Verdict = "well" | "silent" | "forgotten";

/** Places of `#at`. */
const HEARD = 0;
/** Since when something waits; NEVER while nothing does. */
const WAITING = 1;
const SILENT = 2;
/** First of the denials that nothing contradicted yet; NEVER while there is none. */
const DENIED = 3;
/** When they are the truth. */
const FORGOTTEN = 4;

export class Health {
  verdict: Verdict = "well";
  /** Times are written in every round: in an array they stay where they are, as fields each would be a new number on the heap. */
  readonly #at: Float64Array;
  #denials = 0;

  constructor(now: Millis) {
    this.#at = Float64Array.of(now, NEVER, NEVER, NEVER, NEVER);
  }

  /** A packet of the session came that says `una`; `sndUna` is what the peer has acknowledged so far. */
  heard(now: Millis, una: Seq32, sndUna: Seq32): void {
    const at = this.#at;
    at[HEARD] = now;
    if (this.verdict === "silent") this.verdict = "well";
    if (una === sndUna) {
      this.#denials = 0;
      at[DENIED] = NEVER;
      at[FORGOTTEN] = NEVER;
    } else if (una === 0) {
      if (this.#denials++ === 0) at[DENIED] = now;
    } else if (this.#denials > 0) this.#denials++;
  }

  /** The peer denied the session and nothing has contradicted that yet. */
  get doubted(): boolean {
    return this.#denials > 0;
  }

  /** Once a round: whether segments wait for the peer, and the RTO. */
  advance(now: Millis, waiting: boolean, rto: Millis): void {
    const at = this.#at;
    if (this.#denials >= DENIALS) at[FORGOTTEN] = at[DENIED]! + Math.max(DENIAL_MS, DENIAL_RTOS * rto);
    if (now >= at[FORGOTTEN]!) this.verdict = "forgotten";
    if (!waiting) {
      at[WAITING] = NEVER;
      at[SILENT] = NEVER;
      return;
    }
    if (at[WAITING] === NEVER) at[WAITING] = now;
    at[SILENT] = Math.max(at[HEARD]!, at[WAITING]!) + Math.max(SILENCE_MS, SILENCE_RTOS * rto);
    if (now >= at[SILENT] && this.verdict === "well") this.verdict = this.doubted ? "forgotten" : "silent";
  }

  /** When silence or denial would have lasted long enough. */
  deadline(): Millis {
    const at = this.#at;
    if (this.verdict === "forgotten") return NEVER;
    return this.verdict === "well" ? Math.min(at[SILENT]!, at[FORGOTTEN]!) : at[FORGOTTEN]!;
  }
}
