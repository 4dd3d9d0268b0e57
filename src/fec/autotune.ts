/**
 * Finds the group sizes of a sender from what arrives, so that no receiver has to be told.
 *
 *   seqids in order:   … P | D D D D D | P P | D …
 *                          ↑           ↑     ↑
 *                       k·group    k·group + ds    (k+1)·group        group = ds + ps
 *
 *   Groups start at multiples of their size, so the size divides the seqid of every data shard next to a parity shard. The greatest common
 *   divisor of a few of them is the size, unless by chance a multiple of it, which the samples then contradict.
 *
 * Source: kcptun.md section 4.3.
 * Deviations: kcp-go looks for a run of data and one of parity shards that arrived whole, oldest first, and gives up at the first gap.
 * Here two pairs of neighbours are enough, newest first, so that a link that loses a third of its packets is understood in a few groups.
 */
import { seqDiff } from "../base/seq.ts";
import type { Seq32 } from "../base/units.ts";
import { SHARDS_MAX } from "./packet.ts";

const Spec = {
  /** Samples remembered: two more than the longest group, its neighbours. */
  samplesMax: 258,
} as const;

const Tuning = {
  /** Group starts that must have been seen. One would do for the first group of a session, and mislead when all its parity is lost. */
  startsMin: 2,
  /** Room for samples, doubled as they come. */
  samplesAtFirst: 16,
} as const;

/** The samples in order of seqid, without repetition, while `find` runs: all decoders of a thread share the room. */
const sortedSeqids = new Uint32Array(Spec.samplesMax);
const sortedData = new Uint8Array(Spec.samplesMax);

export class Autotune {
  /** What the last successful `find` found. */
  dataShards = 0;
  parityShards = 0;
  /** The latest samples in order of arrival. */
  #seqids = new Uint32Array(Tuning.samplesAtFirst);
  #data = new Uint8Array(Tuning.samplesAtFirst);
  #taken = 0;
  #count = 0;

  /** Remembers that the shard of this number is a data shard (or parity). */
  sample(seqid: Seq32, isData: boolean): void {
    if (this.#taken === this.#data.length && this.#taken < Spec.samplesMax) this.#grow();
    const at = this.#taken % this.#data.length;
    this.#seqids[at] = seqid;
    this.#data[at] = isData ? 1 : 0;
    this.#taken++;
  }

  /** True when the samples tell the group sizes, which are then in the two fields. Work: a sort of 258 nearly sorted numbers. */
  find(): boolean {
    this.#sort();
    const parityAt = this.#newestParityStart();
    let group = 0;
    let starts = 0;
    for (let i = this.#count - 1; i > 0 && parityAt >= 0; i--) {
      if (!this.#startsGroup(i)) continue;
      starts++;
      group = greatestCommonDivisor(sortedSeqids[i]!, group);
      const ds = parityAt % group;
      if (starts < Tuning.startsMin || ds === 0 || group > SHARDS_MAX || !this.#agrees(i, ds, group)) continue;
      this.dataShards = ds;
      this.parityShards = group - ds;
      return true;
    }
    return false;
  }

  /** Forgets the samples: of a sender whose group sizes are known. */
  rest(): void {
    this.#taken = 0;
    if (this.#data.length === Tuning.samplesAtFirst) return;
    this.#seqids = new Uint32Array(Tuning.samplesAtFirst);
    this.#data = new Uint8Array(Tuning.samplesAtFirst);
  }

  /** None has been overwritten yet: each stays where it is. */
  #grow(): void {
    const [seqids, data] = [this.#seqids, this.#data];
    const length = Math.min(2 * data.length, Spec.samplesMax);
    this.#seqids = new Uint32Array(length);
    this.#seqids.set(seqids);
    this.#data = new Uint8Array(length);
    this.#data.set(data);
  }

  /** Sorted sample i is a data shard and the seqid before it is known to be parity. */
  #startsGroup(i: number): boolean {
    return sortedData[i] === 1 && sortedData[i - 1] === 0 && this.#contiguous(i - 1);
  }

  /** The newest seqid known to be the first parity of a group, −1 when there is none. */
  #newestParityStart(): number {
    for (let i = this.#count - 1; i > 0; i--) {
      if (sortedData[i] === 0 && sortedData[i - 1] === 1 && this.#contiguous(i - 1)) return sortedSeqids[i]!;
    }
    return -1;
  }

  /**
   * Every sample from a group before sorted sample `first` up to the newest is of the type these sizes give it: what the edges say might
   * also come of the last groups of old sizes and the first of new ones.
   */
  #agrees(first: number, ds: number, group: number): boolean {
    const oldest = sortedSeqids[first]!;
    for (let i = this.#count - 1; i >= 0 && seqDiff(sortedSeqids[i]!, oldest) >= -group; i--) {
      if (sortedSeqids[i]! % group < ds !== (sortedData[i] === 1)) return false;
    }
    return true;
  }

  /** No seqid is missing between sorted samples i and i + 1. */
  #contiguous(i: number): boolean {
    return seqDiff(sortedSeqids[i + 1]!, sortedSeqids[i]!) === 1;
  }

  /** Insertion sort: what arrives is nearly in order. */
  #sort(): void {
    const sorted = sortedSeqids;
    const types = sortedData;
    const oldest = Math.max(0, this.#taken - Spec.samplesMax);
    let count = 0;
    for (let n = oldest; n < this.#taken; n++) {
      const seqid = this.#seqids[n % this.#data.length]!;
      let at = count;
      while (at > 0 && seqDiff(sorted[at - 1]!, seqid) > 0) at--;
      if (at > 0 && sorted[at - 1] === seqid) continue;
      for (let i = count; i > at; i--) {
        sorted[i] = sorted[i - 1]!;
        types[i] = types[i - 1]!;
      }
      sorted[at] = seqid;
      types[at] = this.#data[n % this.#data.length]!;
      count++;
    }
    this.#count = count;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
