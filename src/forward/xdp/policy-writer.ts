/**
 * A forward as entries of the program's tables, written before any packet sees them.
 *
 *   forward ─► policy (flags, limits, SNAT ports) ─► choices (one, or a Maglev table) ─► backends ─► source addresses
 *
 * Backends, choices and source addresses that several forwards have alike stand there once.
 */
import { AUTO, type Forward, type Limits, weighted } from "../forward.ts";
import { type Family, type IpRange, sizeOf } from "../ip-range.ts";
import { type Backend, formatBackend, type PortRange } from "../listen.ts";
import { putAddress, putIpv4, swappedPort } from "./address.ts";
import { Interned } from "./interned.ts";
import { BACKEND, BURST_NANOSECONDS, INDEX_BYTES, POLICY, POLICY_FLAG, rateCost, SOURCE_BYTES } from "./layout.ts";
import { maglevTable } from "./maglev.ts";
import { Slots } from "./slots.ts";
import type { Staged } from "./staged.ts";
import type { TableMaps } from "./table-map.ts";

/** What a policy uses besides the places at its own number, perhaps together with others. */
interface Shared {
  /** −1: nobody to forward to. */
  choice: number;
  readonly backends: number[];
  readonly sources: number[];
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
  readonly #words: Record<"policies" | "choices" | "backends" | "sources", Int32Array>;
  readonly #rates: DataView;
  readonly #slots: Record<"choices" | "backends" | "sources", Slots>;
  readonly #choices: Interned;
  readonly #backends: Interned;
  readonly #sources: Interned;
  /** By number of the policy; of most there is nothing. */
  readonly #shared = new Map<number, Shared>();
  readonly #sourceOf: SourceOf;
  readonly #own = new Map<bigint, SourceRegion>();
  #lastOwn: bigint | undefined;
  #lastRegion: SourceRegion = UNSOURCED;

  constructor(object: TableMaps, sourceOf: SourceOf) {
    const wordsOf = (name: string): Int32Array => {
      const { buffer, byteOffset, byteLength } = object.map(name).memory();
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    };
    const sizeOfMap = (name: string): number => object.map(name).shape.entries;
    this.#sourceOf = sourceOf;
    this.#words = {
      policies: wordsOf("policies"),
      choices: wordsOf("choices"),
      backends: wordsOf("backends"),
      sources: wordsOf("sources"),
    };
    this.#rates = new DataView(this.#words.policies.buffer, this.#words.policies.byteOffset, this.#words.policies.byteLength);
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

  /** The number of the policy. `access`: number of its list of prefixes, 0 for none. @throws HostError when a table is full; then nothing is taken */
  write(forward: Forward, access: number): number {
    const policy = this.policies.take();
    try {
      if (isSingle(forward)) this.#writeSingle(policy, forward, access);
      else this.#writeShared(policy, forward, access);
    } catch (error) {
      this.give(policy);
      throw error;
    }
    return policy;
  }

  /** The same of all that are plain and have none yet, from their numbers alone: see forward.ts. @throws HostError; those that have a number have it from here then */
  writePlain({ policies, plainPorts, plainBackends, rows }: Staged): void {
    this.policies.takeEach(policies, rows);
    const { policies: words, backends, choices } = this.#words;
    let [address, source]: [number, SourceRegion] = [0, UNSOURCED];
    for (let row = 0; row < rows; row++) {
      const ports = plainPorts[row]!;
      if (ports === 0) continue;
      const policy = policies[row]!;
      const backend = plainBackends[row]!;
      // Backends of many forwards are few.
      if (backend !== address) {
        source = this.#plainSource(backend);
        address = backend;
      }
      const base = policy * (BACKEND.bytes / 4);
      putIpv4(backends, base, backend);
      backends[base + BACKEND.port / 4] = swappedPort(ports >>> 16);
      backends[base + BACKEND.source / 4] = source.at;
      backends[base + BACKEND.sources / 4] = source.count;
      choices[policy * (INDEX_BYTES / 4)] = policy;
      const at = policy * (POLICY.bytes / 4);
      words[at + POLICY.flags / 4] = POLICY_FLAG.single;
      words[at + POLICY.choice / 4] = policy;
      words[at + POLICY.choices / 4] = 1;
      words[at + POLICY.portFirst / 4] = AUTO_PORTS;
      words[at + POLICY.access / 4] = 0;
    }
  }

