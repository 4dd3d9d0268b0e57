/**
 * How a client's session finds out whether its server takes what it says.
 *
 * Nothing in KCP or smux answers a stream that was opened, and a kcptun with another smuxver or nocomp closes the session at its first frame without
 * a word. What we send then begins a session anew there that can never deliver: it acknowledges, but its una stays 0 (health.ts). To be told so,
 * the session has to go on speaking: it says NOP again and again
 *
 *   until the first byte of the server's stream      it understands us: it sends UPD (smux 2) or NOP (every keepalive) of its own accord
 *   while health doubts                              one una 0 may be late or replayed; a server that knows us contradicts it at once
 *
 * and has an opinion in time for a line in the log within 2 s:
 *
 *   unanswered   not a datagram came that is ours: wrong address, wrong key or cipher, or nothing gets through
 *   stuck        packets come, but not one acknowledges the first segment, because the session is closed again at every resend of it; or they deny it
 */
import { type Millis, NEVER } from "../base/units.ts";
import type { KcpStats } from "../kcp/stats.ts";

// Tuning
const PING_MS: Millis = 250;
const PATIENT_PING_MS: Millis = 2000;
/** The age at which the opinion is formed. */
const VERDICT_MS: Millis = 1800;

export type Opinion = "unanswered" | "stuck";

/** Places of `#at`. */
const BEGAN = 0;
const PING = 1;

export class Probation {
  opinion: Opinion | undefined;
  /** The server understands us. */
  passed = false;
  #formed = false;
  readonly #at = Float64Array.of(NEVER, NEVER);

  /** The clock starts with the first call. Answers whether to say NOP now. */
  advance(now: Millis, receivedDatagrams: number, stats: KcpStats, doubted: boolean): boolean {
    const at = this.#at;
    if (at[BEGAN] === NEVER) {
      at[BEGAN] = now;
      at[PING] = now + PING_MS;
    }
    this.passed ||= stats.bytesReceived > 0;
    if (!this.#formed && now >= at[BEGAN]! + VERDICT_MS) {
      this.#formed = true;
      if (receivedDatagrams === 0) this.opinion = "unanswered";
      else if (!this.passed && (stats.sndUna === 0 || doubted)) this.opinion = "stuck";
    }
    if (this.passed && !doubted) {
      at[PING] = NEVER;
      return false;
    }
    if (at[PING] === NEVER) at[PING] = now;
    if (now < at[PING]!) return false;
    at[PING] = now + (doubted || !this.#formed ? PING_MS : PATIENT_PING_MS);
    return true;
  }

  deadline(): Millis {
    const at = this.#at;
    return this.#formed ? at[PING]! : Math.min(at[PING]!, at[BEGAN]! + VERDICT_MS);
  }
}
