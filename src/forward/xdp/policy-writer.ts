/**
 * A forward as entries of the program's tables, written before any packet sees them.
 *
 *   forward ─► policy (flags, limits, SNAT ports) ─► choices (one, or a Maglev table) ─► backends ─► source addresses
 *
 * Backends, choices and source addresses that several forwards have alike stand there once.
 */
import type { BpfObject } from "../../host/bpf/bpf-object.ts";
import { type Forward, weighted } from "../forward.ts";
import { type Family, type IpRange, sizeOf } from "../ip-range.ts";
import { type Backend, formatBackend } from "../listen.ts";
import { putAddress } from "./address.ts";
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

/** Places in the table of source addresses. */
interface SourceRegion {
  readonly at: number;
  readonly count: number;
}

/** The source address that the route to a backend has; undefined without one. Asked for every backend, so that its neighbour is known when the first packet comes. */
export type SourceOf = (family: Family, address: bigint) => bigint | undefined;

export class PolicyWriter {
  readonly policies: Slots;
  readonly #memory: Record<"policies" | "choices" | "backends" | "sources", DataView<ArrayBuffer>>;
  readonly #slots: Record<"choices" | "backends" | "sources", Slots>;
  readonly #choices: Interned;
  readonly #backends: Interned;
  readonly #sources: Interned;
  readonly #sourceOf: SourceOf;
  readonly #own = new Map<bigint, SourceRegion>();
  #lastOwn: bigint | undefined;
  #lastRegion: SourceRegion = UNSOURCED;

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
      choices: new Slots("choices", sizeOfMap("choices"), sizeOfMap("policies")),
      backends: new Slots("backends", sizeOfMap("backends"), sizeOfMap("policies")),
      sources: new Slots("sources", sizeOfMap("sources")),
    };
    this.#choices = new Interned(this.#slots.choices);
    this.#backends = new Interned(this.#slots.backends);
    this.#sources = new Interned(this.#slots.sources);
  }

  /** `access`: number of its list of prefixes, 0 for none. @throws HostError when a table is full; then nothing is taken */
  write(forward: Forward, access: number): WrittenPolicy {
    const { backends, state } = forward;
    const policy = this.policies.take();
    if (isSingle(forward)) {
      // What most are costs nothing to find and nothing to give back: backend and choice stand at the policy's own number.
      const sources: number[] = forward.source.kind === "addresses" ? [] : NOTHING;
      try {
        this.#putBackend(policy, backends[0]!, this.#sourcesOf(forward, backends[0]!, sources));
      } catch (error) {
        this.give({ policy, choice: -1, backends: NOTHING, sources });
        throw error;
      }
      this.#memory.choices.setUint32(policy * INDEX_BYTES, policy, true);
      this.#policy(policy, forward, access, policy, 1);
      return { policy, choice: -1, backends: NOTHING, sources };
    }
    const taken = { backends: [] as number[], sources: [] as number[], choice: -1 };
    try {
      const targets = state === "draining" ? [] : weighted(forward);
      for (const backend of targets) taken.backends.push(this.#backend(forward, backend, taken.sources));
      const choices = this.#choose(forward, targets, taken);
      this.#policy(policy, forward, access, taken.choice, choices);
      return { policy, ...taken };
    } catch (error) {
      this.give({ policy, ...taken });
      throw error;
    }
  }

  give(written: WrittenPolicy): void {
    this.policies.give(written.policy);
    this.#giveParts(written);
  }

  get isResting(): boolean {
    return this.policies.isResting || Object.values(this.#slots).some((slots) => slots.isResting);
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
      // Below are those at a policy's own number, which is claimed itself.
      if (this.#slots.backends.isUsed(backend) && backend !== at) continue;
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
    if (isSingle(forward)) flags |= POLICY_FLAG.single;
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

  /** How many choices there are. */
  #choose(
    { choices, backends, text }: Forward,
    targets: readonly Backend[],
    taken: { readonly backends: readonly number[]; choice: number },
  ): number {
    const [first] = taken.backends;
    const view = this.#memory.choices;
    if (first === undefined) return 0;
    const given = choices?.map((index) => targets.indexOf(backends[index]!));
    const table = given ?? maglevTable(targets.map((backend) => ({ name: formatBackend(backend), weight: backend.weight })));
    const key = given === undefined ? keyOf(taken.backends, targets) : `${taken.backends.join()} ${text}`;
    taken.choice = this.#choices.take(key, table.length, (at) => {
      for (const [i, index] of table.entries()) view.setUint32((at + i) * INDEX_BYTES, taken.backends[index]!, true);
    });
    return table.length;
  }

  #backend(forward: Forward, backend: Backend, sources: number[]): number {
    const { address, family, port = 0 } = backend;
    const source = this.#sourcesOf(forward, backend, sources);
    return this.#backends.take(`${address}/${family}/${port}/${source.at}/${source.count}`, 1, (at) =>
      this.#putBackend(at, backend, source),
    );
  }

  #putBackend(at: number, { address, family, port = 0 }: Backend, source: SourceRegion): void {
    const view = this.#memory.backends;
    putAddress(view, at * BACKEND.bytes + BACKEND.address, family, address);
    view.setUint16(at * BACKEND.bytes + BACKEND.port, port);
    view.setUint32(at * BACKEND.bytes + BACKEND.source, source.at, true);
    view.setUint32(at * BACKEND.bytes + BACKEND.sources, source.count, true);
  }

  /** Addresses of our own stay once they are there: there are few. */
  #sourcesOf({ source }: Forward, { family, address }: Backend, taken: number[]): SourceRegion {
    const own = this.#sourceOf(family, address);
    if (source.kind === "transparent") return UNSOURCED;
    if (source.kind === "addresses") {
      const count = source.ranges.reduce((sum, range) => sum + Number(sizeOf(range)), 0);
      const at = this.#source(source.ranges.map(({ first, last }) => `${family}:${first}-${last}`).join(), source.ranges, count);
      taken.push(at);
      return { at, count };
    }
    if (own === undefined) return UNSOURCED;
    // Most have the same: a comparison costs less than finding it.
    if (own === this.#lastOwn) return this.#lastRegion;
    let found = this.#own.get(own);
    if (found === undefined) {
      found = { at: this.#source(`${family}:${own}`, [{ family, first: own, last: own }], 1), count: 1 };
      this.#own.set(own, found);
    }
    this.#lastOwn = own;
    this.#lastRegion = found;
    return found;
  }

  #source(key: string | number, ranges: readonly IpRange[], count: number): number {
    return this.#sources.take(key, count, (at) => {
      let next = at;
      for (const { family, first, last } of ranges)
        for (let value = first; value <= last; value++) putAddress(this.#memory.sources, next++ * SOURCE_BYTES, family, value);
    });
  }
}

/** Whether there is one backend, and it gets new flows. */
export function isSingle({ state, backends }: Forward): boolean {
  return state !== "draining" && backends.length === 1 && backends[0]!.weight > 0;
}

/** The same backends with the same weights make the same table. */
function keyOf(places: readonly number[], backends: readonly Backend[]): string {
  return places.map((place, i) => `${place}@${backends[i]!.weight}`).join();
}

/** Of most forwards; nothing is added to it. */
const NOTHING: number[] = [];
const UNSOURCED = { at: 0, count: 0 };
