/**
 * The desired state in the program's tables. A change is prepared where no packet looks, then each forward is switched over by one number.
 *
 *   stage: policies, access lists (new places)  ─► publish: forwards[id] = policy ─► listeners ─► what is left over goes
 *
 * Names and numbers of forwards stand in the table `titles`, so that a restarted process knows them again.
 */
import type { BpfMap } from "../../host/bpf/bpf-map.ts";
import type { BpfObject } from "../../host/bpf/bpf-object.ts";
import type { ForwardStats } from "../datapath.ts";
import type { Forward } from "../forward.ts";
import { formatBackend, isExact, type Listen } from "../listen.ts";
import type { Plan } from "../plan.ts";
import { type AccessEntry, accessEntries } from "./access-list.ts";
import { putAddress } from "./address.ts";
import { UpdateBatch } from "./batch.ts";
import type { FlowEntry } from "./flow-entry.ts";
import { ACCESS_KEY, INDEX_BYTES, LISTEN_KEY, POLICY, RANGE_KEY, TITLE } from "./layout.ts";
import { PolicyWriter, type SourceOf, type WrittenPolicy } from "./policy-writer.ts";
import { rangeTable } from "./range-table.ts";
import { Slots } from "./slots.ts";

interface Held {
  id: number;
  readonly forward: Forward;
  readonly written: WrittenPolicy;
  readonly access: readonly AccessEntry[];
  /** What it takes the place of. */
  before: Held | undefined;
}

export class Tables {
  readonly #object: BpfObject;
  readonly #writer: PolicyWriter;
  readonly #ids: Slots;
  readonly #held = new Map<string, Held>();
  /** By number. */
  readonly #names: (string | undefined)[] = [];
  readonly #forwards: Int32Array;
  readonly #titles: Buffer;
  /** The same. */
  readonly #numbers: Uint32Array;
  readonly #ended: BigUint64Array;
  readonly #places = new Map<string, number>();
  #ranges: Record<"places" | "ranges", ReadonlyMap<string, number>> = { places: new Map(), ranges: new Map() };
  readonly #forgotten: (id: number) => void;
  #nextPlace = 1;
  #nextList = 1;
  /** What an earlier process left: its numbers by name, and how its entries are given up. */
  #inherited: Map<string, number> | undefined;
  #release: (() => void)[] = [];

  /** `forgotten`: a number that has no forward any more. */
  constructor(object: BpfObject, sourceOf: SourceOf, forgotten: (id: number) => void) {
    this.#object = object;
    this.#forgotten = forgotten;
    this.#writer = new PolicyWriter(object, sourceOf);
    const forwards = object.map("forwards").memory();
    this.#forwards = new Int32Array(forwards.buffer, forwards.byteOffset, forwards.length / 4);
    const titles = object.map("titles").memory();
    this.#titles = Buffer.from(titles.buffer, titles.byteOffset, titles.length);
    this.#numbers = new Uint32Array(titles.buffer, titles.byteOffset, titles.length / 4);
    this.#ended = new BigUint64Array(titles.buffer, titles.byteOffset, titles.length / 8);
    this.#ids = new Slots("forwards", object.map("forwards").shape.entries);
    this.#inherit();
  }

  /** Whether there are listeners that are ranges. */
  get hasRanges(): boolean {
    return this.#ranges.places.size > 0;
  }

  /** By number; also of those that left and have flows. */
  get names(): readonly (string | undefined)[] {
    return this.#names;
  }

  idOf(name: string): number | undefined {
    return this.#held.get(name)?.id;
  }

  forwardOf(id: number): Forward | undefined {
    const name = this.#names[id];
    return name === undefined ? undefined : this.#held.get(name)?.forward;
  }

  /** Seconds; of a forward that is gone as well, as long as it has flows. */
  idleOf(id: number): number {
    return this.#numbers[(id * TITLE.bytes + TITLE.idle) / 4]!;
  }

