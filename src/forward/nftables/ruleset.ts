/**
 * What the table holds for a set of forwards, kept up to date change by change: which element stands for which forward, and which parts are in use.
 *
 *   forward → contribution: elements of maps, parts          equal forwards, equal contributions
 *   change  → elements away, elements in; parts that begin or cease to be used; hooks when a map begins or ceases to be empty
 */
import type { SetElement, TableEdit } from "../../host/nf-tables/table-edit.ts";
import type { Forward } from "../forward.ts";
import { weighted } from "../forward.ts";
import type { Family } from "../ip-range.ts";
import { portOf } from "../listen.ts";
import type { Plan } from "../plan.ts";
import { type Base, editHooks, LAYOUT, type MapKind, mapName } from "./layout.ts";
import { digest32 } from "./names.ts";
import { groupPart, idlePart, limitPart, type Part, sourcePart } from "./parts.ts";
import { addressOf, endOf, keyOf } from "./place.ts";

interface Contribution {
  readonly elements: readonly { readonly map: string; readonly value: NonNullable<SetElement["value"]> }[];
  readonly parts: readonly Part[];
}

export class Ruleset {
  readonly #bases = new Map<Family, Base>();
  readonly #baseParts: Part[] = [];
  /** Parts that many forwards share. */
  readonly #made = new Map<string, Part>();
  readonly #elements = new Map<string, number>();
  readonly #parts = new Map<string, { readonly part: Part; uses: number }>();
  /** Of all forwards, in any order. */
  #digest = LAYOUT;
  #revision = 0;

  /**
   * For forwards that are all new. The most usual idle time and source of each family become what no map needs to name; `bases`: as an earlier
   * process chose.
   */
  constructor(forwards: Iterable<Forward>, revision: number, bases?: ReadonlyMap<Family, Base>) {
    const all = [...forwards];
    for (const family of [4, 6] as const) this.#choose(family, all, bases?.get(family));
    for (const forward of all) this.#count(forward, 1, []);
    this.#revision = revision;
  }

