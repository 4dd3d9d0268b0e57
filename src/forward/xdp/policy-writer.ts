/**
 * A forward as entries of the program's tables, written before any packet sees them.
 *
 *   forward ─► policy (flags, limits, SNAT ports) ─► choices (one, or a Maglev table) ─► backends ─► source addresses
 *
 * Backends, choices and source addresses that several forwards have alike stand there once.
 */
import type { BpfObject } from "../../host/bpf/bpf-object.ts";
import { type Forward, weighted } from "../forward.ts";
import { bytesOf, formatAddress, type IpRange, parseAddress, sizeOf } from "../ip-range.ts";
import { type Backend, formatBackend } from "../listen.ts";
import { Interned } from "./interned.ts";
import { BACKEND, BURST_NANOSECONDS, INDEX_BYTES, POLICY, POLICY_FLAG, rateCost, SOURCE_BYTES } from "./layout.ts";
import { maglevTable } from "./maglev.ts";
import { Slots } from "./slots.ts";

/** Where the entries of one forward are. */
export interface WrittenPolicy {
  readonly policy: number;
  /** −1: nobody to forward to. */
  readonly choice: number;
  readonly backends: readonly number[];
  readonly sources: readonly number[];
}

/** The source address that the route to a backend has. */
export type SourceOf = (address: string) => string;

export class PolicyWriter {
  readonly policies: Slots;
  readonly #memory: Record<"policies" | "choices" | "backends" | "sources", DataView<ArrayBuffer>>;
  readonly #slots: Record<"choices" | "backends" | "sources", Slots>;
  readonly #choices: Interned;
  readonly #backends: Interned;
  readonly #sources: Interned;
  readonly #sourceOf: SourceOf;

