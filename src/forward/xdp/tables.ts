/**
 * The desired state in the program's tables. A change is prepared where no packet looks, then each forward is switched over by one number.
 *
 *   stage: policies, access lists, listeners (new places)  ─► publish: forwards[id] = policy, listener = id ─► what is left over goes
 *
 * Names and numbers of forwards stand in the table `titles`, so that a restarted process knows them again.
 */
import type { ForwardStats } from "../datapath.ts";
import type { Forward } from "../forward.ts";
import { formatBackend, isExact, type Listen } from "../listen.ts";
import type { Plan } from "../plan.ts";
import { type AccessEntry, accessEntries } from "./access-list.ts";
import type { FlowEntry } from "./flow-entry.ts";
import { HeldForwards } from "./held-forwards.ts";
import { ACCESS_KEY, INDEX_BYTES, POLICY, TITLE } from "./layout.ts";
import type { ListenerTable } from "./listener-table.ts";
import { entriesOf, number32 } from "./map-entries.ts";
import { fold } from "./name-index.ts";
import { PolicyWriter, type SourceOf } from "./policy-writer.ts";
import { RangeMaps } from "./range-maps.ts";
import type { RangeEntry } from "./range-table.ts";
import { Slots } from "./slots.ts";
import { MARK, RANGE, Staged } from "./staged.ts";
import type { TableMaps } from "./table-map.ts";

export class Tables {
  readonly #object: TableMaps;
  readonly #writer: PolicyWriter;
  readonly #ids: Slots;
  readonly #listeners: ListenerTable;
  readonly #held: HeldForwards;
  /** Lists of prefixes by the policy that has one. */
  readonly #access = new Map<number, readonly AccessEntry[]>();
  readonly #forwards: Int32Array;
  readonly #titles: Buffer;
  /** The same. */
  readonly #numbers: Uint32Array;
  readonly #ended: BigUint64Array;
  readonly #ranges: RangeMaps;
  readonly #forgotten: (id: number) => void;
  #nextList = 1;
  /** A plan has been applied: what holds is known. */
  #isLed = false;
  /** What an earlier process left: its numbers by name, and how its entries are given up. */
  #inherited: Map<string, number> | undefined;
  #release: (() => void)[] = [];
  /** Listeners that a forward has no more. */
  #left: { readonly id: number; readonly place: number }[] = [];

  /** `forgotten`: a number that has no forward any more. */
  constructor(object: TableMaps, listeners: ListenerTable, sourceOf: SourceOf, forgotten: (id: number) => void) {
    this.#object = object;
    this.#listeners = listeners;
    this.#forgotten = forgotten;
    this.#writer = new PolicyWriter(object, sourceOf);
    this.#ranges = new RangeMaps(object);
    const forwards = object.map("forwards").memory();
    this.#forwards = new Int32Array(forwards.buffer, forwards.byteOffset, forwards.length / 4);
    const titles = object.map("titles").memory();
    this.#titles = Buffer.from(titles.buffer, titles.byteOffset, titles.length);
    this.#numbers = new Uint32Array(titles.buffer, titles.byteOffset, titles.length / 4);
    this.#ended = new BigUint64Array(titles.buffer, titles.byteOffset, titles.length / 8);
    const { entries } = object.map("forwards").shape;
    this.#ids = new Slots("forwards", entries);
    this.#held = new HeldForwards(entries);
    this.#inherit();
  }

  /** Whether there are listeners that are ranges. */
  get hasRanges(): boolean {
    return !this.#ranges.isEmpty;
  }

  /** By number; also of those that left and have flows. */
  get names(): readonly (string | undefined)[] {
    return this.#held.names;
  }

