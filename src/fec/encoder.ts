/**
 * Sender of kcp-go's forward error correction: every KCP packet becomes a data shard, and behind the last one of a group come its
 * parity shards, of which each replaces any lost data shard. The packet is drawn in packet.ts.
 *
 *   encode × ds   →   parity(0) … parity(ps − 1)   →   encode × ds   → …
 *
 * Source: kcptun.md section 4.2.
 * Profiles: "2021" sends parity always; "2026" sends none when the last two data shards are 500 ms or more apart, the numbers jump.
 * Deviations: seqids wrap at paws on data shards too, as kcp-go does today; the shape of a group can change under way (`reshape`), fewer parity
 * shards than the shape's can be sent (`rows`), and between two ends of ours groups end early (`close`).
 */
import { assert } from "../base/assert.ts";
import type { Bytes, Millis, Seq32 } from "../base/units.ts";
import {
  HEAD_BYTES,
  LONG_DATA,
  LONG_PARITY,
  pawsOf,
  SHARD_OFFSET,
  SHARDS_MAX,
  SIZE_BYTES,
  TYPE_DATA,
  TYPE_PARITY,
  TYPE_SHORT,
  writeHead,
} from "./packet.ts";
import { KernelParity } from "./parity-kernel.ts";
import { type Parity, ParitySum } from "./parity-sum.ts";

const Spec = {
  /** Data shards farther apart are not continuous: their loss is for KCP to repair. */
  continuousMs: 500,
} as const;

export interface FecEncoderOptions {
  /** 1…255. */
  readonly dataShards: number;
  /** 1…255; together with dataShards at most 256. */
  readonly parityShards: number;
  /** Whose behaviour: kcptun of 2021-09 or of 2026-01. */
  readonly profile: "2021" | "2026";
  /** Longest FEC packet, its 8-byte header included. */
  readonly packetBytesMax: Bytes;
  /** Seqid to begin with, a multiple of dataShards + parityShards; for tests of the wrap. Default 0. */
  readonly firstSeqid?: Seq32;
}

export class FecEncoder {
  static readonly headBytes = HEAD_BYTES;

  readonly stats = {
    dataShards: 0,
    parityShards: 0,
    /** Groups whose parity was withheld because their data was not continuous (profile 2026). */
    sparseGroups: 0,
  };
  readonly #profile: "2021" | "2026";
  readonly #packetBytesMax: Bytes;
  #dataShards = 0;
  #parityShards = 0;
  #paws = 0;
  #sum!: Parity;
  #next: Seq32;
  /** Seqid of the group's first parity shard once the group is complete. */
  #parityAt: Seq32 = 0;
  #inGroup = 0;
  /** Data shards of the group just completed. */
  #shards = 0;
  #rows = 0;
  /** Parity shards really sent of each group that begins from now on; a receiver takes the others for lost. The sender's shape is the default. */
  rows = SHARDS_MAX;
  /** The peer is ours: groups may end early. */
  #long = false;
  #first = true;
  #latest: Millis = Number.NEGATIVE_INFINITY;

  constructor(options: FecEncoderOptions) {
    this.#profile = options.profile;
    this.#packetBytesMax = options.packetBytesMax;
    this.#next = options.firstSeqid ?? 0;
    this.reshape(options.dataShards, options.parityShards);
  }

  get dataShards(): number {
    return this.#dataShards;
  }

  get parityShards(): number {
    return this.#parityShards;
  }

  /** Data shards in the open group. */
  get open(): number {
    return this.#inGroup;
  }

  /** Data shards of the group that ended last. */
  get shards(): number {
    return this.#shards;
  }

  /** Groups end early. */
  get long(): boolean {
    return this.#long;
  }

  /** From now on groups are long ones that `close` may end at any time: the peer is one of ours. */
  lengthen(): void {
    this.#long = true;
    this.reshape(LONG_DATA, LONG_PARITY);
  }

