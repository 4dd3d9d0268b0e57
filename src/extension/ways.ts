/**
 * Which way a client's session takes to its server: ways are probed all the time, and judged by what they deliver.
 *
 *   silent    its probes are not answered any more while another way's are (rounds.ts): the session goes on there at once, and comes back when this one
 *             has answered for RETURN_MS again. As soon as it pauses in midst of traffic it is probed more often
 *   lossy     so much of what is sent on it is lost, in either direction, that it is policed: another way is tried for TRIAL_MS; what delivers more
 *             stays, and the other is left alone for a while, twice as long each time
 *
 * What loses most of what is sent is left at once, without waiting for the second to pass.
 *
 * Ways stand in the order in which the user prefers them.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { Lag, Rounds } from "./rounds.ts";
import { SecondWay } from "./second-way.ts";
import { writeProbe } from "./way-message.ts";

/** Tuning. */
const PROBE_MS: Millis = 50;
/** While much is said: a round for so many segments in either direction, which is no hundredth of them. */
const PROBE_BUSY_MS: Millis = 20;
const PROBE_SEGMENTS = 24;
/** While little is said. */
const PROBE_IDLE_MS: Millis = 1000;
const IDLE_MS: Millis = 2000;
/** Nothing came for so long while the session speaks: it is probed at once, and again, a few times. */
const SUSPECT_MS: Millis = 40;
const SUSPECT_GAP_MS: Millis = 20;
const SUSPECT_ROUNDS = 3;
const SPEAKS_MS: Millis = 100;
/** A way that has missed so many rounds is not tried where another loses much. */
const MISSED_MAX = 2;
/** Looked at less often than that, a silence is ours and not the way's. */
const LOOK_MS: Millis = 25;
/** Longer than it was ever silent, by this factor; what was long ago is forgotten by and by. */
const PAUSE_FACTOR = 1.5;
const PAUSE_MEMORY_MS: Millis = 20_000;
/** An answer may come so much later than the round trip, beyond the next two probes. */
const LATE_MS: Millis = 20;
/** A way that answered within so long is one to go on with. */
const FRESH_MS: Millis = 130;
/** One that never answered is silent after so long. */
const UNHEARD_MS: Millis = 1000;
const RETURN_MS: Millis = 5000;
const BANNED_MS: Millis = 1500;
const LOSSY = 0.25;
const LOSSY_SENT = 50;
const JUDGE_MS: Millis = 1000;
const GLANCE_MS: Millis = 250;
const LOSSY_AT_ONCE = 0.5;
const TRIAL_MS: Millis = 3000;
const BAN_MS: Millis = 60_000;
const BAN_MS_MAX: Millis = 600_000;
/** Probes whose time of sending is remembered. */
const SENT = 64;

/** What the session has done so far on whatever way. */
export interface Delivery {
  readonly transmissions: number;
  readonly lost: number;
  readonly deliveredBytes: Bytes;
}

interface Trial {
  readonly from: number;
  readonly bytesPerMs: number;
  readonly at: Millis;
  readonly delivered: Bytes;
}

export class Way {
  readonly sentAt = new Float64Array(SENT);
  readonly sentN = new Uint32Array(SENT);
  readonly sentRound = new Uint32Array(SENT);
  readonly lag = new Lag();
  /** It paces and resends by itself, so its answers stand in a queue now and then. */
  carried = false;
  /** Last answer; negative before the first. */
  answeredAt: Millis = -1;
  /** The same by a clock that stands still while nobody looks; and for how long it lay silent beside one that was heard of: now, and at most so far. */
  heardAt: Millis = 0;
  silence: Millis = 0;
  pause: Millis = 0;
  /** Answers have come without a pause since then. */
  steadySince: Millis = 0;
  /** When the first probe went. */
  begunAt: Millis = -1;
  rtt: Millis = 0;
  rttvar: Millis = 0;
  probes = 0;
  answers = 0;
  bannedUntil: Millis = 0;
  ban: Millis = BAN_MS;
}