  /** The whole content, for a table in which all maps are empty and hooks have no rules. */
  writeParts(edit: TableEdit): void {
    for (const { part } of this.#parts.values()) part.write(edit);
  }

  /** Elements of `forwards`, map by map. */
  writeElements(edit: TableEdit, forwards: Iterable<Forward>): void {
    const byMap = new Map<string, SetElement[]>();
    for (const forward of forwards) {
      const key = keyOf(forward.listen);
      for (const { map, value } of this.contribution(forward).elements) {
        const elements = byMap.get(map);
        if (elements === undefined) byMap.set(map, [{ ...key, value }]);
        else elements.push({ ...key, value });
      }
    }
    for (const [map, elements] of byMap) for (const element of elements) edit.addElement(map, element);
  }

  writeHooks(edit: TableEdit): void {
    editHooks(edit, this.#used(), this.#bases);
  }

  /** The table says which state it is in, and what no map names. */
  writeMark(edit: TableEdit): void {
    const comment = [...this.#bases].map(([family, { idle, source }]) => `${family}:${idle}:${source}`).join(" ");
    edit.flushSet("state");
    edit.addElement("state", { key: stateKey(this.state), comment });
  }

  get chains(): readonly string[] {
    return [...this.#parts.values()].flatMap(({ part }) => [part.chain, ...part.chains]);
  }

  get sets(): readonly string[] {
    return [...this.#parts.values()].flatMap(({ part }) => part.sets);
  }

  get state(): { readonly digest: number; readonly revision: number } {
    return { digest: this.#digest >>> 0, revision: this.#revision };
  }

  /** The change. Afterwards this is what holds when it has been applied. */
  change(edit: TableEdit, plan: Plan): void {
    const before = this.#used();
    const begun: Part[] = [];
    const away = new Map<string, SetElement[]>();
    const gone = [...plan.removed, ...plan.changed.map((change) => change.before)];
    const come = [...plan.added, ...plan.changed.map((change) => change.after)];
    // Those that come first, so that a part used by both neither ends nor begins.
    const families = this.#bases.size;
    for (const family of [4, 6] as const) if (!this.#bases.has(family)) this.#choose(family, come, undefined, begun);
    for (const forward of come) this.#count(forward, 1, begun);
    const ended: Part[] = [];
    for (const forward of gone) {
      for (const { map } of this.contribution(forward).elements) {
        const keys = away.get(map);
        if (keys === undefined) away.set(map, [keyOf(forward.listen)]);
        else keys.push(keyOf(forward.listen));
      }
      this.#count(forward, -1, ended);
    }
    this.#revision = plan.after.revision;
    const used = this.#used();
    const same = families === this.#bases.size && used.size === before.size && [...used].every((name) => before.has(name));
    for (const part of begun) part.write(edit);
    for (const [map, elements] of away) for (const element of elements) edit.deleteElement(map, element);
    this.writeElements(edit, come);
    if (!same) this.writeHooks(edit);
    for (const part of ended) endPart(edit, part);
    this.writeMark(edit);
  }

  /** What the forward means for the table. */
  contribution(forward: Forward): Contribution {
    const { listen, state } = forward;
    if (state === "off") return { elements: [], parts: [] };
    const { family } = listen.addresses;
    const base = this.#bases.get(family);
    const elements: { map: string; value: NonNullable<SetElement["value"]> }[] = [];
    const parts: Part[] = [];
    const put = (kind: MapKind, value: NonNullable<SetElement["value"]>): void => void elements.push({ map: mapName(kind, listen), value });
    const use = (kind: MapKind, verb: "goto" | "jump", part: Part): void => {
      parts.push(part);
      put(kind, { verb, chain: part.chain });
    };
    const backends = weighted(forward);
    if (state === "on" && backends.length > 1) use("group", "goto", groupPart(forward));
    else if (state === "on" && backends.length === 1) {
      const port = portOf(listen, backends[0]!);
      const { address } = backends[0]!;
      if (port === undefined) put("host", addressOf(family, address));
      else put("to", endOf(family, address, port));
    }
    const limit = limitPart(forward);
    if (limit !== undefined) use("limit", "jump", limit);
    const idle = this.#idle(family, forward.idleSeconds);
    if (idle.chain !== base?.idle) use("idle", "goto", idle);
    const source = this.#source(forward);
    if (source.chain !== base?.source) use("source", "goto", source);
    return { elements, parts };
  }

  #choose(family: Family, forwards: readonly Forward[], given: Base | undefined, begun: Part[] = []): void {
    const own = forwards.filter(({ listen, state }) => listen.addresses.family === family && state !== "off");
    if (own.length === 0) return;
    const idles = mostUsual(own.map((forward) => String(forward.idleSeconds)));
    const usual = mostUsual(own.map((forward) => forward.source.text));
    let idle = this.#idle(family, Number(idles));
    let source = this.#source(own.find((forward) => forward.source.text === usual)!);
    if (given !== undefined) {
      const seconds = Number(given.idle.split("_").at(-1));
      if (seconds > 0) idle = this.#idle(family, seconds);
      const same = own.find((forward) => this.#source(forward).chain === given.source);
      if (same !== undefined) source = this.#source(same);
    }
    this.#bases.set(family, { idle: idle.chain, source: source.chain });
    for (const part of [idle, source]) {
      this.#baseParts.push(part);
      this.#use(part, 1, begun);
    }
  }

  #count(forward: Forward, by: 1 | -1, turned: Part[]): void {
    const { elements, parts } = this.contribution(forward);
    for (const { map } of elements) this.#elements.set(map, (this.#elements.get(map) ?? 0) + by);
    for (const part of parts) this.#use(part, by, turned);
    this.#digest ^= digest32(forward.text);
  }

  #idle(family: Family, seconds: number): Part {
    return cached(this.#made, `${family} ${seconds}`, () => idlePart(family, seconds));
  }

  #source({ listen, source }: Forward): Part {
    const { family } = listen.addresses;
    return cached(this.#made, `${family} ${source.text}`, () => sourcePart(family, source));
  }

  #use(part: Part, by: 1 | -1, turned: Part[]): void {
    const known = this.#parts.get(part.chain);
    if (known === undefined) {
      this.#parts.set(part.chain, { part, uses: 1 });
      turned.push(part);
      return;
    }
    known.uses += by;
    if (known.uses > 0) return;
    this.#parts.delete(part.chain);
    turned.push(part);
  }

  #used(): Set<string> {
    return new Set([...this.#elements].filter(([, count]) => count > 0).map(([name]) => name));
  }
}

/** Two numbers of 32 bits in the machine's order, which is little-endian. */
function stateKey({ digest, revision }: { readonly digest: number; readonly revision: number }): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, digest, true);
  view.setUint32(4, revision, true);
  return new Uint8Array(view.buffer);
}

/** What `writeMark` wrote. */
export function readState(key: Uint8Array): { readonly digest: number; readonly revision: number } {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  return { digest: view.getUint32(0, true), revision: view.getUint32(4, true) };
}

/** Chains go before what their rules name. Idle times stay: flows hang on them. */
function endPart(edit: TableEdit, { chain, chains, sets }: Part): void {
  if (chain.startsWith("idle_")) return;
  for (const name of [chain, ...chains]) edit.flushChain(name);
  for (const name of [chain, ...chains]) edit.deleteChain(name);
  for (const name of sets) edit.deleteSet(name);
}

function cached(parts: Map<string, Part>, key: string, make: () => Part): Part {
  const known = parts.get(key);
  if (known !== undefined) return known;
  const part = make();
  parts.set(key, part);
  return part;
}

function mostUsual(keys: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}
