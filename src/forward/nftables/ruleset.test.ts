import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import type { Expression } from "../../host/nf-tables/expression.ts";
import type { SetElement, SetSpec, TableEdit } from "../../host/nf-tables/table-edit.ts";
import { desiredState, NOTHING_DESIRED } from "../desired-state.ts";
import { type Forward, parseForward } from "../forward.ts";
import { plan } from "../plan.ts";
import { addContents } from "./layout.ts";
import { endOf } from "./place.ts";
import { Ruleset } from "./ruleset.ts";

const forward = (entry: object): Forward => parseForward({ name: "a", listen: "192.0.2.1:5000", to: ["10.0.0.1:6000"], ...entry }, "");
const shown = (value: SetElement["value"]): string => {
  if (value instanceof Uint8Array) return value.join(".");
  return value !== undefined && "chain" in value ? `${value.verb} ${value.chain.replace(/_[0-9a-f]{12}$/, "_…")}` : "";
};
const elementsOf = (entry: object): string[] =>
  new Ruleset([forward({ name: "base" }), forward({ name: "base6", listen: "[2001:db8::1]:1", to: ["[2001:db8::2]:1"] })], 1)
    .contribution(forward(entry))
    .elements.map(({ map, value }) => `${map} ${shown(value)}`);

test("which maps a forward is in", () => {
  assert.deepEqual(elementsOf({}), ["to4 10.0.0.1.23.112.0.0"]);
  assert.deepEqual(elementsOf({ to: ["10.0.0.1"] }), ["to4 10.0.0.1.19.136.0.0"]);
  assert.deepEqual(elementsOf({ listen: "192.0.2.1:5000-5009" }), ["to4r 10.0.0.1.23.112.0.0"]);
  assert.deepEqual(elementsOf({ listen: "192.0.2.0/24:5000", to: ["10.0.0.1"] }), ["host4r 10.0.0.1"]);
  assert.deepEqual(elementsOf({ listen: "[2001:db8::1]:5000", to: ["[2001:db8::2]:7"] }), [
    `to6 ${endOf(6, 0x2001_0db8_0000_0000_0000_0000_0000_0002n, 7).join(".")}`,
  ]);
  assert.deepEqual(elementsOf({ to: ["10.0.0.1", "10.0.0.2@2"] }), ["group4 goto group_…"]);
  assert.deepEqual(elementsOf({ to: ["10.0.0.1@0"] }), ["limit4 jump class_…"]);
  assert.deepEqual(elementsOf({ draining: true }), ["limit4 jump class_…"]);
  assert.deepEqual(elementsOf({ deny: ["10.0.0.0/8"], idle: 7 }), [
    "to4 10.0.0.1.23.112.0.0",
    "limit4 jump class_…",
    "idle4 goto idle_t4_7",
  ]);
  assert.deepEqual(elementsOf({ source: ["192.0.2.9"] }), ["to4 10.0.0.1.23.112.0.0", "source4 goto source_…"]);
  assert.deepEqual(elementsOf({ enabled: false }), []);
});

test("the most usual idle time and source need no element", () => {
  const same = Array.from({ length: 9 }, (_, i) =>
    forward({ name: `f${i}`, listen: `192.0.2.1:${i + 1}`, source: ["192.0.2.9"], idle: 40 }),
  );
  const ruleset = new Ruleset([forward({ name: "odd", listen: "192.0.2.1:99" }), ...same], 1);
  assert.deepEqual(ruleset.contribution(same[0]!).elements.length, 1);
  const table = new Table();
  addContents(table);
  ruleset.writeMark(table);
  assert.match(table.comment, /^4:idle_t4_40:source_[0-9a-f]{12}$/);
});

/** What changes leave in the table; the wrong order of things is an error as in the kernel. */
class Table implements TableEdit {
  readonly elements = new Map<string, SetElement["value"]>();
  readonly rules = new Map<string, Expression[][]>();
  readonly sets = new Set<string>();
  readonly timeouts = new Set<string>();
  comment = "";

  addChain(name: string): void {
    this.rules.set(name, this.rules.get(name) ?? []);
  }

  flushChain(name: string): void {
    assert.ok(this.rules.has(name), name);
    this.rules.set(name, []);
  }

  deleteChain(name: string): void {
    this.#unused(name);
    const deleted = this.rules.get(name);
    assert.ok(deleted !== undefined, name);
    assert.equal(deleted.length, 0, `${name} still has rules`);
    this.rules.delete(name);
  }

  addRule(chain: string, expressions: readonly Expression[]): void {
    for (const { refersTo } of expressions) if (refersTo !== undefined) this.#exists(refersTo);
    this.rules.get(chain)!.push([...expressions]);
  }