export class Ways {
  readonly ways: readonly Way[];
  /** Index of the way that is taken. */
  active = 0;
  /** Changes so far, and why the last one was. */
  changes = 0;
  reason: "silent" | "lossy" | "better" | "back" | "" = "";
  errors = 0;
  /** Share of what is sent on the active way that is to go over the second as well, 0 … 1. */
  readonly copies: number;
  readonly second: SecondWay;
  readonly #conv: number;
  readonly #token: Uint8Array;
  #n = 0;
  #probeAt: Millis = 0;
  readonly #rounds = new Rounds();
  /** Way to be probed next in this round, `ways.length` when all are. */
  #next: number;
  #probedAt: Millis = 0;
  #segments = 0;
  #segmentsProbed = 0;
  #advancedAt: Millis = 0;
  /** Time that was looked at. */
  #clock: Millis = 0;
  /** Of suspicion, since the active way was heard of. */
  #suspectRounds = 0;
  #busyUntil: Millis = 0;
  #busySince: Millis = 0;
  #judgeAt: Millis = 0;
  #seen: Delivery = { transmissions: 0, lost: 0, deliveredBytes: 0 };
  #glanceAt: Millis = 0;
  #glanced: Delivery = { transmissions: 0, lost: 0, deliveredBytes: 0 };
  /** Of the other end, as it told last. */
  #lossThere = 0;
  #trial: Trial | undefined;
  #bytesPerMs = 0;

  constructor(conv: number, token: Uint8Array, count: number, copies = 0) {
    this.copies = copies;
    this.second = new SecondWay(count);
    this.#conv = conv;
    this.#token = token;
    this.ways = Array.from({ length: count }, () => new Way());
    this.#next = count;
  }

  /** The session has said something; `segments` in either direction so far. */
  busy(now: Millis, segments: number): void {
    this.#segments = segments;
    if (now > this.#busyUntil) {
      this.#probeAt = Math.min(this.#probeAt, now);
      this.#busySince = now;
    }
    this.#busyUntil = now + IDLE_MS;
  }

  heard(now: Millis, { way: index, n, loss }: { way: number; n: number; loss: number }): void {
    const way = this.ways[index];
    const at = n % SENT;
    if (way === undefined || way.sentN[at] !== n) {
      this.errors++;
      return;
    }
    way.sentN[at] = 0;
    this.#rounds.answered(now, way.sentRound[at]!, way.lag);
    const rtt = now - way.sentAt[at]!;
    this.second.heard(now, index, rtt);
    if (way.answeredAt < 0 || now - way.answeredAt > RETURN_MS / 2) way.steadySince = now;
    way.rttvar = way.answers === 0 ? 0 : way.rttvar + (Math.abs(rtt - way.rtt) - way.rttvar) / 4;
    way.rtt = way.answers++ === 0 ? rtt : way.rtt + (rtt - way.rtt) / 8;
    this.#lives(now, way, index);
    if (index === this.active) this.#lossThere = loss;
  }

  /** Something of the session came on this way: it works. */
  seen(now: Millis, index: number): void {
    const way = this.ways[index];
    if (way !== undefined && way.answers > 0) this.#lives(now, way, index);
  }

