/**
 * Ends flows that are idle, or whose forward is gone, by walking over the tables a bounded piece at a time.
 *
 * Its clock is what the program writes into flows with every packet: it stands still while there is no collector, so that a flow does not look idle because
 * nobody told the time. A flow without an answer has less patience, so that a flood of made-up sources is gone soon.
 */
import type { Forward } from "../forward.ts";
import { formatBackend } from "../listen.ts";
import type { FlowEntry, FlowTable } from "./flow-table.ts";
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
  #leaving: ReadonlySet<number> = new Set();
  #backends: ReadonlyMap<number, Forward> = new Map();
  readonly #backendNames = new Map<Forward, ReadonlySet<string>>();
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

  /** Looks at `batches` batches more; true when a walk over everything has ended. `now`: what the program writes into flows. */
  collect(now: number, batches: number): boolean {
    this.#now = now;
    for (let i = 0; i < batches; i++) {
      const table = this.#flows[this.#at]!;
      table.next((entry) => this.#judge(table, entry));
      table.flush();
      if (!table.done) continue;
      if (++this.#at < this.#flows.length) continue;
      this.#finish();
      return true;
    }
    return false;
  }

  /** Ends all flows that `condemned` says, now; how many. */
  sweep(flows: readonly FlowTable[], condemned: Condemned): number {
    let count = 0;
    for (const table of flows) {
      table.restart();
      while (!table.done)
        table.next((entry) => {
          if (entry.isReply || !condemned(entry)) return;
          this.#end(table, entry);
          count++;
        });
      table.flush();
    }
    this.counters.ended += count;
    return count;
  }

  /** Seconds until the flow ends if nothing more comes. */
  expires(entry: FlowEntry, other: FlowEntry | undefined): number {
    return Math.max(0, this.#patience(entry, other) - this.#age(entry, other));
  }

  #judge(table: FlowTable, entry: FlowEntry): void {
    const { forward } = entry;
    const leaving = this.#leaving.has(forward) || (this.#backends.size > 0 && this.#isStray(entry));
    if (leaving) this.#seen.add(forward);
    // Most entries end here, without a system call.
    if (
      !leaving &&
      !this.#thorough &&
      this.#now - Math.max(entry.seen, this.#since) < Math.min(UNANSWERED_SECONDS, this.#tables.idleOf(forward))
    ) {
      if (entry.isReply || entry.packets > 0) return;
    }
    const other = table.other(entry);
    if (entry.isReply) {
      // Its way there is what is looked at; without one it is no flow.
      if (other !== undefined || this.#age(entry, undefined) < HALF_SECONDS) return;
      this.counters.halves++;
      table.end(entry);
      return;
    }
    if (other === undefined) {
      this.counters.halves++;
      this.#end(table, entry);
    } else if (leaving) {
      this.counters.ended++;
      this.#end(table, entry);
    } else if (this.#age(entry, other) >= this.#patience(entry, other)) {
      this.counters.idle++;
      this.#end(table, entry);
    }
  }

  /** To a backend that its forward has no more. */
  #isStray(entry: FlowEntry): boolean {
    const forward = this.#backends.get(entry.forward);
    if (forward === undefined || entry.isReply) return false;
    let names = this.#backendNames.get(forward);
    if (names === undefined) {
      names = new Set(forward.backends.map(formatBackend));
      this.#backendNames.set(forward, names);
    }
    const backend = entry.end("value", "destination");
    return !names.has(backend) && !names.has(backend.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
  }

  #end(table: FlowTable, entry: FlowEntry): void {
    this.#tables.addEnded(entry.forward, 1);
    table.end(entry);
  }

  #age(entry: FlowEntry, other: FlowEntry | undefined): number {
    return this.#now - Math.max(entry.seen, other?.seen ?? 0, this.#since);
  }

  #patience(entry: FlowEntry, other: FlowEntry | undefined): number {
    const idle = this.#tables.idleOf(entry.forward);
    return (other?.packets ?? 0) === 0 ? Math.min(idle, UNANSWERED_SECONDS) : idle;
  }

  #begin(): void {
    this.#at = 0;
    for (const table of this.#flows) table.restart();
    this.#leaving = new Set(this.#tables.leaving);
    this.#backends = new Map(this.#tables.backends);
    this.#seen = new Set();
  }

  #finish(): void {
    this.counters.passes++;
    this.#thorough = false;
    for (const id of this.#leaving) if (!this.#seen.has(id) && this.#tables.leaving.has(id)) this.#tables.forget(id);
    this.#backendNames.clear();
    for (const [id, forward] of this.#backends) if (this.#tables.backends.get(id) === forward) this.#tables.backends.delete(id);
    this.#begin();
  }
}

/** Linux's conntrack gives a UDP flow without an answer as long. */
const UNANSWERED_SECONDS = 30;
/** The program inserts the way back first; both are there after this at the latest. */
const HALF_SECONDS = 5;
