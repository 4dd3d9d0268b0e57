/**
 * One user of a server: its limits, and what it has used.
 *
 * Limits hold for all of the user's sessions together, those of other threads too (user-ledger.ts). Rates are shared out among them (shared-rate.ts);
 * what a user may send is limited by reading its sessions no faster, so that KCP's window holds the sender back and nothing is lost.
 */
import type { Bytes, Millis } from "../base/units.ts";
import { splitPlace } from "./port-span.ts";
import type { Session } from "./session.ts";
import { SharedRate } from "./shared-rate.ts";
import type { UserConfig } from "./user-config.ts";
import { DEMAND_DOWN, DEMAND_UP, RECEIVED, SENT, SESSIONS, STREAMS, UserLedger } from "./user-ledger.ts";

/** Limits of a user; 0 = none. */
export type UserLimits = Pick<UserConfig, "sessions" | "streams" | "rateup" | "ratedown" | "quota" | "targets">;

export interface UserReport {
  readonly name: string;
  readonly sessions: number;
  readonly streams: number;
  /** Bytes of the applications since the server began, from the user and to it. */
  readonly receivedPayloadBytes: Bytes;
  readonly sentPayloadBytes: Bytes;
  /** How often a limit was hit. */
  readonly sessionsRefused: number;
  readonly streamsRefused: number;
  readonly quotaExceeded: number;
  readonly rateWaits: number;
  /** Of both directions, in all threads, and before the server began as far as option state knows; and the limit on it, 0 = none. */
  readonly usedBytes: Bytes;
  readonly quotaBytes: Bytes;
}

/** Tuning: how much of its rate a user's client may send ahead. A larger window would only make its keep-alives and window updates late. */
const AHEAD_SECONDS = 0.5;
const WINDOW_SEGMENTS_MIN = 32;
/** Tuning: over so long a thread's demand for a rate is measured. */
const DEMAND_MS: Millis = 80;
const SEGMENT_BYTES = 1300;

export class User {
  /** "" for the only one of a server without users. */
  readonly name: string;
  readonly sessions = new Set<Session>();
  readonly up: SharedRate;
  readonly down: SharedRate;
  sessionsRefused = 0;
  streamsRefused = 0;
  quotaExceeded = 0;
  #limits: UserLimits;
  readonly #ledger: UserLedger;
  readonly #row: number;
  #publishedAt: Millis;
  #publishedSessions = 0;
  #spentUp: Bytes = 0;
  #spentDown: Bytes = 0;
  #waitsUp = 0;
  #waitsDown = 0;
  #endedReceived: Bytes = 0;
  #endedSent: Bytes = 0;

  /** `row`: its place in the ledger. */
  constructor(now: Millis, name: string, limits: UserLimits, ledger: UserLedger = new UserLedger(), row = 0) {
    this.name = name;
    this.#ledger = ledger;
    this.#row = row;
    this.#publishedAt = now;
    ledger.reach(row);
    this.#limits = limits;
    this.up = new SharedRate(now, perSecond(limits.rateup));
    this.down = new SharedRate(now, perSecond(limits.ratedown));
  }

  get limits(): UserLimits {
    return this.#limits;
  }

  /** Takes effect at once, for running sessions too. */
  set limits(limits: UserLimits) {
    this.#limits = limits;
    this.up.bytesPerSecond = perSecond(limits.rateup);
    this.down.bytesPerSecond = perSecond(limits.ratedown);
  }

  get streams(): number {
    let streams = 0;
    for (const session of this.sessions) streams += session.streams.size;
    return streams;
  }

  get receivedBytes(): Bytes {
    let bytes = this.#endedReceived;
    for (const { layers } of this.sessions) bytes += layers?.smux.stats.bytesIn ?? 0;
    return bytes;
  }

  get sentBytes(): Bytes {
    let bytes = this.#endedSent;
    for (const { layers } of this.sessions) bytes += layers?.smux.stats.bytesOut ?? 0;
    return bytes;
  }

  get overQuota(): boolean {
    const { quota } = this.#limits;
    return quota > 0 && this.usedBytes >= quota;
  }

