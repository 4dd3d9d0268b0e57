import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { kcpScenarios } from "./kcp-scenarios.ts";
import { fingerprint, play } from "./scenario.ts";

const scenario = (name: string) => kcpScenarios.find((candidate) => candidate.name === name)!;

test("20,000 messages over 10 % loss arrive in order; two runs of a seed are alike to the last bit", () => {
  const first = fingerprint(play(scenario("kcp-loss"), 1).counted);
  assert.equal(fingerprint(play(scenario("kcp-loss"), 1).counted), first);
  assert.notEqual(fingerprint(play(scenario("kcp-loss"), 2).counted), first);
});

for (const { name, about } of kcpScenarios) {
  if (name === "kcp-loss" || name === "kcp-table") continue;
  test(`${name}: ${about}`, () => {
    for (const seed of [1, 2, 3]) play(scenario(name), seed);
  });
}

test("the table of loss × round trip × mode has not changed", () => {
  const committed = readFileSync(join(import.meta.dirname, "kcp-table.md"), "utf8");
  const { text } = play(scenario("kcp-table"), 1);
  assert.equal(text, committed, "if this is meant: npm run --silent sim -- --scenario kcp-table > sim/kcp-table.md");
});

test("a failing simulation names its seed and the command that replays it", () => {
  const failing = {
    name: "falls",
    about: "",
    run: () => {
      throw new Error("message 3 is wrong");
    },
  };
  assert.throws(
    () => play(failing, 77),
    /falls failed with seed 77: message 3 is wrong\n {2}replay: npm run sim -- --scenario falls --seed 77/,
  );
});