  give(policy: number): void {
    this.policies.give(policy);
    const shared = this.#shared.size === 0 ? undefined : this.#shared.get(policy);
    if (shared === undefined) return;
    this.#shared.delete(policy);
    if (shared.choice >= 0) this.#choices.give(shared.choice);
    for (const backend of shared.backends) this.#backends.give(backend);
    for (const source of shared.sources) this.#sources.give(source);
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
    const { policies, choices, backends } = this.#words;
    const choice = policies[(at * POLICY.bytes + POLICY.choice) / 4]!;
    const count = policies[(at * POLICY.bytes + POLICY.choices) / 4]!;
    const places: [Slots, number, number][] = [
      [this.policies, at, 1],
      [this.#slots.choices, choice, count],
    ];
    for (let i = 0; i < count; i++) {
      const backend = choices[((choice + i) * INDEX_BYTES) / 4]!;
      // Below are those at a policy's own number, which is claimed itself.
      if (this.#slots.backends.isUsed(backend) && backend !== at) continue;
      const base = (backend * BACKEND.bytes) / 4;
      const [first, length] = [backends[base + BACKEND.source / 4]!, backends[base + BACKEND.sources / 4]!];
      places.push([this.#slots.backends, backend, 1], [this.#slots.sources, first, length]);
      this.#slots.backends.claim(backend);
    }
    for (const [slots, first, length] of places) slots.claim(first, length);
    return () => {
      for (const [slots, first, length] of places) slots.give(first, length);
    };
  }

  /** What most are costs nothing to find and nothing to give back: backend and choice stand at the policy's own number. */
  #writeSingle(policy: number, forward: Forward, access: number): void {
    const backend = forward.backends[0]!;
    this.#putBackend(policy, backend, this.#sourcesOf(policy, forward, backend));
    this.#words.choices[(policy * INDEX_BYTES) / 4] = policy;
    this.#policy(policy, forward, access, POLICY_FLAG.single, policy, 1);
  }

  #writeShared(policy: number, forward: Forward, access: number): void {
    const shared = this.#sharedOf(policy);
    const targets = forward.state === "draining" ? [] : weighted(forward);
    for (const backend of targets) shared.backends.push(this.#backend(policy, forward, backend));
    const choices = this.#choose(forward, targets, shared);
    this.#policy(policy, forward, access, 0, Math.max(shared.choice, 0), choices);
  }

  #sharedOf(policy: number): Shared {
    let shared = this.#shared.get(policy);
    if (shared === undefined) {
      shared = { choice: -1, backends: [], sources: [] };
      this.#shared.set(policy, shared);
    }
    return shared;
  }

  #policy(
    at: number,
    { limits, source, allow, deny, balance, sip }: Forward,
    access: number,
    flag: number,
    choice: number,
    choices: number,
  ): void {
    let flags = flag;
    let ports = 1 << 16;
    if (source.kind === "transparent") flags |= POLICY_FLAG.transparent;
    else ports = portsWord(source.ports);
    if (allow.length + deny.length > 0) flags |= POLICY_FLAG.access;
    if (allow.length > 0) flags |= POLICY_FLAG.deny;
    if (balance === "source") flags |= POLICY_FLAG.bySource;
    if (limits.packets + limits.bytes > 0) flags |= POLICY_FLAG.limit;
    if (limits.sourcePackets + limits.sourceBytes > 0) flags |= POLICY_FLAG.sourceLimit;
    if (sip) flags |= POLICY_FLAG.sip;
    const words = this.#words.policies;
    const base = (at * POLICY.bytes) / 4;
    words[base + POLICY.flags / 4] = flags;
    words[base + POLICY.choice / 4] = choice;
    words[base + POLICY.choices / 4] = choices;
    words[base + POLICY.portFirst / 4] = ports;
    words[base + POLICY.access / 4] = access;
    if ((flags & (POLICY_FLAG.limit | POLICY_FLAG.sourceLimit)) !== 0) this.#limit(at * POLICY.bytes, limits);
  }

  #limit(base: number, limits: Limits): void {
    for (const [offset, perSecond] of [
      [POLICY.packets, limits.packets],
      [POLICY.octets, limits.bytes],
      [POLICY.sourcePackets, limits.sourcePackets],
      [POLICY.sourceOctets, limits.sourceBytes],
    ] as const) {
      this.#rates.setBigUint64(base + offset, rateCost(perSecond), true);
      this.#rates.setBigUint64(base + offset + 8, BURST_NANOSECONDS, true);
    }
  }