  get usedBytes(): Bytes {
    return this.receivedBytes + this.sentBytes + this.#ledger.elsewhere(this.#row, RECEIVED) + this.#ledger.elsewhere(this.#row, SENT);
  }

  /** It has sessions, or had some when it was published last. */
  get active(): boolean {
    return this.sessions.size > 0 || this.#publishedSessions > 0;
  }

  /** Tells the other threads what this one has and has used, and takes its share of the rates. */
  publish(now: Millis): void {
    const ledger = this.#ledger;
    const row = this.#row;
    ledger.write(row, SESSIONS, this.sessions.size);
    this.#publishedSessions = this.sessions.size;
    ledger.write(row, STREAMS, this.streams);
    ledger.write(row, RECEIVED, this.receivedBytes);
    ledger.write(row, SENT, this.sentBytes);
    const elapsed = now - this.#publishedAt;
    if (ledger.threads === 1 || elapsed < DEMAND_MS) return;
    const { up, down } = this;
    ledger.write(row, DEMAND_UP, up.waits > this.#waitsUp ? Number.POSITIVE_INFINITY : ((up.spent - this.#spentUp) * 1000) / elapsed);
    ledger.write(
      row,
      DEMAND_DOWN,
      down.waits > this.#waitsDown ? Number.POSITIVE_INFINITY : ((down.spent - this.#spentDown) * 1000) / elapsed,
    );
    this.#publishedAt = now;
    this.#spentUp = up.spent;
    this.#spentDown = down.spent;
    this.#waitsUp = up.waits;
    this.#waitsDown = down.waits;
    if (this.#limits.rateup > 0) up.bytesPerSecond = ledger.shareOf(row, DEMAND_UP, this.#limits.rateup);
    if (this.#limits.ratedown > 0) down.bytesPerSecond = ledger.shareOf(row, DEMAND_DOWN, this.#limits.ratedown);
  }

  /** Whether the user may have another session; a refusal is counted and answered with the option that it is due to. */
  refusesSession(): "sessions" | "quota" | undefined {
    const { sessions } = this.#limits;
    const reason = this.overQuota
      ? "quota"
      : sessions > 0 && this.sessions.size + this.#ledger.elsewhere(this.#row, SESSIONS) >= sessions
        ? "sessions"
        : undefined;
    if (reason !== undefined) this.sessionsRefused++;
    return reason;
  }

  /** Whether the user has more connections than it may, the newest included; counted. */
  refusesStream(): boolean {
    const { streams } = this.#limits;
    if (streams === 0 || this.streams + this.#ledger.elsewhere(this.#row, STREAMS) <= streams) return false;
    this.streamsRefused++;
    return true;
  }

  /** Whether the user may ask for this target; "" is the default one, which is everybody's. */
  mayReach(target: string): boolean {
    return target === "" || (this.#limits.targets?.includes(splitPlace(target).target) ?? true);
  }

  /** Segments that a new session of the user may receive unread. */
  receiveWindow(configured: number): number {
    const { rateup } = this.#limits;
    if (rateup === 0) return configured;
    return Math.min(configured, Math.max(WINDOW_SEGMENTS_MIN, Math.ceil((rateup * AHEAD_SECONDS) / SEGMENT_BYTES)));
  }

  sessionEnded(session: Session): void {
    if (!this.sessions.delete(session)) return;
    this.#endedReceived += session.layers?.smux.stats.bytesIn ?? 0;
    this.#endedSent += session.layers?.smux.stats.bytesOut ?? 0;
  }

  report(): UserReport {
    const { name, sessions, streams, receivedBytes, sentBytes, sessionsRefused, streamsRefused, quotaExceeded, up, down } = this;
    return {
      name,
      sessions: sessions.size,
      streams,
      receivedPayloadBytes: receivedBytes,
      sentPayloadBytes: sentBytes,
      sessionsRefused,
      streamsRefused,
      quotaExceeded,
      rateWaits: up.waits + down.waits,
      usedBytes: this.usedBytes,
      quotaBytes: this.#limits.quota,
    };
  }
}

function perSecond(rate: number): number {
  return rate === 0 ? Number.POSITIVE_INFINITY : rate;
}
