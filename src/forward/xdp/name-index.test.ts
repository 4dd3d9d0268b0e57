import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { NameIndex } from "./name-index.ts";

test("finds what a Map finds, while names come and go", () => {
  const room = 64;
  const random = new Prng(7);
  const names: (string | undefined)[] = [];
  const index = new NameIndex(names, room);
  const model = new Map<string, number>();
  for (let step = 0; step < 20_000; step++) {
    const number = random.below(room);
    const name = names[number];
    if (name !== undefined) {
      index.remove(number);
      model.delete(name);
      names[number] = undefined;
    } else {
      const fresh = `f${random.below(200)}`;
      if (model.has(fresh)) continue;
      names[number] = fresh;
      index.add(number, index.sumOf(fresh));
      model.set(fresh, number);
    }
    const asked = `f${random.below(200)}`;
    assert.equal(index.find(asked), model.get(asked));
    assert.equal(index.size, model.size);
  }
  for (const [name, number] of model) assert.equal(index.find(name), number);
});
