/**
 * Flows as the program keeps them, read and ended from here: two entries each, one for each way, each found from the other.
 *
 *   key (saddr, daddr, sport, dport) ─► value (the same after translation, hop)      the other way's key: the value's addresses and ports, reversed
 */
import { Block } from "../../host/block.ts";
import type { BpfMap, MapWalk } from "../../host/bpf/bpf-map.ts";
import { formatHostPort, formatIp } from "../../host/ip-address.ts";
import type { Flow } from "../datapath.ts";
import { FLOW4, FLOW6, type FlowLayout, HOP, HOP_FLAG } from "./layout.ts";

/** An entry under a cursor: moved over entries, so that nothing is allocated for each. */
export class FlowEntry {
  readonly layout: FlowLayout;
  readonly keys: Block;
  readonly values: Block;
  index = 0;

  constructor(layout: FlowLayout, keys: Block, values: Block) {
    this.layout = layout;
    this.keys = keys;
    this.values = values;
  }

  get isReply(): boolean {
    return (this.#hop16(HOP.flags) & HOP_FLAG.reply) !== 0;
  }

  get forward(): number {
    return this.#hop32(HOP.forward);
  }

  /** The collector's clock at its last packet. */
  get seen(): number {
    return this.#hop32(HOP.seen);
  }

  get packets(): number {
    return this.#hop64(HOP.packets);
  }

  get octets(): number {
    return this.#hop64(HOP.octets);
  }

  /** "host:port" of the key's or, translated, of the value's source or destination. */
  end(of: "key" | "value", which: "source" | "destination"): string {
    const { addressBytes, keyBytes, valueBytes, daddr, sport, dport } = this.layout;
    const { bytes, view } = of === "key" ? this.keys : this.values;
    const base = this.index * (of === "key" ? keyBytes : valueBytes);
    const address = base + (which === "source" ? 0 : daddr);
    const port = view.getUint16(base + (which === "source" ? sport : dport));
    const host = addressBytes === 4 ? bytes.subarray(address, address + 4).join(".") : formatIp(bytes, address);
    return formatHostPort(host, port);
  }

  /** Key of the other way, into bytes[at…). */
  reverse(bytes: Uint8Array, at: number): void {
    const { addressBytes, valueBytes, daddr, sport, dport } = this.layout;
    const base = this.index * valueBytes;
    const from = this.values.bytes;
    for (let i = 0; i < addressBytes; i++) {
      bytes[at + i] = from[base + daddr + i]!;
      bytes[at + daddr + i] = from[base + i]!;
    }
    for (let i = 0; i < 2; i++) {
      bytes[at + sport + i] = from[base + dport + i]!;
      bytes[at + dport + i] = from[base + sport + i]!;
    }
  }

  #hop16(offset: number): number {
    return this.values.view.getUint16(this.index * this.layout.valueBytes + this.layout.hop + offset, true);
  }

  #hop32(offset: number): number {
    return this.values.view.getUint32(this.index * this.layout.valueBytes + this.layout.hop + offset, true);
  }

  #hop64(offset: number): number {
    return Number(this.values.view.getBigUint64(this.index * this.layout.valueBytes + this.layout.hop + offset, true));
  }
}

export class FlowTable {
  readonly map: BpfMap;
  readonly layout: FlowLayout;
  readonly #walk: MapWalk;
  readonly #entry: FlowEntry;
  readonly #other: FlowEntry;
  readonly #otherKey: Uint8Array;
  /** Those to be ended: the other way's keys first, so that no packet finds a flow of which only the way back is gone for longer than a call. */
  readonly #ending: [replies: Block, originals: Block];
  #count = 0;

  constructor(map: BpfMap) {
    this.map = map;
    this.layout = map.shape.keyBytes === FLOW4.keyBytes ? FLOW4 : FLOW6;
    this.#walk = map.walk();
    this.#entry = new FlowEntry(this.layout, this.#walk.keys, this.#walk.values);
    const { sys } = map.bpf;
    this.#other = new FlowEntry(this.layout, new Block(sys, this.layout.keyBytes), new Block(sys, this.layout.valueBytes));
    this.#otherKey = new Uint8Array(this.layout.keyBytes);
    this.#ending = [new Block(sys, ENDING_MAX * this.layout.keyBytes), new Block(sys, ENDING_MAX * this.layout.keyBytes)];
  }

  /** Whether the walk has come to the end. */
  get done(): boolean {
    return this.#walk.done;
  }

  restart(): void {
    this.#walk.restart();
  }

  /** The next batch of entries, each handed to `see`; how many. */
  next(see: (entry: FlowEntry) => void): number {
    const count = this.#walk.next();
    for (let i = 0; i < count; i++) {
      this.#entry.index = i;
      see(this.#entry);
    }
    return count;
  }

  /** The other way of a flow; undefined when it is not there. Valid until the next call. */
  other(entry: FlowEntry): FlowEntry | undefined {
    entry.reverse(this.#otherKey, 0);
    const value = this.map.lookup(this.#otherKey);
    if (value === undefined) return undefined;
    this.#other.keys.bytes.set(this.#otherKey);
    this.#other.values.bytes.set(value);
    return this.#other;
  }

  /** Notes both ways of the flow to be ended by `flush`; `entry` is the way there, or an answer's way without one. */
  end(entry: FlowEntry): void {
    const { keyBytes } = this.layout;
    entry.reverse(this.#ending[0].bytes, this.#count * keyBytes);
    this.#ending[1].bytes.set(entry.keys.bytes.subarray(entry.index * keyBytes, (entry.index + 1) * keyBytes), this.#count * keyBytes);
    if (++this.#count === ENDING_MAX) this.flush();
  }

  flush(): void {
    for (const keys of this.#ending) this.map.deleteBatch(keys, this.#count);
    this.#count = 0;
  }
}

/** `entry` is the way there. */
export function describeFlow(entry: FlowEntry, other: FlowEntry | undefined, forward: string, expiresSeconds: number): Flow {
  return {
    forward,
    source: entry.end("key", "source"),
    listen: entry.end("key", "destination"),
    seenAs: entry.end("value", "source"),
    backend: entry.end("value", "destination"),
    packetsIn: entry.packets,
    bytesIn: entry.octets,
    packetsOut: other?.packets ?? 0,
    bytesOut: other?.octets ?? 0,
    expiresSeconds,
  };
}

const ENDING_MAX = 4096;