  idOf(name: string): number | undefined {
    return this.#held.idOf(name);
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
    // What the first plan starts from is what somebody believes to be here.
    const wanted = this.#isLed ? [...plan.added, ...plan.changed.map(({ after }) => after)] : [...plan.after.forwards.values()];
    const gone = this.#isLed ? plan.removed.map(({ name }) => name) : [];
    const staged = this.#stage(wanted, gone);
    const leavesRange = this.#publish(staged);
    const ranges = leavesRange || staged.hasRange || (gone.length > 0 && this.hasRanges);
    // Behind the others, so that who comes in somebody's place has it before that one goes.
    for (const name of gone) this.#withdraw(name);
    for (const { id, place } of this.#left) this.#listeners.release(place, id);
    this.#left = [];
    if (ranges || (inherited !== undefined && !this.hasRanges)) this.#setRanges();
    if (inherited !== undefined) this.#leaveInherited(inherited);
    this.#isLed = true;
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

  /** What no packet sees yet. Those that are off go to `gone`. */
  #stage(wanted: readonly Forward[], gone: string[]): Staged {
    const staged = new Staged(wanted);
    for (const { name } of staged.off) if (this.#held.idOf(name) !== undefined) gone.push(name);
    try {
      this.#number(staged);
      this.#writePolicies(staged);
      this.#claimListeners(staged);
      return staged;
    } catch (error) {
      this.#unstage(staged);
      throw error;
    }
  }

  #number(staged: Staged): void {
    const { forwards, ids, marks } = staged;
    const inherited = this.#inherited;
    // Nobody is asked for what cannot be there: all at once is the first change of many.
    if (this.#held.size > 0 || inherited !== undefined)
      for (let row = 0; row < forwards.length; row++) {
        const { name } = forwards[row]!;
        ids[row] = this.#held.idOf(name) ?? inherited?.get(name) ?? -1;
      }
    const { rows } = staged;
    for (let row = 0; row < rows; row++) {
      if (ids[row] !== -1) continue;
      marks[row] = MARK.isNew;
      staged.added++;
    }
    if (staged.added === 0) return;
    this.#ids.takeEach(ids, rows);
    this.#titleNew(staged);
  }

  /** Nothing leads to a number that is new: it has its name at once. */
  #titleNew({ forwards, ids, marks, sums }: Staged): void {
    for (let row = 0; row < forwards.length; row++) if (marks[row] === MARK.isNew) sums[row] = this.#title(ids[row]!, forwards[row]!);
  }

  #writePolicies(staged: Staged): void {
    const { forwards, plainPorts, policies } = staged;
    for (let row = 0; row < forwards.length; row++) if (plainPorts[row] === 0) policies[row] = this.#writePolicy(forwards[row]!);
    this.#writer.writePlain(staged);
  }

