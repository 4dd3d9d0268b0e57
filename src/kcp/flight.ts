/**
 * Segments in flight as a rate controller needs them: in the order of their sending, with what was delivered when each was sent. It decides what is lost
 * and resent, in place of kcp-go's counting of overtaking ACKs and its timer for each segment.
 *
 *   launch ─▶ flying, oldest transmission first ─▶ settled
 *                │        ▲                    └─▶ round: rate sample, round trip ─▶ controller
 *                ▼        │ launch again
 *               lost ─────┘
 *
 *   lost by order   something sent `reordering` ms later has arrived, and, where parity covers the segment, something of a later group, or more is missing
 *                   of the group than parity can replace
 *   lost by time    the oldest transmission is out for longer than srtt + max(4·rttvar, 5 ms): only what is overdue is resent, and while nothing
 *                   at all comes back a few segments at a time, as probes
 *
 * An ACK echoes the time stamp of what arrived, and none comes sooner than the least round trip: so needless resends are recognised, and widen `reordering`.
 *
 * Source: RFC 8985 (RACK-TLP), draft-ietf-ccwg-bbr 4.1 (delivery rate), with KCP's ACKs, which name each segment.
 */
import { emptyRound, type RateController } from "../base/rate-controller.ts";
import { seqDiff } from "../base/seq.ts";
import { type Bytes, type Millis, NEVER, type Seq32 } from "../base/units.ts";
import { Echoes, RUN_LONG, SPARSE_BYTES } from "./echoes.ts";
import { FlightGroups } from "./flight-groups.ts";
import { FlightStats } from "./flight-stats.ts";
import { ALONG, COPIED, COVERED, FLYING, FlightTable, KEPT, LOST, PLACES_AT_FIRST, REPLACED, RUN, SETTLED } from "./flight-table.ts";
import { Patience } from "./patience.ts";
import { SampleLimits } from "./sample-limits.ts";
import { clock } from "./segment.ts";

/** Tuning: overdue segments resent at once, while acknowledgements come and while none do. */
const OVERDUE_MAX = 32;
const PROBES = 3;
const PROBE_GAP_MS: Millis = 50;
const SILENCE_MS: Millis = 200;
const NEAR_MS: Millis = 10;
const NONE = -1;
/** Tries of a segment whose copies took another path: so many that nothing is concluded from them. */
const ELSEWHERE = 3;
/** Where loss comes in runs and little is sent: so many that left within so long are resent with one that is overdue. */
const ALONG_MAX = 4;
const ALONG_MS: Millis = 150;

export class Flight {
  readonly controller: RateController;
  readonly stats = new FlightStats();
  /** Bytes flying. */
  inFlight: Bytes = 0;
  readonly groups = new FlightGroups();
  /** Bytes that a byte sent stands for: parity and what is not acknowledged travel along. */
  weight = 1;
  /** When there was nothing to send last. */
  exhaustedAt: Millis = 0;
  /** Set by `turn`. */
  now: Millis = 0;
  /** IP, UDP, cipher, FEC and KCP headers of a segment. */
  readonly #overhead: Bytes;
  #table: FlightTable;
  #nextSerial = 1;
  /** Of the connection, for samples. */
  #totalDelivered: Bytes = 0;
  #totalDeliveredAt: Millis = 0;
  #sampleSentAt: Millis = 0;
  readonly #limits = new SampleLimits();
  /** The newest transmission that is known to have arrived. */
  #rackSerial = 0;
  #rackSentAt: Millis = 0;
  #rackGroup = 0;
  /** Newest arrival of the round under way, NONE before the first. */
  #newest = NONE;
  /** Transmissions up to this one had been overtaken before the packet being read. */
  #overtakenBefore = 0;
  #dirty = false;
  readonly #echoes = new Echoes();
  #launchedAt: Millis = 0;
  /** How long acknowledgements may take. */
  patience = new Patience();
  /** Since when something is out and nothing has come back. */
  #silentSince: Millis = 0;
  #fireNotBefore: Millis = 0;
  readonly #round = emptyRound();
  /** The last sample of the delivery rate, 0 before there is one. */
  #rate = 0;

  /** `overhead`: see there. `places`: of the tables at first, a power of two. */
  constructor(controller: RateController, overhead: Bytes, places: number = 2 * PLACES_AT_FIRST) {
    this.controller = controller;
    this.#overhead = overhead;
    this.#table = new FlightTable(places);
  }

