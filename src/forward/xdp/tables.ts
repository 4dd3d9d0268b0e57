/**
 * The desired state in the program's tables. A change is prepared where no packet looks, then each forward is switched over by one number.
 *
 *   stage: policies, access lists, listeners (new places)  ─► publish: forwards[id] = policy, listener = id ─► what is left over goes
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
import type { FlowEntry } from "./flow-entry.ts";
import { ACCESS_KEY, INDEX_BYTES, POLICY, RANGE_KEY, TITLE } from "./layout.ts";
import type { ListenerTable } from "./listener-table.ts";
import { PolicyWriter, type SourceOf, type WrittenPolicy } from "./policy-writer.ts";
import { rangeTable } from "./range-table.ts";
import { Slots } from "./slots.ts";

interface Held {
  id: number;
  /** Whether the number is. */
  readonly isNew: boolean;
  /** In the table of listeners; −1: a range. */
  place: number;
  /** Whether the place leads to the number already, which is nothing as long as that is new. */
  isLed: boolean;
  readonly forward: Forward;
  written: WrittenPolicy;
  readonly access: readonly AccessEntry[];
  /** What it takes the place of. */
  before: Held | undefined;
}

export class Tables {
  readonly #object: BpfObject;
  readonly #writer: PolicyWriter;
  readonly #ids: Slots;
  readonly #listeners: ListenerTable;
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
  /** Listeners that a forward has no more. */
  #left: { readonly id: number; readonly place: number }[] = [];

  /** `forgotten`: a number that has no forward any more. */
  constructor(object: BpfObject, listeners: ListenerTable, sourceOf: SourceOf, forgotten: (id: number) => void) {
    this.#object = object;
    this.#listeners = listeners;
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
    const staged = this.#stage(wanted, gone);
    let ranges = gone.length > 0 && this.hasRanges;
    for (const held of staged) {
      ranges ||= held.place < 0;
      this.#publish(held);
    }
    // Behind the others, so that who comes in somebody's place has it before that one goes.
    for (const name of gone) this.#withdraw(name);
    for (const { id, place } of this.#left) this.#listeners.release(place, id);
    this.#left = [];
    if (ranges || (inherited !== undefined && !this.hasRanges)) this.#setRanges();
    if (inherited !== undefined) this.#leaveInherited(inherited);
  }

  /** Of a forward that left and has no flows any more. */
  forget(id: number): void {
    this.leaving.delete(id);
    this.#vacate(id);
    this.#forgotten(id);
  }

  /** Whether there are places that can be had again in a while. */
  get isResting(): boolean {
    return this.#ids.isResting || this.#writer.isResting || this.#listeners.isResting;
  }

  /** To be called when all packets that were under way are through, and a while has passed. */
  rest(): void {
    this.#writer.rest();
    this.#ids.rest();
    this.#listeners.rest();
  }

  /** What no packet sees yet, in one look at each forward: many of them are more than fits into a cache. Those that are off go to `gone`. */
  #stage(forwards: readonly Forward[], gone: string[]): Held[] {
    const staged: Held[] = [];
    // Nobody is asked for what cannot be there: all at once is the first change of many.
    const [isFirst, inherited] = [this.#held.size === 0, this.#inherited];
    try {
      for (const forward of forwards) {
        const { name, listen } = forward;
        const before = isFirst ? undefined : this.#held.get(name);
        if (forward.state === "off") {
          if (before !== undefined) gone.push(name);
          continue;
        }
        const known = before?.id ?? inherited?.get(name);
        const list = forward.allow.length + forward.deny.length === 0 ? 0 : this.#nextList++;
        const access = list === 0 ? NO_ACCESS : accessEntries(list, forward.allow, forward.deny);
        const held = { id: -1, isNew: known === undefined, place: -1, isLed: false, forward, written: UNWRITTEN, access, before };
        staged.push(held);
        held.id = known ?? this.#ids.take();
        held.written = this.#writer.write(forward, list);
        for (const { key, verdict } of access) this.#object.map("access").update(key, number32(verdict));
        // Nothing leads to a number that is new.
        if (known === undefined) this.#title(held.id, forward);
        if (isExact(listen)) this.#claim(held);
      }
      return staged;
    } catch (error) {
      for (const held of staged) {
        this.#discard(held);
        if (held.isNew && held.isLed) this.#listeners.release(held.place, held.id);
        else if (held.place >= 0) this.#listeners.abandon(held.place);
        if (held.isNew && held.id >= 0) this.#vacate(held.id);
      }
      throw error;
    }
  }

  /** Its place among the listeners; what nobody had leads to the number at once when that is new, while the line is at hand. */
  #claim(held: Held): void {
    const { before, forward, id } = held;
    if (before !== undefined && sameListen(before.forward.listen, forward.listen)) {
      held.place = before.place;
      held.isLed = true;
      return;
    }
    held.place = this.#listeners.claim(forward.listen);
    held.isLed = held.isNew && this.#listeners.at(held.place) === undefined;
    if (held.isLed) this.#listeners.publish(held.place, id);
  }

  #publish(held: Held): void {
    const { id, forward, before, place } = held;
    held.before = undefined;
    if (!held.isNew) this.#title(id, forward);
    Atomics.store(this.#forwards, (id * INDEX_BYTES) / 4, held.written.policy);
    if (place >= 0 && !held.isLed) this.#listeners.publish(place, id);
    this.#held.set(forward.name, held);
    if (this.leaving.size > 0) this.leaving.delete(id);
    if (before !== undefined) {
      this.#noteBackends(id, before.forward, forward);
      this.#discard(before);
      if (before.place >= 0 && before.place !== place) this.#left.push(before);
    }
  }

  #noteBackends(id: number, before: Forward, after: Forward): void {
    const kept = new Set(after.backends.map(formatBackend));
    if (before.backends.some((backend) => !kept.has(formatBackend(backend)))) this.deserted.set(id, after);
  }

  /** No new flows, and those that run are ended by their next packet or by the collector. */
  #withdraw(name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    Atomics.store(this.#forwards, (held.id * INDEX_BYTES) / 4, 0);
    this.leaving.add(held.id);
    if (held.place >= 0) this.#left.push(held);
    this.#discard(held);
  }

  #discard({ written, access }: Held): void {
    if (written !== UNWRITTEN) this.#writer.give(written);
    for (const { key } of access) this.#object.map("access").delete(key);
  }

  /** The number is nobody's, and can be had again in a while. */
  #vacate(id: number): void {
    this.#names[id] = undefined;
    this.#titles.fill(0, id * TITLE.bytes, (id + 1) * TITLE.bytes);
    this.#ids.give(id);
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
      .filter(({ place }) => place < 0)
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
    const wanted = new Set<number>();
    for (const { place } of this.#held.values()) wanted.add(place);
    for (const place of this.#listeners.places()) if (!wanted.has(place)) this.#listeners.release(place, this.#listeners.at(place)!);
    const access = this.#object.map("access");
    const lists = new Set([...this.#held.values()].flatMap((held) => held.access.slice(0, 1).map(({ key }) => listOf(key))));
    for (const [key] of [...entriesOf(access)]) if (!lists.has(listOf(key))) access.delete(key);
    for (const release of this.#release) release();
    this.#release = [];
  }
}

const NO_ACCESS: readonly AccessEntry[] = [];
const UNWRITTEN: WrittenPolicy = { policy: -1, choice: -1, backends: [], sources: [] };

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

function text(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

function number32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
