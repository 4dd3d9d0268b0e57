/**
 * Finds the group sizes of a sender from what arrives, so that no receiver has to be told.
 *
 *   seqids in order:   … P | D D D D D | P P | D …      a run is complete when both its neighbours arrived and are of the other type:
 *                            ds = 5      ps = 2         its length is then certain, whatever was lost elsewhere
 *
 * Source: kcptun.md section 4.3.
 * Deviations: kcp-go takes the first complete run among its samples and gives up at the first gap before it; here the newest complete
 * run counts and gaps elsewhere do not matter, so that a lossy link is understood in a few groups and a change of sizes at once. In
 * exchange the runs must lie where such groups would, and every sample since must agree.
 */
import { seqDiff } from "../base/seq.ts";
import type { Seq32 } from "../base/units.ts";
import { SHARDS_MAX } from "./packet.ts";

const Spec = {
  /** Samples remembered: two more than the longest group, its neighbours. */
  samplesMax: 258,
} as const;

export class Autotune {
  /** What the last successful `find` found. */
  dataShards = 0;
  parityShards = 0;
  /** The latest samples in order of arrival. */
  readonly #seqids = new Uint32Array(Spec.samplesMax);
  readonly #data = new Uint8Array(Spec.samplesMax);
  #taken = 0;
  /** The same in order of seqid, without repetition. */
  readonly #sorted = new Uint32Array(Spec.samplesMax);
  readonly #sortedData = new Uint8Array(Spec.samplesMax);
  #count = 0;
  /** Index of the first sample of the run that `#newestRun` found. */
  #runAt = 0;

  /** Remembers that the shard of this number is a data shard (or parity). */
  sample(seqid: Seq32, isData: boolean): void {
    const at = this.#taken % Spec.samplesMax;
    this.#seqids[at] = seqid;
    this.#data[at] = isData ? 1 : 0;
    this.#taken++;
  }

  /** True when the samples tell the group sizes, which are then in `dataShards` and `parityShards`. Work: a sort of 258 nearly sorted numbers. */
  find(): boolean {
    this.#sort();
    const ds = this.#newestRun(1);
    const dataAt = this.#runAt;
    const ps = this.#newestRun(0);
    const parityAt = this.#runAt;
    const group = ds + ps;
    if (ds <= 0 || ps <= 0 || group > SHARDS_MAX) return false;
    if (this.#sorted[dataAt]! % group !== 0 || !this.#agrees(Math.min(dataAt, parityAt), ds, group)) return false;
    this.dataShards = ds;
    this.parityShards = ps;
    return true;
  }

  /** Length of the newest complete run of data (or parity) shards, −1 when there is none. */
  period(isData: boolean): number {
    this.#sort();
    return this.#newestRun(isData ? 1 : 0);
  }

  /**
   * Every sample from a group before sorted sample `first` up to the newest is of the type these sizes give it. The two runs alone could be
   * the last of the old sizes and the first of new ones, and still lie where groups of such a mixture would.
   */
  #agrees(first: number, ds: number, group: number): boolean {
    const oldest = this.#sorted[first]!;
    for (let i = this.#count - 1; i >= 0 && seqDiff(this.#sorted[i]!, oldest) >= -group; i--) {
      if (this.#sorted[i]! % group < ds !== (this.#sortedData[i] === 1)) return false;
    }
    return true;
  }

  #newestRun(type: 0 | 1): number {
    const types = this.#sortedData;
    let i = this.#count - 2;
    while (i > 0) {
      if (types[i] !== type || types[i + 1] === type || !this.#contiguous(i)) {
        i--;
        continue;
      }
      let first = i;
      while (first > 0 && types[first - 1] === type && this.#contiguous(first - 1)) first--;
      if (first > 0 && this.#contiguous(first - 1)) {
        this.#runAt = first;
        return i - first + 1;
      }
      i = first - 1;
    }
    return -1;
  }

  /** No seqid is missing between sorted samples i and i + 1. */
  #contiguous(i: number): boolean {
    return seqDiff(this.#sorted[i + 1]!, this.#sorted[i]!) === 1;
  }

  /** Insertion sort: what arrives is nearly in order. */
  #sort(): void {
    const sorted = this.#sorted;
    const types = this.#sortedData;
    const oldest = Math.max(0, this.#taken - Spec.samplesMax);
    let count = 0;
    for (let n = oldest; n < this.#taken; n++) {
      const seqid = this.#seqids[n % Spec.samplesMax]!;
      let at = count;
      while (at > 0 && seqDiff(sorted[at - 1]!, seqid) > 0) at--;
      if (at > 0 && sorted[at - 1] === seqid) continue;
      for (let i = count; i > at; i--) {
        sorted[i] = sorted[i - 1]!;
        types[i] = types[i - 1]!;
      }
      sorted[at] = seqid;
      types[at] = this.#data[n % Spec.samplesMax]!;
      count++;
    }
    this.#count = count;
  }
}