  #lives(now: Millis, way: Way, index: number): void {
    const since = now - way.answeredAt;
    way.pause = Math.max(way.silence, way.pause * Math.max(0, 1 - since / PAUSE_MEMORY_MS));
    way.silence = 0;
    way.answeredAt = now;
    way.heardAt = this.#clock;
    if (index === this.active) this.#suspectRounds = 0;
  }

  #look(now: Millis): void {
    this.#clock += Math.min(now - this.#advancedAt, LOOK_MS);
    this.#advancedAt = now;
    const active = this.ways[this.active]!;
    for (const { heardAt } of this.ways) active.silence = Math.max(active.silence, heardAt - active.heardAt);
  }

  /** Decides; true when another way is taken from now on. */
  advance(now: Millis, delivery: Delivery): boolean {
    this.#look(now);
    const much = this.#segments - this.#segmentsProbed >= PROBE_SEGMENTS && now - this.#probedAt >= PROBE_BUSY_MS;
    if (much || now >= this.#probeAt) this.#probe(now);
    else if (now >= this.#suspectAt) {
      this.#suspectRounds++;
      this.#probe(now);
    }
    const before = this.active;
    if (now < this.#busyUntil) this.#leaveSilent(now);
    if (now >= this.#glanceAt) this.#glance(now, delivery);
    if (now >= this.#judgeAt) this.#judge(now, delivery);
    if (this.copies > 0) this.second.choose(this.active, this.#copies);
    if (this.active === before) return false;
    this.changes++;
    this.#suspectRounds = 0;
    this.#probe(now);
    return true;
  }

  #probe(now: Millis): void {
    this.#probedAt = now;
    this.#segmentsProbed = this.#segments;
    this.#probeAt = now + (now < this.#busyUntil ? PROBE_MS : PROBE_IDLE_MS);
    this.#rounds.begin(now);
    this.#next = 0;
  }

  /** When the active way is to be probed because it pauses in midst of traffic. */
  get #suspectAt(): Millis {
    const { answeredAt } = this.ways[this.active]!;
    if (answeredAt < 0 || this.#suspectRounds >= SUSPECT_ROUNDS) return NEVER;
    const at = Math.max(answeredAt + SUSPECT_MS, this.#probedAt + SUSPECT_GAP_MS);
    return at < this.#busyUntil - IDLE_MS + SPEAKS_MS ? at : NEVER;
  }

  /** Way of the probe that `transmit` writes next, −1 when there is none. */
  get probing(): number {
    return this.#next < this.ways.length ? this.#next : -1;
  }

  transmit(now: Millis, bytes: Uint8Array, view: DataView, at: number): Bytes {
    const index = this.#next++;
    const way = this.ways[index]!;
    const n = ++this.#n;
    way.sentAt[n % SENT] = now;
    way.sentN[n % SENT] = n;
    way.sentRound[n % SENT] = this.#rounds.round;
    way.probes++;
    if (way.begunAt < 0) way.begunAt = now;
    return writeProbe(bytes, view, at, this.#conv, this.#token, {
      way: index,
      use: index === this.active,
      n,
      copies: index === this.second.index ? this.copies : 0,
    });
  }

  deadline(): Millis {
    if (this.ways.length < 2) return NEVER;
    return Math.min(this.#probeAt, this.#judgeAt, this.#glanceAt, this.#suspectAt, this.#missedAt);
  }

  /** When the active way will have missed another round. */
  get #missedAt(): Millis {
    const way = this.ways[this.active]!;
    return way.answeredAt < 0 ? NEVER : this.#rounds.dueAt(Math.max(this.#advancedAt, way.answeredAt), way.lag);
  }

  #silent(now: Millis, way: Way): boolean {
    if (way.answeredAt < 0) return now - way.begunAt > UNHEARD_MS;
    // A way with a queue of its own, as TCP's, answers late where it works all the same.
    return now - Math.max(way.answeredAt, this.#busySince + way.rtt) > way.rtt / 4 + 4 * way.rttvar + 2 * PROBE_MS + LATE_MS;
  }

  /** It would have answered by now, by its own times, and another way has. */
  #overdue(now: Millis, way: Way): boolean {
    return this.#silent(now, way) && (way.answeredAt < 0 || this.#rounds.missed(now, way.lag, way.answeredAt) > 0);
  }

  /** Of a way, by its index: it works, and takes what is given to it as it is. */
  readonly #copies = (index: number): boolean => {
    const way = this.ways[index]!;
    const now = this.#advancedAt;
    return !way.carried && way.bannedUntil <= now && !this.#silent(now, way);
  };

  #missing(now: Millis, way: Way): boolean {
    if (way.carried || way.answeredAt < 0 || way.silence < PAUSE_FACTOR * way.pause) return false;
    return this.#rounds.silent(now, way.lag, way.answeredAt);
  }

  #leaveSilent(now: Millis): void {
    const active = this.ways[this.active]!;
    if (!this.#missing(now, active) && !this.#overdue(now, active)) return;
    // One that was left for its losses is better than none, but no refuge from a short pause.
    const dead = now - active.answeredAt > BANNED_MS;
    const fresh = this.ways.findIndex(
      (way, i) => i !== this.active && way.answeredAt >= 0 && now - way.answeredAt <= FRESH_MS && (dead || way.bannedUntil <= now),
    );
    if (fresh < 0) return;
    this.#take(fresh, "silent");
  }

  /** More often than a way is judged: one that lets next to nothing through is no longer tried. */
  #glance(now: Millis, { transmissions, lost, deliveredBytes }: Delivery): void {
    const sent = transmissions - this.#glanced.transmissions;
    const gone = lost - this.#glanced.lost;
    const span = now - this.#glanceAt + GLANCE_MS;
    const bytesPerMs = (deliveredBytes - this.#glanced.deliveredBytes) / Math.max(span, GLANCE_MS);
    this.#glanceAt = now < this.#busyUntil ? now + GLANCE_MS : this.#judgeAt;
    this.#glanced = { transmissions, lost, deliveredBytes };
    if (this.#trial !== undefined || sent < LOSSY_SENT || gone <= LOSSY_AT_ONCE * sent) return;
    this.#bytesPerMs = bytesPerMs;
    this.#try(now, deliveredBytes);
  }

  /** Once a second. */
  #judge(now: Millis, delivery: Delivery): void {
    const seen = this.#seen;
    const span = now - this.#judgeAt + JUDGE_MS;
    this.#judgeAt = now + JUDGE_MS;
    this.#seen = { ...delivery };
    const sent = delivery.transmissions - seen.transmissions;
    const loss = sent >= LOSSY_SENT ? (delivery.lost - seen.lost) / sent : 0;
    this.#bytesPerMs = (delivery.deliveredBytes - seen.deliveredBytes) / Math.max(span, JUDGE_MS);
    const trial = this.#trial;
    if (trial !== undefined) {
      if (now - trial.at >= TRIAL_MS) this.#conclude(now, trial, delivery.deliveredBytes);
      return;
    }
    if (Math.max(loss, this.#lossThere) > LOSSY) this.#try(now, delivery.deliveredBytes);
    else this.#return(now);
  }

  #try(now: Millis, delivered: Bytes): void {
    const works = (way: Way): boolean => !this.#silent(now, way) && this.#rounds.missed(now, way.lag, way.answeredAt) < MISSED_MAX;
    const other = this.ways.findIndex((way, i) => i !== this.active && way.bannedUntil <= now && way.answeredAt >= 0 && works(way));
    if (other < 0) return;
    this.#trial = { from: this.active, bytesPerMs: this.#bytesPerMs, at: now, delivered };
    this.ways[this.active]!.bannedUntil = now + TRIAL_MS;
    this.#take(other, "lossy");
  }

  #conclude(now: Millis, trial: Trial, delivered: Bytes): void {
    this.#trial = undefined;
    if (this.active === trial.from) return;
    const better = (delivered - trial.delivered) / (now - trial.at) >= 0.9 * trial.bytesPerMs;
    const loser = this.ways[better ? trial.from : this.active]!;
    loser.bannedUntil = now + loser.ban;
    loser.ban = Math.min(loser.ban * 2, BAN_MS_MAX);
    if (!better) this.#take(trial.from, "better");
  }

  /** To a way that is preferred, once it has worked for a while. */
  #return(now: Millis): void {
    for (let i = 0; i < this.active; i++) {
      const way = this.ways[i]!;
      if (way.bannedUntil > now || way.answeredAt < 0 || this.#silent(now, way) || now - way.steadySince < RETURN_MS) continue;
      this.#take(i, "back");
      return;
    }
  }

  #take(index: number, reason: Ways["reason"]): void {
    this.active = index;
    this.reason = reason;
    this.#lossThere = 0;
  }
}