  /** Of flows that are no more, into `stats`. */
  addTo(stats: ForwardStats, id: number): void {
    const at = (id * TITLE.bytes + TITLE.ended) / 8;
    stats.packetsIn += Number(this.#ended[at]);
    stats.bytesIn += Number(this.#ended[at + 1]);
    stats.packetsOut += Number(this.#ended[at + 2]);
    stats.bytesOut += Number(this.#ended[at + 3]);
  }

  /** One way of a flow that is over. */
  addEnded(entry: FlowEntry): void {
    const at = (entry.forward * TITLE.bytes + TITLE.ended) / 8 + (entry.isReply ? 2 : 0);
    this.#ended[at]! += BigInt(entry.packets);
    this.#ended[at + 1]! += BigInt(entry.octets);
  }

  /** Forwards that are gone and whose flows are to be ended. */
  readonly leaving = new Set<number>();
  /** Forwards that have fewer backends now: flows to those that they have no more are to be ended. */
  readonly deserted = new Map<number, Forward>();

  /** All or nothing. @throws HostError when a table is full, and nothing has changed */
  apply(plan: Plan): void {
    const inherited = this.#inherited;
    const wanted = inherited === undefined ? [...plan.added, ...plan.changed.map(({ after }) => after)] : [...plan.after.forwards.values()];
    const gone = inherited === undefined ? plan.removed.map(({ name }) => name) : [];
    const staged = this.#stage(wanted.filter(({ state }) => state !== "off"));
    const off = wanted.filter(({ state, name }) => state === "off" && this.#held.has(name)).map(({ name }) => name);
    const stale = new Map<string, Uint8Array>();
    for (const name of [...gone, ...off]) this.#withdraw(name, stale);
    const listeners = new UpdateBatch(this.#object.map("listeners"), staged.length);
    let ranges = [...gone, ...off].length > 0 && this.hasRanges;
    for (const held of staged) {
      ranges ||= !isExact(held.forward.listen);
      this.#publish(held, stale, listeners);
    }
    listeners.flush();
    if (ranges || (inherited !== undefined && !this.hasRanges)) this.#setRanges();
    for (const key of stale.values()) this.#object.map("listeners").delete(key);
    if (inherited !== undefined) this.#leaveInherited(inherited);
  }

  /** Of a forward that left and has no flows any more. */
  forget(id: number): void {
    this.leaving.delete(id);
    this.#names[id] = undefined;
    this.#titles.fill(0, id * TITLE.bytes, (id + 1) * TITLE.bytes);
    this.#ids.give(id);
    this.#forgotten(id);
  }

  /** Whether there are places that can be had again in a while. */
  get isResting(): boolean {
    return this.#ids.isResting || this.#writer.isResting;
  }

  /** To be called when all packets that were under way are through, and a while has passed. */
  rest(): void {
    this.#writer.rest();
    this.#ids.rest();
  }

  #stage(forwards: readonly Forward[]): Held[] {
    const staged: Held[] = [];
    try {
      for (const forward of forwards) {
        // Nobody is asked for what cannot be there: all at once is the first change of many.
        const before = this.#held.size === 0 ? undefined : this.#held.get(forward.name);
        const known = before?.id ?? this.#inherited?.get(forward.name);
        const list = forward.allow.length + forward.deny.length === 0 ? 0 : this.#nextList++;
        const access = list === 0 ? NO_ACCESS : accessEntries(list, forward.allow, forward.deny);
        const written = this.#writer.write(forward, list);
        staged.push({ id: known ?? -1, forward, written, access, before });
        for (const { key, verdict } of access) this.#object.map("access").update(key, number32(verdict));
      }
      for (const held of staged) if (held.id < 0) held.id = this.#ids.take();
      return staged;
    } catch (error) {
      for (const held of staged) this.#discard(held);
      throw error;
    }
  }

  #publish(held: Held, stale: Map<string, Uint8Array>, listeners: UpdateBatch): void {
    const { id, forward, written, before } = held;
    held.before = undefined;
    this.#title(id, forward);
    Atomics.store(this.#forwards, (id * INDEX_BYTES) / 4, written.policy);
    this.#held.set(forward.name, held);
    if (this.leaving.size > 0) this.leaving.delete(id);
    if (before !== undefined) {
      this.#noteBackends(id, before.forward, forward);
      this.#discard(before);
      if (sameListen(before.forward.listen, forward.listen)) return;
      if (isExact(before.forward.listen)) {
        const key = listenKey(before.forward.listen);
        stale.set(text(key), key);
      }
    }
    if (!isExact(forward.listen)) return;
    if (stale.size > 0) stale.delete(text(listenKey(forward.listen)));
    putListenKey(listeners.keys, listeners.at, forward.listen);
    listeners.add(id);
  }

  #noteBackends(id: number, before: Forward, after: Forward): void {
    const kept = new Set(after.backends.map(formatBackend));
    if (before.backends.some((backend) => !kept.has(formatBackend(backend)))) this.deserted.set(id, after);
  }

  /** No new flows, and those that run are ended by their next packet or by the collector. */
  #withdraw(name: string, stale: Map<string, Uint8Array>): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    Atomics.store(this.#forwards, (held.id * INDEX_BYTES) / 4, 0);
    this.leaving.add(held.id);
    if (isExact(held.forward.listen)) {
      const key = listenKey(held.forward.listen);
      stale.set(text(key), key);
    }
    this.#discard(held);
  }

  #discard({ written, access }: Held): void {
    this.#writer.give(written);
    for (const { key } of access) this.#object.map("access").delete(key);
  }

  #title(id: number, { name, idleSeconds }: Forward): void {
    const base = id * TITLE.bytes;
    if (this.#names[id] !== name) {
      this.#names[id] = name;
      // By hand: calls out of JavaScript cost more than a short name. Behind it are zeros: the place was nobody's.
      for (let i = 0; i < name.length; i++) this.#titles[base + i] = name.charCodeAt(i);
    }
    this.#numbers[(base + TITLE.idle) / 4] = idleSeconds;
  }

  /** New places first, then the addresses that lead to them, then what nobody is led to any more goes. */
  #setRanges(): void {
    const entries = [...this.#held.values()]
      .filter(({ forward }) => !isExact(forward.listen))
      .map(({ id, forward }) => ({ forward: id, listen: forward.listen }));
    const table = rangeTable(entries, (listeners) => {
      const place = this.#places.get(listeners) ?? this.#nextPlace++;
      this.#places.set(listeners, place);
      return place;
    });
    for (const name of ["ranges", "places"] as const) {
      const map = this.#object.map(name);
      for (const [key, value] of table[name])
        if (this.#ranges[name].get(key) !== value) map.update(Buffer.from(key, "latin1"), number32(value));
    }
    for (const name of ["places", "ranges"] as const) {
      const map = this.#object.map(name);
      for (const key of this.#ranges[name].keys()) if (!table[name].has(key)) map.delete(Buffer.from(key, "latin1"));
    }
    const used = new Set(table.places.values());
    for (const [listeners, place] of this.#places) if (!used.has(place)) this.#places.delete(listeners);
    this.#ranges = table;
  }

  #inherit(): void {
    const inherited = new Map<string, number>();
    for (let id = 0; id < this.#object.map("forwards").shape.entries; id++) {
      const policy = this.#forwards[(id * INDEX_BYTES) / 4]!;
      if (this.#titles[id * TITLE.bytes] === 0) continue;
      const name = this.#titles.toString("latin1", id * TITLE.bytes, id * TITLE.bytes + TITLE.nameBytes).replace(/\0.*$/s, "");
      this.#ids.claim(id);
      this.#names[id] = name;
      if (policy === 0) {
        this.leaving.add(id);
        continue;
      }
      inherited.set(name, id);
      this.#release.push(this.#writer.claim(policy));
      const policies = this.#object.map("policies").memory();
      const list = Buffer.from(policies.buffer, policies.byteOffset).readUInt32LE(policy * POLICY.bytes + POLICY.access);
      this.#nextList = Math.max(this.#nextList, list + 1);
    }
    if (inherited.size + this.leaving.size === 0) return;
    this.#inherited = inherited;
    for (const [key, value] of entriesOf(this.#object.map("places"))) {
      this.#nextPlace = Math.max(this.#nextPlace, value + 1);
      (this.#ranges.places as Map<string, number>).set(text(key), value);
    }
    for (const [key, value] of entriesOf(this.#object.map("ranges"))) {
      this.#nextPlace = Math.max(this.#nextPlace, new DataView(key.buffer, key.byteOffset).getUint32(RANGE_KEY.place, true) + 1);
      (this.#ranges.ranges as Map<string, number>).set(text(key), value);
    }
  }

  /** What the first plan after a restart does not want any more. */
  #leaveInherited(inherited: ReadonlyMap<string, number>): void {
    this.#inherited = undefined;
    for (const [name, id] of inherited) {
      if (this.#held.has(name)) continue;
      Atomics.store(this.#forwards, (id * INDEX_BYTES) / 4, 0);
      this.leaving.add(id);
    }
    const listeners = this.#object.map("listeners");
    const wanted = new Map<string, number>();
    for (const { id, forward } of this.#held.values()) if (isExact(forward.listen)) wanted.set(text(listenKey(forward.listen)), id);
    for (const [key] of [...entriesOf(listeners)]) if (!wanted.has(text(key))) listeners.delete(key);
    const access = this.#object.map("access");
    const lists = new Set([...this.#held.values()].flatMap((held) => held.access.slice(0, 1).map(({ key }) => listOf(key))));
    for (const [key] of [...entriesOf(access)]) if (!lists.has(listOf(key))) access.delete(key);
    for (const release of this.#release) release();
    this.#release = [];
  }
}

const NO_ACCESS: readonly AccessEntry[] = [];

function listOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(ACCESS_KEY.list, true);
}

/** All entries of a map with 32-bit values. */
function* entriesOf(map: BpfMap): Generator<[key: Uint8Array, value: number]> {
  const walk = map.walk();
  while (!walk.done) {
    const count = walk.next();
    for (let i = 0; i < count; i++)
      yield [walk.keys.bytes.slice(i * map.shape.keyBytes, (i + 1) * map.shape.keyBytes), walk.values.view.getUint32(i * 4, true)];
  }
}

function sameListen(a: Listen, b: Listen): boolean {
  const [one, other] = [a.addresses, b.addresses];
  if (one.family !== other.family || one.first !== other.first || one.last !== other.last) return false;
  return a.ports.first === b.ports.first && a.ports.last === b.ports.last;
}

function listenKey(listen: Listen): Uint8Array {
  const key = new Uint8Array(LISTEN_KEY.bytes);
  putListenKey(new DataView(key.buffer), 0, listen);
  return key;
}

function putListenKey(view: DataView, at: number, { addresses: { family, first }, ports }: Listen): void {
  putAddress(view, at, family, first);
  view.setUint16(at + LISTEN_KEY.port, ports.first);
}

function text(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

function number32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