  /**
   * Other group sizes from the next data shard on; the open group stays without parity. The numbers go on at a multiple of the new
   * group, which is what lets a receiver follow. Builds tables of dataShards · parityShards · 256 bytes: not for every packet.
   */
  reshape(dataShards: number, parityShards: number): void {
    assert(dataShards > 0 && parityShards > 0 && dataShards + parityShards <= SHARDS_MAX, "group sizes out of range");
    const group = dataShards + parityShards;
    this.#dataShards = dataShards;
    this.#parityShards = parityShards;
    this.#paws = pawsOf(group);
    this.#next = (Math.ceil(this.#next / group) * group) % this.#paws;
    if (this.#inGroup > 0) this.#first = false;
    this.#inGroup = 0;
    this.#sum?.rest();
    this.#sum = KernelParity.make(dataShards, parityShards, this.#shardBytesMax) ?? this.#withoutKernels();
  }

  /**
   * Makes the KCP packet view[start…end) a data shard: writes the header into the 8 bytes before `start`, which the caller leaves free.
   * Answers how many parity shards are ready: 0, or all of the group, to be fetched before the next `encode`.
   */
  encode(now: Millis, _bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const head = start - HEAD_BYTES;
    assert(end - head <= this.#packetBytesMax, "KCP packet longer than packetBytesMax allows");
    if (this.#inGroup === 0) this.#begin();
    writeHead(view, head, this.#next, TYPE_DATA);
    view.setUint16(head + SHARD_OFFSET, SIZE_BYTES + end - start, true);
    this.#sum.add(this.#inGroup, view, head + SHARD_OFFSET, end);
    this.stats.dataShards++;
    this.#next = this.#after(1);
    const gap = now - this.#latest;
    this.#latest = now;
    this.#inGroup++;
    if (this.#inGroup < this.#dataShards) return 0;
    this.#end();
    if (this.#profile === "2026" && gap >= Spec.continuousMs) {
      this.stats.sparseGroups++;
      return 0;
    }
    return this.#rows;
  }

  /** Ends the open group early: the peer must be ours. Answers as `encode`, at most the `rows` that were planned when it began. */
  close(rows: number): number {
    assert(this.#long && this.#inGroup > 0, "a group that may end early is open");
    this.#next = this.#after(this.#dataShards - this.#inGroup);
    this.#end();
    this.#rows = Math.min(rows, this.#rows);
    return this.#rows;
  }

  /** The group open is the first there was. */
  get first(): boolean {
    return this.#first && this.#inGroup > 0;
  }

  /** Leaves the open group as it is, without parity: what comes next begins another. */
  leave(): void {
    this.#next = this.#after(this.#dataShards - this.#inGroup);
    this.#end();
  }

  /** Little is said: gives back room between groups. */
  rest(): void {
    if (this.#inGroup === 0) this.#sum.rest();
  }

  #begin(): void {
    this.#rows = Math.min(this.rows, this.#parityShards);
    if (this.#sum.begin(this.#rows)) return;
    this.#sum = this.#withoutKernels();
    this.#sum.begin(this.#rows);
  }

  #withoutKernels(): Parity {
    return new ParitySum(this.#dataShards, this.#parityShards, this.#shardBytesMax);
  }

  get #shardBytesMax(): number {
    return this.#packetBytesMax - SHARD_OFFSET;
  }

  #end(): void {
    this.#first = false;
    this.#shards = this.#inGroup;
    this.#inGroup = 0;
    this.#parityAt = this.#next;
    this.#next = this.#after(this.#parityShards);
  }

  /** Writes parity packet i of the group just completed, header and all, to view[offset…); answers its length. */
  parity(i: number, _into: Uint8Array, view: DataView, offset: number): number {
    writeHead(view, offset, this.#parityAt + i, this.#long ? TYPE_SHORT | (this.#shards << 8) : TYPE_PARITY);
    const sum = this.#sum;
    sum.read(i, view, offset + SHARD_OFFSET);
    this.stats.parityShards++;
    return SHARD_OFFSET + sum.length;
  }

  #after(n: number): Seq32 {
    return (this.#next + n) % this.#paws;
  }
}
