import assert from "node:assert/strict";
import { test } from "node:test";
import { egress, input, ownMachines, regions, viewing } from "./browser/ivs-prices.ts";

const america = regions[0]!;

test("viewer hours by tiers, channel hours by type: the published example", () => {
  assert.equal(viewing(america, "FULL_HD", 20_000), 2900);
  assert.equal(viewing(america, "HD", 20_000), 1450);
  assert.equal(viewing(america, "SD", 10_000), 375);
  assert.equal(viewing(america, "SD", 0), 0);
  assert.equal(input("STANDARD", 100), 200);
  assert.equal(input("BASIC", 100), 20);
});

test("one's own: an hour of 6 Mbit/s is 2.7 GB", () => {
  assert.equal(egress(1, 6), 2.7);
  assert.equal(ownMachines(2, 40, 1000, 0.01), 90);
});