  constructor(object: BpfObject, sourceOf: SourceOf) {
    const viewOf = (name: string): DataView<ArrayBuffer> => {
      const { buffer, byteOffset, byteLength } = object.map(name).memory();
      return new DataView(buffer, byteOffset, byteLength);
    };
    const sizeOfMap = (name: string): number => object.map(name).shape.entries;
    this.#sourceOf = sourceOf;
    this.#memory = { policies: viewOf("policies"), choices: viewOf("choices"), backends: viewOf("backends"), sources: viewOf("sources") };
    this.policies = new Slots("policies", sizeOfMap("policies"), 1);
    this.#slots = {
      choices: new Slots("choices", sizeOfMap("choices")),
      backends: new Slots("backends", sizeOfMap("backends")),
      sources: new Slots("sources", sizeOfMap("sources")),
    };
    this.#choices = new Interned(this.#slots.choices);
    this.#backends = new Interned(this.#slots.backends);
    this.#sources = new Interned(this.#slots.sources);
  }

  /** `access`: number of its list of prefixes, 0 for none. @throws HostError when a table is full; then nothing is taken */
  write(forward: Forward, access: number): WrittenPolicy {
    const taken = { backends: [] as number[], sources: [] as number[], choice: -1 };
    try {
      const targets = forward.state === "draining" ? [] : weighted(forward);
      for (const backend of targets) taken.backends.push(this.#backend(forward, backend, taken.sources));
      const table =
        targets.length === 0 ? [] : maglevTable(targets.map((backend) => ({ name: formatBackend(backend), weight: backend.weight })));
      if (table.length > 0)
        taken.choice = this.#choice(targets.length === 1 ? `${taken.backends[0]}` : keyOf(taken.backends, targets), table, taken.backends);
      const policy = this.policies.take();
      this.#policy(policy, forward, access, taken.choice, table.length);
      return { policy, ...taken };
    } catch (error) {
      this.#giveParts(taken);
      throw error;
    }
  }

  give(written: WrittenPolicy): void {
    this.policies.give(written.policy);
    this.#giveParts(written);
  }

  /** What was given back a while ago can be taken again. */
  rest(): void {
    for (const slots of [this.policies, ...Object.values(this.#slots)]) slots.rest();
  }

  /** What policy `at` of an earlier process uses is not written over until `release` is called. */
  claim(at: number): () => void {
    const { policies, choices, backends } = this.#memory;
    const choice = policies.getUint32(at * POLICY.bytes + POLICY.choice, true);
    const count = policies.getUint32(at * POLICY.bytes + POLICY.choices, true);
    const places: [Slots, number, number][] = [
      [this.policies, at, 1],
      [this.#slots.choices, choice, count],
    ];
    for (let i = 0; i < count; i++) {
      const backend = choices.getUint32((choice + i) * INDEX_BYTES, true);
      if (this.#slots.backends.isUsed(backend)) continue;
      const first = backends.getUint32(backend * BACKEND.bytes + BACKEND.source, true);
      places.push(
        [this.#slots.backends, backend, 1],
        [this.#slots.sources, first, backends.getUint32(backend * BACKEND.bytes + BACKEND.sources, true)],
      );
      this.#slots.backends.claim(backend);
    }
    for (const [slots, first, length] of places) slots.claim(first, length);
    return () => {
      for (const [slots, first, length] of places) slots.give(first, length);
    };
  }

  #giveParts({ choice, backends, sources }: Omit<WrittenPolicy, "policy">): void {
    if (choice >= 0) this.#choices.give(choice);
    for (const backend of backends) this.#backends.give(backend);
    for (const source of sources) this.#sources.give(source);
  }

  #policy(at: number, forward: Forward, access: number, choice: number, choices: number): void {
    const view = this.#memory.policies;
    const base = at * POLICY.bytes;
    const { limits, source, allow, deny, balance } = forward;
    let flags = 0;
    if (source.kind === "transparent") flags |= POLICY_FLAG.transparent;
    if (allow.length + deny.length > 0) flags |= POLICY_FLAG.access;
    if (allow.length > 0) flags |= POLICY_FLAG.deny;
    if (balance === "source") flags |= POLICY_FLAG.bySource;
    if (limits.packets + limits.bytes > 0) flags |= POLICY_FLAG.limit;
    if (limits.sourcePackets + limits.sourceBytes > 0) flags |= POLICY_FLAG.sourceLimit;
    view.setUint32(base + POLICY.flags, flags, true);
    view.setUint32(base + POLICY.choice, Math.max(choice, 0), true);
    view.setUint32(base + POLICY.choices, choices, true);
    const ports = source.kind === "transparent" ? { first: 0, last: 0 } : source.ports;
    view.setUint16(base + POLICY.portFirst, ports.first, true);
    view.setUint16(base + POLICY.ports, ports.last - ports.first + 1, true);
    view.setUint32(base + POLICY.access, access, true);
    if ((flags & (POLICY_FLAG.limit | POLICY_FLAG.sourceLimit)) === 0) return;
    for (const [offset, perSecond] of [
      [POLICY.packets, limits.packets],
      [POLICY.octets, limits.bytes],
      [POLICY.sourcePackets, limits.sourcePackets],
      [POLICY.sourceOctets, limits.sourceBytes],
    ] as const) {
      view.setBigUint64(base + offset, rateCost(perSecond), true);
      view.setBigUint64(base + offset + 8, BURST_NANOSECONDS, true);
    }
  }

  #choice(key: string, table: ArrayLike<number>, backends: readonly number[]): number {
    return this.#choices.take(key, table.length, (at) => {
      const view = this.#memory.choices;
      for (let i = 0; i < table.length; i++) view.setUint32((at + i) * INDEX_BYTES, backends[table[i]!]!, true);
    });
  }

  #backend(forward: Forward, backend: Backend, taken: number[]): number {
    const ranges = this.#sourceRanges(forward, backend);
    const count = ranges.reduce((sum, range) => sum + Number(sizeOf(range)), 0);
    const source = count === 0 ? 0 : this.#source(ranges, count);
    if (count > 0) taken.push(source);
    const { address, family, port = 0 } = backend;
    return this.#backends.take(`${address}/${family}/${port}/${source}/${count}`, 1, (at) => {
      const view = this.#memory.backends;
      putBytes(view, at * BACKEND.bytes + BACKEND.address, bytesOf(family, address));
      view.setUint16(at * BACKEND.bytes + BACKEND.port, port);
      view.setUint32(at * BACKEND.bytes + BACKEND.source, source, true);
      view.setUint32(at * BACKEND.bytes + BACKEND.sources, count, true);
    });
  }

  #sourceRanges({ source }: Forward, { family, address }: Backend): readonly IpRange[] {
    if (source.kind === "transparent") return [];
    if (source.kind === "addresses") return source.ranges;
    const own = this.#sourceOf(formatAddress(family, address));
    const { value } = parseAddress(own)!;
    return [{ family, first: value, last: value }];
  }

  #source(ranges: readonly IpRange[], count: number): number {
    return this.#sources.take(ranges.map(({ family, first, last }) => `${family}:${first}-${last}`).join(), count, (at) => {
      let next = at;
      for (const { family, first, last } of ranges)
        for (let value = first; value <= last; value++) putBytes(this.#memory.sources, next++ * SOURCE_BYTES, bytesOf(family, value));
    });
  }
}

/** The same backends with the same weights make the same table. */
function keyOf(places: readonly number[], backends: readonly Backend[]): string {
  return places.map((place, i) => `${place}@${backends[i]!.weight}`).join();
}

function putBytes(view: DataView, at: number, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) view.setUint8(at + i, bytes[i]!);
}
