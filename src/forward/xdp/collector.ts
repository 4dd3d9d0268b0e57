/**
 * Ends flows that are idle, or whose forward is gone, and adds up what they carried, by walking over the tables a bounded piece at a time.
 *
 * Its clock is what the program writes into flows with every packet: it stands still while there is no collector, so that a flow does not look idle because
 * nobody told the time. A flow without an answer has less patience, so that a flood of made-up sources is gone soon.
 */
import type { FlowEntry } from "./flow-entry.ts";
import type { FlowTable } from "./flow-table.ts";
import { HOP } from "./layout.ts";
import type { Tables } from "./tables.ts";

export interface CollectorCounters {
  /** Flows ended for being idle. */
  idle: number;
  /** Flows ended since their forward was removed, or on request. */
  ended: number;
  /** Ways back without a way there, or the other way round: what a process left that was killed. */
  halves: number;
  /** Walks over all flows. */
  passes: number;
}

/** Whether a flow is to be ended at once; `entry` is its way there. */
export type Condemned = (entry: FlowEntry) => boolean;

export class Collector {
  readonly counters: CollectorCounters = { idle: 0, ended: 0, halves: 0, passes: 0 };
  readonly #tables: Tables;
  readonly #flows: readonly FlowTable[];
  /** Flows seen before this are taken as seen then. */
  readonly #since: number;
  #now: number;
  #thorough: boolean;
  #at = 0;
  #place = 0;
  #occupied = 0;
  #leaving: ReadonlySet<number> = new Set();
  #seen = new Set<number>();

  /** `thorough`: the first walk looks at both ways of every flow, since a process that was killed may have left halves. */
  constructor(tables: Tables, flows: readonly FlowTable[], now: number, thorough: boolean) {
    this.#tables = tables;
    this.#thorough = thorough;
    this.#flows = flows;
    this.#since = now;
    this.#now = now;
    this.#begin();
  }

  /** Looks at `places` places more; true when a walk over everything has ended. `now`: what the program writes into flows. */
  collect(now: number, places: number): boolean {
    this.#now = now;
    for (let left = places; left > 0; ) {
      const table = this.#flows[this.#at]!;
      if (this.#place > 0 || table.beginWalk()) left -= this.#tend(table, left);
      if (this.#place > 0) continue;
      table.endWalk(this.#occupied > 0);
      this.#occupied = 0;
      if (++this.#at < this.#flows.length) continue;
      this.#finish();
      return true;
    }
    return false;
  }

  /** Ends all flows that `condemned` says, now; how many. */
  sweep(condemned: Condemned): number {
    let count = 0;
    for (const table of this.#flows)
      table.each((entry, isDead) => {
        if (isDead || entry.isReply || !condemned(entry)) return;
        table.end(entry);
        count++;
      });
    this.counters.ended += count;
    return count;
  }

  /** Seconds until the flow ends if nothing more comes. */
  expires(entry: FlowEntry, other: FlowEntry | undefined): number {
    return Math.max(0, this.#patience(entry, other) - this.#age(entry, other));
  }

  #tend(table: FlowTable, places: number): number {
    const count = Math.min(places, table.places - this.#place);
    const judge = (entry: FlowEntry): void => this.#judge(table, entry);
    const bury = (entry: FlowEntry): void => this.#tables.addEnded(entry);
    this.#occupied += table.tend(this.#place, count, this.counters.passes & 1, judge, bury);
    this.#place = (this.#place + count) % table.places;
    return count;
  }

  #judge(table: FlowTable, entry: FlowEntry): void {
    const { forward } = entry;
    const leaving = this.#leaving.size > 0 && this.#leaving.has(forward);
    if (leaving) this.#seen.add(forward);
    // Most entries end here, without a look at the other way.
    else if (!this.#thorough && this.#age(entry, undefined) < Math.min(UNANSWERED_SECONDS, this.#tables.idleOf(forward))) return;
    const other = table.other(entry);
    if (entry.isReply) {
      // Its way there is what is looked at; without one it is no flow.
      if (other !== undefined || this.#age(entry, undefined) < HALF_SECONDS) return;
      this.counters.halves++;
    } else if (other === undefined) this.counters.halves++;
    else if (leaving) this.counters.ended++;
    else if (this.#age(entry, other) >= this.#patience(entry, other)) this.counters.idle++;
    else return;
    table.end(entry);
  }

  #age(entry: FlowEntry, other: FlowEntry | undefined): number {
    const age = this.#sinceSeen(entry.seen);
    return Math.min(this.#now - this.#since, other === undefined ? age : Math.min(age, this.#sinceSeen(other.seen)));
  }

  /** Of the clock only some bits are there; what seems to lie ahead was written by a packet just now. */
  #sinceSeen(seen: number): number {
    const age = (this.#now - seen) & SEEN_MASK;
    return age > SEEN_MASK >>> 1 ? 0 : age;
  }

  #patience(entry: FlowEntry, other: FlowEntry | undefined): number {
    const idle = this.#tables.idleOf(entry.forward);
    return (other?.packets ?? 0) === 0 ? Math.min(idle, UNANSWERED_SECONDS) : idle;
  }

  #begin(): void {
    this.#at = 0;
    this.#leaving = new Set(this.#tables.leaving);
    this.#seen = new Set();
  }

  #finish(): void {
    this.counters.passes++;
    this.#thorough = false;
    for (const id of this.#leaving) if (!this.#seen.has(id) && this.#tables.leaving.has(id)) this.#tables.forget(id);
    this.#begin();
  }
}

const SEEN_MASK = 2 ** HOP.seenBits - 1;
/** Linux's conntrack gives a UDP flow without an answer as long. */
const UNANSWERED_SECONDS = 30;
/** The program inserts the way back first; both are there after this at the latest. */
const HALF_SECONDS = 5;
