/** What the flows of each forward have carried, those that are there and those that died but are not added up yet. */
import type { ForwardStats } from "../datapath.ts";
import type { FlowTable } from "./flow-table.ts";

/** Packets, octets, those of answers, flows. */
const FIELDS = 5;

export class FlowTotals {
  readonly #sums: Float64Array;

  constructor(forwards: number) {
    this.#sums = new Float64Array(forwards * FIELDS);
  }

  /** All anew. */
  count(tables: readonly FlowTable[]): void {
    const sums = this.#sums.fill(0);
    for (const table of tables)
      table.each((entry, isDead) => {
        const at = entry.forward * FIELDS;
        const side = entry.isReply ? at + 2 : at;
        sums[side]! += entry.packets;
        sums[side + 1]! += entry.octets;
        if (!isDead && !entry.isReply) sums[at + 4]! += 1;
      });
  }

  addTo(stats: ForwardStats, forward: number): void {
    const at = forward * FIELDS;
    stats.packetsIn += this.#sums[at]!;
    stats.bytesIn += this.#sums[at + 1]!;
    stats.packetsOut += this.#sums[at + 2]!;
    stats.bytesOut += this.#sums[at + 3]!;
    stats.flows += this.#sums[at + 4]!;
  }
}
