/**
 * How a session that tunes itself uses FEC: how many parity shards a group gets, and when it ends.
 *
 *   to a peer of ours   groups end when a burst does, at most LONG_DATA data shards, with as many parity shards as their loss asks for
 *   to a kcptun         groups have the shape of datashard and parityshard; fewer parity shards than that are sent, and a burst's last group is
 *                       filled up with the smallest packets there are, so that its parity does not wait for the next burst
 *
 * A stream that fills the path gets none: there every byte of parity is one less of payload, and resending wins.
 */

import { seqAdd } from "../base/seq.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { FecEncoder } from "../fec/encoder.ts";
import { LONG_DATA } from "../fec/packet.ts";
import type { Flight } from "../kcp/flight.ts";
import type { Kcp } from "../kcp/kcp.ts";
import type { AutoController } from "../rate/auto.ts";
import { ParityPlan, RUN_LONG } from "../rate/parity-plan.ts";
import { SEGMENT_BYTES } from "../rate/segment-bytes.ts";
import { BurstEdge } from "./burst-edge.ts";

/** Tuning: a burst has ended when nothing followed for so long. */
const BURST_GAP_MS: Millis = 2;
/**
 * Where loss comes in long runs a group goes on over several bursts, for a share of the round trip that it saves, so that its parity outlasts a run; so do
 * bursts of a few shards where much is lost.
 */
const SPAN_SHARE = 1 / 3;
const SPAN_MS_MAX: Millis = 100;
/**
 * Where little is sent, and lost in long runs, a group goes on for a longer share of the round trip, if parity would otherwise leave so many groups unrepaired; it has none
 * if that would leave so much of what is lost.
 */
const SPAN_SPARSE = 0.6;
const SPAN_SPARSE_MS_MAX: Millis = 250;
const LEFT = 0.002;
const LEFT_OF_LOSSY = 0.35;
/** The path is filled when there was always something to send for so long. */
const FILLED_MS: Millis = 1000;
/** Groups with fewer data shards may cost more for each. */
const SPARSE_SHARDS = 8;
/** First groups to a kcptun that have all their parity, so that it finds their shape. */
const WHOLE_GROUPS = 2;
/** To a kcptun one parity shard less when nothing was lost for so long; and the most of them, as a share of the data shards. */
const CALM_MS: Millis = 6000;
const ROWS_SHARE = 0.2;
/** A group that another burst follows ends where it has so many data shards, and not more often than that, nor twice in a round trip: short groups cost more parity. */
const CUT_SHARDS = 32;
const CUT_MS: Millis = 200;
/** Least share of a group that is worth filling up. */
const FILL_SHARE = 0.4;

export class Protection {
  plan = new ParityPlan();
  readonly #encoder: FecEncoder;
  readonly #flight: Flight;
  readonly #controller: AutoController;
  #groups = 0;
  /** When the open group ends unless something follows. */
  #closeAt: Millis = NEVER;
  #lastAt: Millis = 0;
  #begunAt: Millis = 0;
  /** `drained` was called since something was sent. */
  #armed = false;
  #planned = 0;
  /** Parity shards of a group to a kcptun, and when loss was seen last. */
  #rowsToKcptun = 1;
  #lostAt: Millis = 0;
  /** Transmissions over other paths. */
  #before = 0;
  #seen = { transmissions: 0, lost: 0, runs: 0 };
  /** The way resends by itself. */
  #carried = false;
  readonly #edge = new BurstEdge();
  #cutAt: Millis = 0;

  constructor(encoder: FecEncoder, flight: Flight, controller: AutoController) {
    this.#encoder = encoder;
    this.#flight = flight;
    this.#controller = controller;
  }

  /** What follows takes another path, of whose losses nothing is known; `carried`: it has none. */
  moved(carried: boolean): void {
    const { transmissions, gone, runs } = this.#flight.stats;
    this.plan = new ParityPlan();
    this.#before = transmissions;
    this.#seen = { transmissions, lost: gone, runs };
    this.#carried = carried;
  }

  /** The peer is one of ours: what was begun in the shape of a kcptun's groups stays without parity. Not while parity of such a group is to be sent. */
  lengthen(): void {
    if (this.#encoder.long) return;
    this.#encoder.lengthen();
    this.#closeAt = NEVER;
  }

  /** A data packet is about to be written. */
  begin(now: Millis): void {
    const encoder = this.#encoder;
    // What is still open has long been acknowledged or sent again.
    if (encoder.long && encoder.open > 0 && now - this.#lastAt > this.#flight.patience.timeout) {
      encoder.close(0);
      this.ended(0);
    }
    this.#lastAt = now;
    this.#armed = false;
    this.#closeAt = NEVER;
    if (encoder.open > 0) return;
    this.#begunAt = now;
    this.#observe(now);
    this.#planned = this.#rows(now);
    encoder.rows = this.#planned;
    this.#flight.groups.rows = this.#planned;
  }

  /** What a packet carries that belongs into a group (see Kcp.wrote): where little is sent, and lost in long runs, what is resent has copies of its own, and would make all parity as long as itself. */
  get from(): number {
    return this.#encoder.long && this.#sparseRuns ? 2 : 1;
  }

  /** Little is sent, over a path that loses long runs. */
  get #sparseRuns(): boolean {
    return this.#flight.sparse && this.plan.run > RUN_LONG;
  }