  get bytesHeld(): Bytes {
    return this.#table.bytesHeld;
  }

  /** The window has so many places now, a power of two; what it has in flight comes before `nxt`. As many again are for what acknowledgements that come late tell of. */
  resize(places: number, nxt: Seq32): void {
    if (this.#newest !== NONE) this.#newest = this.#table.sn[this.#newest]! & (2 * places - 1);
    this.#table = this.#table.moved(2 * places, nxt);
  }

  /** Nothing is in flight: gives back what was kept of that. */
  rest(): void {
    this.#echoes.rest();
    this.groups.rest();
  }

  /** Segment to be resent next, −1 when none is lost. */
  get lost(): number {
    return this.#table.lost.first === NONE ? NONE : this.#table.sn[this.#table.lost.first]!;
  }

  /** The window has room. */
  get open(): boolean {
    return this.inFlight < this.controller.window;
  }

  /** So little is under way that delay is worth more than bytes. */
  get sparse(): boolean {
    return this.inFlight <= SPARSE_BYTES;
  }

  /** Mean run of loss over this path. */
  get #run(): number {
    return this.#echoes.run(this.stats.gone, this.stats.runs);
  }

  /** The segment leaves, for the first time or again. `length`: of its data. */
  launch(sn: Seq32, length: Bytes, again: boolean): void {
    const table = this.#table;
    const f = sn & table.mask;
    const { now } = this;
    const bytes = length + this.#overhead;
    this.controller.sent(now, this.inFlight);
    if (this.inFlight === 0) {
      this.#totalDeliveredAt = now;
      this.#sampleSentAt = now;
      if (table.lost.first === NONE) this.#silentSince = now;
    }
    if (again) {
      this.#unlink(f);
      this.#echoes.follow(now, sn, table.tries[f]! + 2, this.stats, now - this.exhaustedAt, this.inFlight);
    } else {
      table.sn[f] = sn;
      table.tries[f] = 0;
      this.stats.firstBytes += bytes;
    }
    this.stats.transmissions++;
    table.tries[f] = Math.min(table.tries[f]! + 1, 255);
    table.sentAt[f] = now;
    this.#launchedAt = now;
    table.delivered[f] = this.#totalDelivered;
    table.deliveredAt[f] = this.#totalDeliveredAt;
    table.firstSentAt[f] = this.#sampleSentAt;
    table.serial[f] = this.#nextSerial++;
    table.group[f] = this.groups.open;
    table.marks[f] = (this.groups.rows > 0 ? COVERED : 0) | (again ? table.marks[f]! & KEPT : 0);
    table.bytes[f] = bytes;
    table.weight[f] = this.weight;
    table.limited[f] = this.#limits.at(this.#totalDelivered);
    table.state[f] = FLYING;
    this.inFlight += bytes;
    table.flying.append(f);
  }

  /** Number of the next transmission. */
  get serial(): number {
    return this.#nextSerial;
  }

  /** Those from this number on went over another way as well, and tell nothing of this one. */
  copied(serial: number): void {
    this.#table.mark(serial, COPIED);
  }

  /** Segment of which another copy is to leave now, −1 for none. */
  get echo(): number {
    return this.#echoes.next(this.now, this.#table);
  }

  /** The echo leaves: `launch` follows. */
  dropEcho(): void {
    this.#echoes.sent();
  }

  /** There was nothing to send although the window was open: what is in flight tells no rate. */
  exhausted(): void {
    this.exhaustedAt = this.now;
    if (this.open) this.#limits.exhausted(this.#totalDelivered + this.inFlight * this.weight);
  }

  /** Whoever sends was woken late: what is in flight tells no rate. */
  late(): void {
    this.#limits.late(this.#totalDelivered + this.inFlight * this.weight);
  }

  /** A packet is about to be read. */
  packet(now: Millis): void {
    this.now = now;
    this.#overtakenBefore = this.#rackSerial;
  }

