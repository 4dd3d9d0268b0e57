/** Computes the missing data shards of a group from those that arrived (reed-solomon.ts). */

import { type Groups, ZEROS } from "./groups.ts";
import { SHARDS_MAX } from "./packet.ts";
import { Products } from "./products.ts";
import { Interpolation } from "./reed-solomon.ts";
import type { ShardStore } from "./shard-store.ts";

/** What a run works with; nothing in it outlives the run, so all decoders of a thread share it. */
const code = new Interpolation();
const points = new Uint8Array(SHARDS_MAX);
const weights = new Uint8Array(SHARDS_MAX);

/** Slots of the repaired shards of the last `run`, and where in their group they belong; the caller gives the slots back before the next run of any decoder. */
export const repairedSlots = new Int32Array(SHARDS_MAX);
export const repairedPositions = new Int32Array(SHARDS_MAX);

export class Repair {
  readonly #store: ShardStore;
  readonly #groups: Groups;
  readonly #products = new Products();
  /** The store was full before all missing shards were repaired. */
  incomplete = false;

  constructor(store: ShardStore, groups: Groups) {
    this.#store = store;
    this.#groups = groups;
  }

  /** Repairs the group, which must be repairable; answers how many shards lie in `repairedSlots`. */
  run(entry: number, dataShards: number, groupShards: number): number {
    const groups = this.#groups;
    let known = 0;
    for (let position = 0; position < groupShards && known < dataShards; position++) {
      const slot = groups.slot(entry, position);
      if (slot >= 0 || slot === ZEROS) points[known++] = position;
    }
    code.load(points, known);
    const length = groups.longest(entry);
    let repaired = 0;
    this.incomplete = false;
    for (let position = 0; position < dataShards; position++) {
      if (groups.has(entry, position)) continue;
      const slot = this.#store.blank(length);
      if (slot < 0) {
        this.incomplete = true;
        break;
      }
      this.#sum(entry, known, position, slot);
      repairedPositions[repaired] = position;
      repairedSlots[repaired++] = slot;
    }
    return repaired;
  }

  #sum(entry: number, known: number, position: number, into: number): void {
    const store = this.#store;
    code.weights(position, weights);
    const target = store.page(into);
    const tOff = store.offset(into);
    for (let k = 0; k < known; k++) {
      const slot = this.#groups.slot(entry, points[k]!);
      if (slot === ZEROS) continue;
      // Shorter shards count as padded with zeros, which add nothing.
      this.#products.add(weights[k]!, store.page(slot), store.offset(slot), target, tOff, store.length(slot));
    }
  }
}