  /** Nothing more is to be sent now: the burst may be over. */
  drained(): void {
    if (this.#armed || this.#planned === 0 || this.#encoder.open === 0) return;
    this.#armed = true;
    const { long, open } = this.#encoder;
    const { patience } = this.#flight;
    // Of sparse traffic with long runs `#rowsOfFew` says when a group ends.
    const spans = long && (this.plan.run > RUN_LONG ? !this.#flight.sparse : this.plan.heavy && open < SPARSE_SHARDS);
    const span = spans ? Math.min(patience.srtt * SPAN_SHARE, SPAN_MS_MAX) : 0;
    this.#closeAt = Math.max(this.#lastAt + BURST_GAP_MS, this.#begunAt + span);
  }

  deadline(): Millis {
    return this.#closeAt;
  }

  /** Ends the open group if its burst is over: answers parity shards ready. To a kcptun the group is first filled up (`fills`). */
  close(now: Millis): number {
    if (now < this.#closeAt || !this.#encoder.long) return 0;
    this.#closeAt = NEVER;
    const { open } = this.#encoder;
    if (this.#carried) return 0;
    const rows = this.#sparseRuns ? this.#rowsOfFew(now, open) : this.plan.parity(open, open < SPARSE_SHARDS);
    return rows === 0 ? 0 : this.#encoder.close(rows);
  }

  /** Once a round, before anything is written. The time is the flight's: handed on with each packet it would be a new number on the heap. */
  look({ stats, waitSnd }: Kcp): void {
    if (this.#planned > 0 && this.#encoder.long)
      this.#edge.look(this.#flight.now, seqAdd(stats.sndUna, waitSnd), seqAdd(stats.sndUna, stats.inFlight));
  }

  /** Ends the open group if what follows is another burst, but for one that is to outlast runs of loss: answers parity shards ready. */
  cut({ stats }: Kcp): number {
    if (this.#planned === 0) return 0;
    const { open, long } = this.#encoder;
    if (!long || !this.#edge.passed(seqAdd(stats.sndUna, stats.inFlight))) return 0;
    const { now } = this.#flight;
    const again = now - this.#cutAt < Math.max(CUT_MS, this.#flight.patience.srtt);
    if (open < CUT_SHARDS || again || this.#carried || this.plan.run > RUN_LONG) return 0;
    const rows = this.plan.parity(open, false);
    if (rows === 0) return 0;
    this.#cutAt = now;
    return this.#encoder.close(rows);
  }

  /** Parity shards for an open group of sparse traffic over a path that loses long runs, if it may end now, 0: it goes on, or has ended without. */
  #rowsOfFew(now: Millis, open: number): number {
    const { plan } = this;
    const { patience } = this.#flight;
    const rows = Math.min(this.#planned, plan.parity(open, true, true));
    const end = this.#begunAt + Math.min(patience.srtt * SPAN_SPARSE, SPAN_SPARSE_MS_MAX);
    if (plan.left > LEFT && now < end) {
      this.#closeAt = end;
      return 0;
    }
    if (rows > 0 && plan.leftOfLossy <= LEFT_OF_LOSSY) return rows;
    if (open >= SPARSE_SHARDS) {
      this.#encoder.close(0);
      this.ended(0);
    }
    return 0;
  }

  /** The open group wants another filler. */
  fills(now: Millis): boolean {
    const { open, long, dataShards } = this.#encoder;
    if (now < this.#closeAt || long) return false;
    if (open >= FILL_SHARE * dataShards) return true;
    this.#closeAt = NEVER;
    return false;
  }

  /** A group has ended; `rows` parity shards follow its data. */
  ended(rows: number): void {
    const flight = this.#flight;
    flight.groups.end(flight.now, rows);
    this.#groups++;
    this.#closeAt = NEVER;
    const ratio = rows / Math.max(1, this.#encoder.shards);
    flight.weight += (1 + ratio - flight.weight) / 8;
  }

  #rows(now: Millis): number {
    const { plan } = this;
    const encoder = this.#encoder;
    if (this.#carried) return 0;
    if (!encoder.long && this.#groups < WHOLE_GROUPS) return encoder.parityShards;
    if (now - this.#flight.exhaustedAt > FILLED_MS + this.#flight.patience.srtt) return 0;
    if (encoder.long) return plan.parity(LONG_DATA, false) || plan.parity(SPARSE_SHARDS - 1, true);
    if (now - this.#lostAt > CALM_MS) {
      this.#lostAt = now;
      this.#rowsToKcptun = Math.max(0, this.#rowsToKcptun - 1);
    }
    return this.#rowsToKcptun;
  }

  /** A kcptun's ACKs come in batches, and hide what parity has replaced: only what it could not is seen, and asks for one more shard a group. */
  #reactTo(now: Millis): void {
    if (now - this.#lostAt < this.#flight.patience.srtt) return;
    this.#lostAt = now;
    this.#rowsToKcptun = Math.min(this.#rowsToKcptun + 1, this.#encoder.parityShards, Math.ceil(this.#encoder.dataShards * ROWS_SHARE));
  }

  #observe(now: Millis): void {
    const { transmissions, gone, runs } = this.#flight.stats;
    const seen = this.#seen;
    if (!this.#encoder.long && gone > seen.lost && this.#controller.quiet(this.#flight.patience.srtt)) this.#reactTo(now);
    if (this.#controller.quiet(this.#flight.patience.srtt)) {
      const heardOf = transmissions - this.#before - Math.ceil(this.#flight.inFlight / SEGMENT_BYTES);
      this.plan.observe(transmissions - seen.transmissions, gone - seen.lost, runs - seen.runs, heardOf);
    }
    seen.transmissions = transmissions;
    seen.lost = gone;
    seen.runs = runs;
  }
}