  addSet({ name }: SetSpec): void {
    this.sets.add(name);
  }

  flushSet(name: string): void {
    assert.ok(this.sets.has(name), name);
    for (const place of this.elements.keys()) if (place.startsWith(`${name} `)) this.elements.delete(place);
  }

  deleteSet(name: string): void {
    this.#unused(name);
    this.flushSet(name);
    this.sets.delete(name);
  }

  addElement(set: string, { key, keyLast, ends, value, comment }: SetElement): void {
    assert.ok(this.sets.has(set), set);
    const place = `${set} ${key}-${keyLast ?? ""}${ends === true ? " ends" : ""}`;
    assert.ok(!this.elements.has(place), `${place} is there already`);
    if (value !== undefined && "chain" in value) this.#exists(value.chain);
    this.elements.set(place, value);
    if (set === "state") this.comment = comment ?? "";
  }

  deleteElement(set: string, { key, keyLast }: SetElement): void {
    assert.ok(this.elements.delete(`${set} ${key}-${keyLast ?? ""}`), `deletes what is not there: ${set} ${key}`);
  }

  addTimeout(name: string): void {
    this.timeouts.add(name);
  }

  /** Of maps of places, as forwards contribute them. */
  get places(): string[] {
    return [...this.elements]
      .filter(([place]) => !/^(state|group_|class_)/.test(place))
      .map(([place, value]) => `${place.split(" ")[0]} ${JSON.stringify(value)}`)
      .sort();
  }

  #exists(name: string): void {
    assert.ok(this.rules.has(name) || this.sets.has(name) || this.timeouts.has(name), `${name} does not exist`);
  }

  #unused(name: string): void {
    for (const value of this.elements.values())
      assert.ok(value === undefined || !("chain" in value) || value.chain !== name, `${name}: an element still goes there`);
    for (const rule of [...this.rules.values()].flat())
      assert.ok(!rule.some(({ refersTo }) => refersTo === name), `${name}: a rule still refers to it`);
  }
}

test("changes in any order end where a table made anew would be, and never delete what is used", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Prng(seed);
    const pick = <T>(...values: T[]): T => values[random.below(values.length)]!;
    const some = (): Forward[] =>
      Array.from({ length: 12 }, (_, i) => i)
        .filter(() => random.below(4) > 0)
        .map((i) =>
          forward({
            name: `f${i}`,
            listen: i < 9 ? `192.0.2.1:${5000 + i * 20}${pick("", `-${5000 + i * 20 + 9}`)}` : `[2001:db8::1]:${5000 + i}`,
            to: i < 9 ? pick(["10.0.0.1"], ["10.0.0.1:1"], ["10.0.0.1", "10.0.0.2:5@3"], ["10.0.0.1@0"]) : ["[2001:db8::2]:1"],
            idle: pick(120, 120, 60),
            source: i < 9 ? pick(["auto"], ["transparent"], ["192.0.2.7", "192.0.2.8"]) : ["auto"],
            ...pick({}, {}, { draining: true }, { enabled: false }, { packetlimit: 5, sourcebytelimit: 100_000 }, { deny: ["10.0.0.0/8"] }),
            ...(i < 9 ? {} : { deny: [] }),
          }),
        );
    let state = desiredState(1, some());
    const ruleset = new Ruleset(state.forwards.values(), 1);
    const table = new Table();
    addContents(table);
    ruleset.writeParts(table);
    ruleset.writeElements(table, state.forwards.values());
    ruleset.writeHooks(table);
    ruleset.writeMark(table);
    for (let step = 0; step < 6; step++) {
      const next = desiredState(state.revision + 1, step === 5 ? [] : some());
      ruleset.change(table, plan(state, next));
      const expected = [...next.forwards.values()].flatMap((each) =>
        ruleset.contribution(each).elements.map(({ map, value }) => `${map} ${JSON.stringify(value)}`),
      );
      assert.deepEqual(table.places, expected.sort(), `seed ${seed}, step ${step}`);
      state = next;
    }
    const kept = [...table.rules.keys()].filter((name) => /^(class|group|source)_/.test(name) && !ruleset.chains.includes(name));
    assert.deepEqual(kept, [], `seed ${seed}: chains that nobody needs`);
    const keptSets = [...table.sets].filter((name) => /^(class|group)_/.test(name) && !ruleset.sets.includes(name));
    assert.deepEqual(keptSets, [], `seed ${seed}: sets that nobody needs`);
    assert.equal(ruleset.state.digest, new Ruleset(NOTHING_DESIRED.forwards.values(), 0).state.digest);
  }
});
