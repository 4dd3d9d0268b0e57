/**
 * Receiver of kcp-go's forward error correction. The packet is drawn in packet.ts.
 *
 *   receive ─┬─ data shard: the caller takes its KCP packet at once, without waiting for order
 *            ├─ autotune: which group sizes does the sender use?            autotune.ts
 *            └─ group of the shard: enough arrived and data missing?        groups.ts
 *                  └─ repair → recovered                                    repair.ts
 *
 * Source: kcptun.md section 4.3, the behaviour of 2026.
 * Deviations: needs no group sizes to start with; finds them quicker and follows a change at once (autotune.ts); a long row of shards that
 * are all too old starts afresh, where kcp-go would ignore such a sender for ever.
 */
import { assert } from "../base/assert.ts";
import { Ring } from "../base/ring.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { copyInside } from "../kernel/kernels.ts";
import { Autotune } from "./autotune.ts";
import { Groups } from "./groups.ts";
import {
  HEAD_BYTES,
  LONG_DATA,
  LONG_PARITY,
  pawsOf,
  readSeqid,
  readType,
  SHARD_OFFSET,
  SHARDS_MAX,
  SIZE_BYTES,
  TYPE_DATA,
  TYPE_OOB,
  TYPE_PARITY,
  TYPE_SHORT,
} from "./packet.ts";
import { Repair, repairedPositions, repairedSlots } from "./repair.ts";
import { ShardPool } from "./shard-pool.ts";
import { ShardStore } from "./shard-store.ts";

const Tuning = {
  /** Shards too old in a row that mean: the sender began again, not: the network reordered. */
  strayMax: 64,
} as const;

/** 0 not an FEC packet or damaged · 1 data, its KCP packet lies behind the header · 2 parity · 3 out of band, its bytes lie behind the header. */
export type FecKind = 0 | 1 | 2 | 3;

export interface FecDecoderOptions {
  /** Longest FEC packet kept for repair, its 8-byte header included. */
  readonly packetBytesMax: Bytes;
  /** Groups that may be open at once, the newest and those behind it. Default 8 (kcp-go: 4). */
  readonly groupsMax?: number;
  /** Shards kept at once. Default 1024; memory is taken as it is needed. */
  readonly shardsMax?: number;
  /** Where they are kept, in slots of at least packetBytesMax − 6; one for several decoders, each with a `release` at its end. Default one of its own. */
  readonly pool?: ShardPool;
  /** Group sizes to begin with, if they can be guessed; found otherwise. */
  readonly dataShards?: number;
  readonly parityShards?: number;
}

export interface FecDecoderStats {
  dataShards: number;
  parityShards: number;
  /** Data shards repaired and handed out (kcptun: FECRecovered). */
  recovered: number;
  /** Packets damaged, and repaired shards with an impossible size (kcptun: FECErrs). */
  errors: number;
  duplicates: number;
  /** Shards of groups already given up. */
  tooOld: number;
  /** Data shards lost for good, in groups of which something arrived. */
  lost: number;
  /** Data shards that arrived in those groups (kcptun of 2021: FECShortShards). */
  short: number;
  /** Groups whose data all arrived (kcptun: FECFullShards), that were completed by repair, and that were given up. */
  fullGroups: number;
  repairedGroups: number;
  lostGroups: number;
  /** Times other group sizes were taken up, the first included. */
  retuned: number;
  /** Shards with a seqid no sender of these group sizes uses. */
  outOfRange: number;
  /** Shards longer than packetBytesMax, not kept for repair. */
  oversize: number;
  /** Shards not kept, or not repaired, because shardsMax were out. */
  storeFull: number;
}