  /** The peer has the segment, it was not known before. */
  settle(sn: Seq32): void {
    const table = this.#table;
    const f = sn & table.mask;
    if (table.state[f] === SETTLED || table.sn[f] !== sn) return;
    this.#unlink(f);
    table.state[f] = SETTLED;
    this.#dirty = true;
    this.#totalDelivered += table.bytes[f]! * table.weight[f]!;
    this.#totalDeliveredAt = this.now;
    if (table.tries[f] === 1) {
      if (table.serial[f]! < this.#overtakenBefore) this.stats.loseLate(table.serial[f]!);
      this.#arrived(f);
    } else if (table.tries[f] === 2 && (table.marks[f]! & COPIED) === 0 && this.now - table.sentAt[f]! < this.patience.least)
      this.#needless(f);
  }

  /** The peer names the segment and echoes the time stamp of the copy that arrived. */
  heard(sn: Seq32, ts: number): void {
    const table = this.#table;
    const f = sn & table.mask;
    if (table.sn[f] !== sn) return;
    // A first timeout that is too short would have all sent again before it is acknowledged, for ever.
    if (this.patience.srtt === 0 && table.tries[f]! < ELSEWHERE) this.#sample(Math.max(0, seqDiff(clock(this.now), ts)));
    if (table.tries[f] === 0) return;
    if (clock(table.sentAt[f]!) === ts) {
      // What was overtaken was rebuilt from parity, and waited for that.
      if (table.serial[f]! >= this.#overtakenBefore && (table.marks[f]! & COPIED) === 0) this.#sample(this.now - table.sentAt[f]!, f);
      if (table.tries[f]! > 1) this.patience.needed();
      this.#arrived(f);
    } else if (table.tries[f] === 2) this.#needless(f);
  }

  /** Brings everything up to date: before packets are written. */
  turn(now: Millis): void {
    this.now = now;
    if (this.#dirty) this.#finishRound(now);
    if (now >= this.#overdueAt) this.#overdue(now);
  }

  /** When the oldest transmission is overdue. */
  deadline(): Millis {
    return Math.min(this.#echoes.deadline(this.now), this.#overdueAt);
  }

  get #overdueAt(): Millis {
    return this.#table.flying.first === NONE ? NEVER : Math.max(this.#due(this.#table.flying.first), this.#fireNotBefore);
  }

  /** When the transmission is overdue: parity has its time to replace it, but where so little is sent that resending costs next to nothing. */
  #due(f: number): Millis {
    const table = this.#table;
    const sentAt = table.sentAt[f]!;
    const waits = (table.marks[f]! & COVERED) !== 0 && !this.sparse;
    return (waits ? this.groups.endedAt(table.group[f]!, this.#launchedAt, sentAt) : sentAt) + this.patience.timeout;
  }

  /** What follows takes another path, `carried`: one that resends by itself. What is out is sent again there, and no time that was measured holds. */
  moved(carried: boolean): void {
    const table = this.#table;
    for (let f = table.flying.first; f !== NONE; f = table.flying.first) {
      this.#unlink(f);
      table.state[f] = LOST;
      table.lost.add(f);
      // What is heard of it before it is sent again tells of the path that was left.
      table.tries[f] = ELSEWHERE;
      table.sentAt[f] = NONE;
    }
    this.#newest = NONE;
    this.patience = new Patience(carried);
    this.#echoes.moved(this.stats.transmissions, this.stats.gone, this.stats.runs);
  }

  #arrived(f: number): void {
    const table = this.#table;
    if ((table.marks[f]! & COPIED) !== 0) return;
    if (this.#newest === NONE || table.serial[f]! > table.serial[this.#newest]!) this.#newest = f;
    if (table.serial[f]! <= this.#rackSerial) return;
    this.#rackSerial = table.serial[f]!;
    this.#rackSentAt = table.sentAt[f]!;
    this.#rackGroup = table.group[f]!;
  }

  /** `f`: of what was answered, where that is known. */
  #sample(rtt: Millis, f = NONE): void {
    this.#round.rtt = this.#round.rtt < 0 ? rtt : Math.min(this.#round.rtt, rtt);
    this.patience.sample(rtt);
    if (f !== NONE && SampleLimits.paused(this.#table.limited[f]!))
      this.patience.compare(this.#table.sentAt[f]!, rtt, this.#table.bytes[f]! / this.#rate);
  }

  /** It was sent again although the first copy had arrived, or was to arrive. */
  #needless(f: number): void {
    const marks = this.#table.marks[f]!;
    this.#table.tries[f] = 0;
    this.stats.needless++;
    this.stats.keep((marks & RUN) !== 0, (marks & REPLACED) !== 0);
    // Where loss comes in runs, what parity is in time for is no reason to wait longer for all; what went along was not waited for.
    if ((marks & (this.#run >= RUN_LONG ? ALONG | REPLACED : ALONG)) === 0) this.patience.needless();
  }

  #finishRound(now: Millis): void {
    const table = this.#table;
    const round = this.#round;
    this.#dirty = false;
    round.silence = now - this.#silentSince;
    this.#silentSince = now;
    this.#fireNotBefore = 0;
    round.noise = this.patience.noise(now);
    round.newly = this.#totalDelivered - round.delivered;
    round.delivered = this.#totalDelivered;
    round.rate = 0;
    const f = this.#newest;
    if (f !== NONE) {
      round.prior = table.delivered[f]!;
      this.#limits.tell(table.limited[f]!, round);
      this.#sampleSentAt = table.sentAt[f]!;
      round.took = Math.max(table.sentAt[f]! - table.firstSentAt[f]!, now - table.deliveredAt[f]!);
      if (round.took > 0) this.#rate = round.rate = (this.#totalDelivered - round.prior) / round.took;
    }
    this.#newest = NONE;
    const { lostBytes, runs } = this.stats;
    this.#detect();
    round.lost = this.stats.lostBytes - lostBytes;
    round.lostRuns = this.stats.runs - runs;
    round.inFlight = this.inFlight;
    this.controller.acknowledged(now, round);
    round.rtt = -1;
  }

  #detect(): void {
    const table = this.#table;
    for (let f = table.flying.first; f !== NONE && table.serial[f]! < this.#rackSerial; f = table.flying.first) {
      if (this.#rackSentAt - table.sentAt[f]! < this.patience.reordering) break;
      if (
        (table.marks[f]! & COVERED) !== 0 &&
        table.group[f]! >= this.#rackGroup &&
        this.groups.repairable(table, f, this.#rackSentAt - this.patience.reordering)
      )
        break;
      this.#give(f);
      this.stats.lostByOrder++;
    }
    this.patience.detected();
  }

  #overdue(now: Millis): void {
    const table = this.#table;
    const silence = now - this.#silentSince;
    const silent = silence > this.patience.timeout + SILENCE_MS;
    const handover = this.patience.handover(silence);
    let most = silent ? PROBES : OVERDUE_MAX;
    for (let n = 0; n < most && table.flying.first !== NONE && this.#due(table.flying.first) <= now; n++) {
      const { first } = table.flying;
      // Nothing sent at about the same time, NEAR_MS, has arrived either: more likely the peer was late.
      if (table.sentAt[first]! > this.#rackSentAt + NEAR_MS) most = handover && table.tries[first] === 1 ? OVERDUE_MAX : PROBES;
      if (n >= most) break;
      this.#give(first);
      this.stats.lostByTime++;
      if (this.sparse) n += this.#giveAlong(table.sentAt[first]!, most - n - 1);
    }
    this.#fireNotBefore = most === PROBES && (silent || !this.sparse) ? now + PROBE_GAP_MS : 0;
  }

  /** What left behind a segment that is overdue since `sentAt` was lost with it, as likely as not: it shares the packet. Answers how many. */
  #giveAlong(sentAt: Millis, limit: number): number {
    const table = this.#table;
    const most = this.#run < RUN_LONG ? 0 : Math.min(limit, ALONG_MAX, Math.round(this.#run) - 1);
    for (let n = 0; n < most; n++) {
      const f = table.flying.first;
      if (f === NONE || table.tries[f] !== 1 || table.sentAt[f]! > sentAt + ALONG_MS || table.serial[f]! <= this.#rackSerial) return n;
      this.#give(f);
      this.stats.lostByTime++;
      table.marks[f]! |= ALONG;
    }
    return Math.max(0, most);
  }

  /** Given up as lost: it waits to be resent, the lowest number first, as all behind it wait for that. */
  #give(f: number): void {
    const table = this.#table;
    this.stats.lostBytes += table.bytes[f]!;
    if (this.stats.lose(table.serial[f]!)) table.marks[f]! |= RUN;
    this.#unlink(f);
    table.state[f] = LOST;
    table.lost.add(f);
    if ((table.marks[f]! & COVERED) !== 0 && table.tries[f] === 1 && this.groups.rowsOf(table.group[f]!) > 0) table.marks[f]! |= REPLACED;
  }

  /** Leaves the list it is in. */
  #unlink(f: number): void {
    const table = this.#table;
    const state = table.state[f];
    if (state === LOST) table.lost.remove(f);
    if (state !== FLYING) return;
    table.flying.remove(f);
    this.inFlight -= table.bytes[f]!;
  }
}