  #writePolicy(forward: Forward): number {
    if (forward.allow.length + forward.deny.length === 0) return this.#writer.write(forward, 0);
    const policy = this.#writer.write(forward, this.#nextList);
    this.#list(policy, forward);
    return policy;
  }

  #list(policy: number, { allow, deny }: Forward): void {
    const entries = accessEntries(this.#nextList++, allow, deny);
    this.#access.set(policy, entries);
    for (const { key, verdict } of entries) this.#object.map("access").update(key, number32(verdict));
  }

  /** Their places among the listeners; what nobody had leads to the number at once when that is new. */
  #claimListeners(staged: Staged): void {
    const { forwards, ids, plainPorts, places, marks } = staged;
    if (staged.added > 0) this.#listeners.claimPlain(staged);
    for (let row = 0; row < forwards.length; row++)
      if (plainPorts[row] === 0 || (marks[row]! & MARK.isNew) === 0) this.#claimListener(row, forwards[row]!, ids[row]!, places, marks);
  }

  #claimListener(row: number, { listen }: Forward, id: number, places: Int32Array, marks: Uint8Array): void {
    if (!isExact(listen)) return;
    const isNew = marks[row] === MARK.isNew;
    const before = isNew ? undefined : this.#held.forwards[id];
    if (before !== undefined && sameListen(before.listen, listen)) {
      places[row] = this.#held.places[id]!;
      marks[row] = MARK.isLed;
      return;
    }
    const place = this.#listeners.claim(listen);
    places[row] = place;
    if (isNew && this.#listeners.lead(place, id)) marks[row] = MARK.isNew | MARK.isLed;
  }

  #unstage({ forwards, ids, policies, places, marks }: Staged): void {
    for (let row = 0; row < forwards.length; row++) {
      const [id, policy, place, mark] = [ids[row]!, policies[row]!, places[row]!, marks[row]!];
      if (policy >= 0) this.#discard(policy);
      if (mark === (MARK.isNew | MARK.isLed)) this.#listeners.release(place, id);
      else if (place >= 0) this.#listeners.abandon(place);
      if ((mark & MARK.isNew) !== 0 && id >= 0) this.#vacate(id);
    }
  }

  /** Whether one was a range before. */
  #publish(staged: Staged): boolean {
    const { forwards, ids, policies, places, marks } = staged;
    let leavesRange = false;
    for (let row = 0; row < forwards.length; row++) {
      if ((marks[row]! & MARK.isNew) === 0) leavesRange = this.#replace(staged, row) || leavesRange;
      else if ((marks[row]! & MARK.isLed) === 0 && places[row]! >= 0) this.#listeners.publish(places[row]!, ids[row]!);
    }
    if (staged.added === 0) return leavesRange;
    const numbers = this.#forwards;
    for (let row = 0; row < forwards.length; row++)
      if ((marks[row]! & MARK.isNew) !== 0) Atomics.store(numbers, ids[row]! * (INDEX_BYTES / 4), policies[row]!);
    this.#held.addEach(staged);
    return leavesRange;
  }

  /** Whether it was a range before. */
  #replace({ forwards, ids, policies, places, marks }: Staged, row: number): boolean {
    const [id, policy, place, forward] = [ids[row]!, policies[row]!, places[row]!, forwards[row]!];
    const before = this.#held.forwards[id];
    const [policyBefore, placeBefore] = [this.#held.policies[id]!, this.#held.places[id]!];
    this.#title(id, forward);
    Atomics.store(this.#forwards, (id * INDEX_BYTES) / 4, policy);
    if (place >= 0 && (marks[row]! & MARK.isLed) === 0) this.#listeners.publish(place, id);
    if (before === undefined) this.#held.add(id, this.#held.sumOf(forward.name));
    this.#held.set(id, forward, policy, place);
    this.leaving.delete(id);
    if (before === undefined) return false;
    this.#noteBackends(id, before, forward);
    this.#discard(policyBefore);
    if (placeBefore >= 0 && placeBefore !== place) this.#left.push({ id, place: placeBefore });
    return placeBefore === RANGE;
  }

  #noteBackends(id: number, before: Forward, after: Forward): void {
    const kept = new Set(after.backends.map(formatBackend));
    if (before.backends.some((backend) => !kept.has(formatBackend(backend)))) this.deserted.set(id, after);
  }

  /** No new flows, and those that run are ended by their next packet or by the collector. */
  #withdraw(name: string): void {
    const id = this.#held.idOf(name);
    if (id === undefined) return;
    const [policy, place] = [this.#held.policies[id]!, this.#held.places[id]!];
    this.#held.remove(id);
    Atomics.store(this.#forwards, (id * INDEX_BYTES) / 4, 0);
    this.leaving.add(id);
    if (place >= 0) this.#left.push({ id, place });
    this.#discard(policy);
  }

  #discard(policy: number): void {
    this.#writer.give(policy);
    const entries = this.#access.size === 0 ? undefined : this.#access.get(policy);
    if (entries === undefined) return;
    this.#access.delete(policy);
    for (const { key } of entries) this.#object.map("access").delete(key);
  }

  /** The number is nobody's, and can be had again in a while. */
  #vacate(id: number): void {
    this.#held.names[id] = undefined;
    this.#titles.fill(0, id * TITLE.bytes, (id + 1) * TITLE.bytes);
    this.#ids.give(id);
  }

  /** The name's sum. */
  #title(id: number, { name, idleSeconds }: Forward): number {
    const [titles, base] = [this.#titles, id * TITLE.bytes];
    let sum = 0;
    // By hand: calls out of JavaScript cost more than a short name. Behind it are zeros, or it is the same name: the place was nobody's.
    for (let i = 0; i < name.length; i++) {
      const letter = name.charCodeAt(i);
      titles[base + i] = letter;
      sum = fold(sum, letter);
    }
    this.#numbers[(base + TITLE.idle) / 4] = idleSeconds;
    this.#held.names[id] = name;
    return sum;
  }

  #setRanges(): void {
    const entries: RangeEntry[] = [];
    for (const [id, forward] of this.#held.forwards.entries())
      if (forward !== undefined && this.#held.places[id] === RANGE) entries.push({ forward: id, listen: forward.listen });
    this.#ranges.set(entries);
  }

  #inherit(): void {
    const inherited = new Map<string, number>();
    for (let id = 0; id < this.#object.map("forwards").shape.entries; id++) {
      const policy = this.#forwards[(id * INDEX_BYTES) / 4]!;
      if (this.#titles[id * TITLE.bytes] === 0) continue;
      const name = this.#titles.toString("latin1", id * TITLE.bytes, id * TITLE.bytes + TITLE.nameBytes).replace(/\0.*$/s, "");
      this.#ids.claim(id);
      this.#held.names[id] = name;
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
    this.#ranges.inherit();
  }

  /** What the first plan after a restart does not want any more. */
  #leaveInherited(inherited: ReadonlyMap<string, number>): void {
    this.#inherited = undefined;
    for (const [name, id] of inherited) {
      if (this.#held.idOf(name) !== undefined) continue;
      Atomics.store(this.#forwards, (id * INDEX_BYTES) / 4, 0);
      this.leaving.add(id);
    }
    const wanted = new Set<number>();
    for (const [id, forward] of this.#held.forwards.entries()) if (forward !== undefined) wanted.add(this.#held.places[id]!);
    for (const place of this.#listeners.places()) if (!wanted.has(place)) this.#listeners.release(place, this.#listeners.at(place)!);
    const access = this.#object.map("access");
    const lists = new Set([...this.#access.values()].flatMap((entries) => entries.slice(0, 1).map(({ key }) => listOf(key))));
    for (const [key] of [...entriesOf(access)]) if (!lists.has(listOf(key))) access.delete(key);
    for (const release of this.#release) release();
    this.#release = [];
  }
}

function listOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(ACCESS_KEY.list, true);
}

function sameListen(a: Listen, b: Listen): boolean {
  const [one, other] = [a.addresses, b.addresses];
  if (one.family !== other.family || one.first !== other.first || one.last !== other.last) return false;
  return a.ports.first === b.ports.first && a.ports.last === b.ports.last;
}