  /** How many choices there are. */
  #choose({ choices, backends, text }: Forward, targets: readonly Backend[], taken: Shared): number {
    const [first] = taken.backends;
    const words = this.#words.choices;
    if (first === undefined) return 0;
    const given = choices?.map((index) => targets.indexOf(backends[index]!));
    const table = given ?? maglevTable(targets.map((backend) => ({ name: formatBackend(backend), weight: backend.weight })));
    const key = given === undefined ? keyOf(taken.backends, targets) : `${taken.backends.join()} ${text}`;
    taken.choice = this.#choices.take(key, table.length, (at) => {
      for (const [i, index] of table.entries()) words[((at + i) * INDEX_BYTES) / 4] = taken.backends[index]!;
    });
    return table.length;
  }

  #backend(policy: number, forward: Forward, backend: Backend): number {
    const { address, family, port = 0 } = backend;
    const source = this.#sourcesOf(policy, forward, backend);
    return this.#backends.take(`${address}/${family}/${port}/${source.at}/${source.count}`, 1, (at) =>
      this.#putBackend(at, backend, source),
    );
  }

  #putBackend(at: number, { address, family, port = 0 }: Backend, source: SourceRegion): void {
    const words = this.#words.backends;
    const base = (at * BACKEND.bytes) / 4;
    putAddress(words, base + BACKEND.address / 4, family, address);
    words[base + BACKEND.port / 4] = swappedPort(port);
    words[base + BACKEND.source / 4] = source.at;
    words[base + BACKEND.sources / 4] = source.count;
  }

  /** Addresses of our own stay once they are there: there are few. */
  #sourcesOf(policy: number, { source }: Forward, { family, address }: Backend): SourceRegion {
    const own = this.#sourceOf(family, address);
    if (source.kind === "transparent") return UNSOURCED;
    if (source.kind === "addresses") return this.#given(policy, family, source.ranges);
    return this.#ownSource(family, own);
  }

  #ownSource(family: Family, own: bigint | undefined): SourceRegion {
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

  #plainSource(backend: number): SourceRegion {
    const address = BigInt(backend >>> 0);
    return this.#ownSource(4, this.#sourceOf(4, address));
  }

  #given(policy: number, family: Family, ranges: readonly IpRange[]): SourceRegion {
    const count = ranges.reduce((sum, range) => sum + Number(sizeOf(range)), 0);
    const at = this.#source(ranges.map(({ first, last }) => `${family}:${first}-${last}`).join(), ranges, count);
    this.#sharedOf(policy).sources.push(at);
    return { at, count };
  }

  #source(key: string | number, ranges: readonly IpRange[], count: number): number {
    return this.#sources.take(key, count, (at) => {
      let next = at;
      for (const { family, first, last } of ranges)
        for (let value = first; value <= last; value++) putAddress(this.#words.sources, (next++ * SOURCE_BYTES) / 4, family, value);
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

function portsWord({ first, last }: PortRange): number {
  return ((last - first + 1) << 16) | first;
}

const AUTO_PORTS = AUTO.kind === "auto" ? portsWord(AUTO.ports) : 0;
const UNSOURCED = { at: 0, count: 0 };
