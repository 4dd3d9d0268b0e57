import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { desiredState, NOTHING_DESIRED } from "../desired-state.ts";
import { type Forward, parseForward } from "../forward.ts";
import { plan } from "../plan.ts";
import { tableScript } from "./layout.ts";
import { Ruleset } from "./ruleset.ts";

const forward = (entry: object): Forward => parseForward({ name: "a", listen: "192.0.2.1:5000", to: ["10.0.0.1:6000"], ...entry }, "");
const elementsOf = (entry: object): string[] =>
  new Ruleset([forward({ name: "base" }), forward({ name: "base6", listen: "[2001:db8::1]:1", to: ["[2001:db8::2]:1"] })], 1)
    .contribution(forward(entry))
    .elements.map(({ map, value }) => `${map} ${value.replace(/_[0-9a-f]{12}$/, "_…")}`);

test("which maps a forward is in", () => {
  assert.deepEqual(elementsOf({}), ["to4 10.0.0.1 . 6000"]);
  assert.deepEqual(elementsOf({ to: ["10.0.0.1"] }), ["to4 10.0.0.1 . 5000"]);
  assert.deepEqual(elementsOf({ listen: "192.0.2.1:5000-5009" }), ["to4r 10.0.0.1 . 6000"]);
  assert.deepEqual(elementsOf({ listen: "192.0.2.0/24:5000", to: ["10.0.0.1"] }), ["host4r 10.0.0.1"]);
  assert.deepEqual(elementsOf({ listen: "[2001:db8::1]:5000", to: ["[2001:db8::2]:7"] }), ["to6 2001:db8::2 . 7"]);
  assert.deepEqual(elementsOf({ to: ["10.0.0.1", "10.0.0.2@2"] }), ["group4 goto group_…"]);
  assert.deepEqual(elementsOf({ to: ["10.0.0.1@0"] }), ["limit4 jump class_…"]);
  assert.deepEqual(elementsOf({ draining: true }), ["limit4 jump class_…"]);
  assert.deepEqual(elementsOf({ deny: ["10.0.0.0/8"], idle: 7 }), ["to4 10.0.0.1 . 6000", "limit4 jump class_…", "idle4 goto idle_t4_7"]);
  assert.deepEqual(elementsOf({ source: ["192.0.2.9"] }), ["to4 10.0.0.1 . 6000", "source4 goto source_…"]);
  assert.deepEqual(elementsOf({ enabled: false }), []);
});

test("the most usual idle time and source need no element", () => {
  const same = Array.from({ length: 9 }, (_, i) =>
    forward({ name: `f${i}`, listen: `192.0.2.1:${i + 1}`, source: ["192.0.2.9"], idle: 40 }),
  );
  const ruleset = new Ruleset([forward({ name: "odd", listen: "192.0.2.1:99" }), ...same], 1);
  assert.deepEqual(ruleset.contribution(same[0]!).elements.length, 1);
  assert.match(ruleset.mark(), /comment "4:idle_t4_40:source_[0-9a-f]{12}"/);
});

/** What a script leaves in the table, elements and chains, as nft would do it; the wrong order of things is an error as there. */
class Table {
  readonly elements = new Map<string, string>();
  readonly rules = new Map<string, string[]>();

  run(script: string): void {
    for (const line of script.split("\n")) {
      const [, verb, kind, name = "", rest = ""] = /^(\w+) (element|chain|rule) inet longhaul_forward (\w+) ?(.*)$/.exec(line) ?? [];
      if (name === "state") continue;
      if (kind === "element" && verb === "add") for (const pair of rest.slice(2, -2).split(", ")) this.#add(name, pair);
      else if (kind === "element") assert.ok(this.elements.delete(`${name} ${rest.slice(2, -2)}`), `deletes what is not there: ${line}`);
      else if (kind === "chain" && verb === "add") this.rules.set(name, this.rules.get(name) ?? []);
      else if (kind === "chain" && verb === "flush") this.rules.set(name, []);
      else if (kind === "rule") this.rules.get(name)!.push(rest);
      else if (kind === "chain") {
        const users = [...this.elements.values(), ...[...this.rules.values()].flat()].filter((text) => text.endsWith(` ${name}`));
        assert.equal(users.length, 0, `${line}: still used`);
        assert.ok(this.rules.delete(name), line);
      }
    }
  }

  #add(map: string, pair: string): void {
    const [key, value] = pair.split(" : ");
    const place = `${map} ${key}`;
    assert.ok(!this.elements.has(place), `${place} is there already`);
    assert.ok(!/ (\w+_\S+)$/.test(value!) || this.rules.has(value!.split(" ")[1]!), `${value} does not exist`);
    this.elements.set(place, value!);
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
    table.run(tableScript() + ruleset.whole() + ruleset.elements(state.forwards.values()) + ruleset.hooks() + ruleset.mark());
    for (let step = 0; step < 6; step++) {
      const next = desiredState(state.revision + 1, step === 5 ? [] : some());
      table.run(ruleset.change(plan(state, next)));
      const expected = new Map<string, string>();
      for (const each of next.forwards.values())
        for (const { map, value } of ruleset.contribution(each).elements) expected.set(`${map} ${each.name}`, value);
      assert.equal(table.elements.size, expected.size, `seed ${seed}, step ${step}`);
      assert.deepEqual([...table.elements.values()].sort(), [...expected.values()].sort(), `seed ${seed}, step ${step}`);
      state = next;
    }
    const kept = [...table.rules.keys()].filter((name) => /^(class|group|source)_/.test(name) && !ruleset.chains.includes(name));
    assert.deepEqual(kept, [], `seed ${seed}: chains that nobody needs`);
    assert.equal(ruleset.state.digest, new Ruleset(NOTHING_DESIRED.forwards.values(), 0).state.digest);
  }
});