export class FecDecoder {
  readonly #packetBytesMax: Bytes;
  readonly #store: ShardStore;
  readonly #groups: Groups;
  readonly #repair: Repair;
  readonly #autotune = new Autotune();
  readonly #stats: FecDecoderStats = {
    dataShards: 0,
    parityShards: 0,
    recovered: 0,
    errors: 0,
    duplicates: 0,
    tooOld: 0,
    lost: 0,
    short: 0,
    fullGroups: 0,
    repairedGroups: 0,
    lostGroups: 0,
    retuned: 0,
    outOfRange: 0,
    oversize: 0,
    storeFull: 0,
  };
  #dataShards = 0;
  #parityShards = 0;
  #paws = 0;
  /** False until the group sizes are known, and again when a shard contradicts them. */
  #inTune = false;
  #previousWasParity = false;
  /** The sender's groups end early, as it says with each parity shard. */
  #long = false;
  #strays = 0;
  /** Of the data shard that came last: it had come before, or was rebuilt, as far as its group is remembered. */
  repeated = false;
  /** Number of the packet that `recovered` handed out last. */
  recoveredSeqid = 0;
  /** Of repaired shards that wait for `recovered`, newest last: the slot, then the number. */
  readonly #ready: Ring<number>;

  constructor(options: FecDecoderOptions) {
    const shardsMax = options.shardsMax ?? 1024;
    this.#packetBytesMax = options.packetBytesMax;
    this.#store = new ShardStore(options.pool ?? new ShardPool(options.packetBytesMax - SHARD_OFFSET), shardsMax);
    this.#groups = new Groups(this.#store, options.groupsMax ?? 8);
    this.#repair = new Repair(this.#store, this.#groups);
    this.#ready = new Ring(2 * shardsMax);
    if (options.dataShards && options.parityShards) this.#tune(options.dataShards, options.parityShards);
  }

  /** A body is either an FEC packet or a bare KCP packet, and no bare KCP packet looks like this. */
  static isFec(view: DataView, start: number, end: number): boolean {
    if (end - start < HEAD_BYTES) return false;
    const type = readType(view, start);
    return type === TYPE_DATA || type === TYPE_PARITY || type === TYPE_OOB || (type & 0xff) === TYPE_SHORT;
  }

  static isData(view: DataView, start: number, end: number): boolean {
    return end - start >= HEAD_BYTES && readType(view, start) === TYPE_DATA;
  }

  /** Group sizes of the sender as far as known, 0 before. */
  get dataShards(): number {
    return this.#dataShards;
  }

  get parityShards(): number {
    return this.#parityShards;
  }

  get stats(): Readonly<FecDecoderStats> {
    const { lost, short, fullGroups, lostGroups } = this.#groups;
    this.#stats.lost = lost;
    this.#stats.short = short;
    this.#stats.fullGroups = fullGroups;
    this.#stats.lostGroups = lostGroups;
    return this.#stats;
  }

  /** Groups that wait for more of their shards (kcptun: FECShardSet). */
  get openGroups(): number {
    return this.#groups.open;
  }

  /** Number of the newest group, −1 before the first (kcptun: FECShardMin). */
  get newestGroup(): number {
    return this.#groups.newest;
  }

  /** Bytes held for repair, for metrics. */
  get bytesHeld(): Bytes {
    return this.#store.bytesHeld;
  }

  /** Takes the FEC packet view[start…end), borrowed. Then call `recovered` until it answers 0. */
  receive(_now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): FecKind {
    if (!FecDecoder.isFec(view, start, end)) {
      this.#stats.errors++;
      return 0;
    }
    const type = readType(view, start);
    if (type === TYPE_OOB) return 3;
    const isData = type === TYPE_DATA;
    if (isData) this.#stats.dataShards++;
    else this.#stats.parityShards++;
    const seqid = readSeqid(view, start);
    const shards = isData || type === TYPE_PARITY ? LONG_DATA : type >> 8;
    if (type !== TYPE_DATA && type !== TYPE_PARITY) {
      if (shards === 0 || shards > LONG_DATA) {
        this.#stats.errors++;
        return 2;
      }
      // The sender says itself what it sends: nothing is left to be found out.
      this.#long = true;
      this.#tune(LONG_DATA, LONG_PARITY);
    } else if (!this.#long) this.#follow(seqid, isData);
    else if (!isData) {
      this.#long = false;
      this.#follow(seqid, isData);
    }
    this.repeated = false;
    if (this.#inTune) this.#take(bytes, view, start, end, seqid, shards);
    return isData ? 1 : 2;
  }

  /** Copies the next repaired KCP packet to into[offset…) and answers its length; 0 = none left. Needs packetBytesMax − 8 bytes of room. */
  recovered(into: Uint8Array, view: DataView, offset: number): number {
    const slot = this.#ready.shift();
    if (slot === undefined) return 0;
    this.recoveredSeqid = this.#ready.shift()!;
    const from = this.#store.view(slot);
    const length = from.getUint16(0, true) - SIZE_BYTES;
    const at = this.#store.offset(slot) + SIZE_BYTES;
    if (!copyInside(this.#store.page(slot), at, at + length, into, offset)) {
      for (let i = 0; i < length; i++) view.setUint8(offset + i, from.getUint8(SIZE_BYTES + i));
    }
    this.#store.give(slot);
    return length;
  }

  /** Nothing has come for long: groups that nothing can complete any more give their shards back. Harmless at any time. */
  rest(): void {
    this.#groups.rest();
    if (this.#inTune) this.#autotune.rest();
  }

  /** The session is over: what the decoder holds of a shared pool goes back. Nothing may be received any more. */
  release(): void {
    for (let slot = this.#ready.shift(); slot !== undefined; slot = this.#ready.shift()) {
      this.#store.give(slot);
      this.#ready.shift();
    }
    this.#groups.rest();
  }

  /** Learns from the shard's number and type which group sizes the sender uses. */
  #follow(seqid: number, isData: boolean): void {
    this.#autotune.sample(seqid, isData);
    if (this.#inTune && seqid < this.#paws) {
      const group = this.#dataShards + this.#parityShards;
      if (seqid % group < this.#dataShards !== isData) this.#inTune = false;
    }
    // A run is complete at the earliest when a group has just ended.
    if (!this.#inTune && isData && this.#previousWasParity && this.#autotune.find()) {
      this.#tune(this.#autotune.dataShards, this.#autotune.parityShards);
    }
    this.#previousWasParity = !isData;
  }

  #tune(dataShards: number, parityShards: number): void {
    assert(dataShards > 0 && parityShards > 0 && dataShards + parityShards <= SHARDS_MAX, "group sizes out of range");
    this.#inTune = true;
    if (dataShards === this.#dataShards && parityShards === this.#parityShards) return;
    this.#dataShards = dataShards;
    this.#parityShards = parityShards;
    this.#stats.retuned++;
    this.#restart();
  }

  #restart(): void {
    const group = this.#dataShards + this.#parityShards;
    this.#paws = pawsOf(group);
    this.#strays = 0;
    this.#groups.restart(this.#dataShards, group, this.#paws / group);
  }

  /** Enters the shard into its group and repairs the group if that is now possible. */
  #take(bytes: Uint8Array, view: DataView, start: number, end: number, seqid: number, shards: number): void {
    const stats = this.#stats;
    if (seqid >= this.#paws) {
      stats.outOfRange++;
      return;
    }
    if (end - start > this.#packetBytesMax) {
      stats.oversize++;
      return;
    }
    const groups = this.#groups;
    const group = this.#dataShards + this.#parityShards;
    const number = Math.floor(seqid / group);
    const position = seqid - number * group;
    let entry = groups.entry(number);
    if (entry < 0) {
      stats.tooOld++;
      if (++this.#strays < Tuning.strayMax) return;
      this.#restart();
      entry = groups.entry(number);
    }
    this.#strays = 0;
    this.repeated = groups.has(entry, position);
    if (this.repeated) stats.duplicates++;
    else if (groups.done(entry)) groups.see(entry, position);
    else {
      const slot = this.#store.keep(bytes, view, start + SHARD_OFFSET, end);
      if (slot < 0) stats.storeFull++;
      groups.enter(entry, position, slot);
      if (shards < this.#dataShards && !groups.done(entry)) groups.shorten(entry, shards);
      if (groups.repairable(entry)) this.#mend(entry, group, number * group);
    }
  }

  #mend(entry: number, group: number, firstSeqid: number): void {
    const longest = this.#groups.longest(entry);
    const repaired = this.#repair.run(entry, this.#dataShards, group);
    for (let i = 0; i < repaired; i++) {
      const slot = repairedSlots[i]!;
      const size = this.#store.view(slot).getUint16(0, true);
      if (size <= SIZE_BYTES || size > longest) {
        this.#stats.errors++;
        this.#store.give(slot);
        continue;
      }
      // It has room for every slot that may be out.
      this.#ready.push(slot);
      this.#ready.push(firstSeqid + repairedPositions[i]!);
      this.#stats.recovered++;
    }
    if (this.#repair.incomplete) {
      this.#stats.storeFull++;
      this.#groups.finish(entry);
      return;
    }
    this.#stats.repairedGroups++;
    this.#groups.repaired(entry);
  }
}
