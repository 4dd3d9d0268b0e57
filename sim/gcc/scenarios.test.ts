import assert from "node:assert/strict";
import { test } from "node:test";
import { fingerprint, play } from "../scenario.ts";
import { gccScenarios } from "./scenarios.ts";

test("RFC 8867 5.1 holds what it promises, and the same seed gives the same figures", () => {
  const scenario = gccScenarios.find(({ name }) => name === "gcc-5.1")!;
  const [first, again, other] = [1, 1, 2].map((seed) => play(scenario, seed));
  assert.equal(first!.text, again!.text);
  assert.equal(fingerprint(first!.counted), fingerprint(again!.counted));
  assert.notEqual(fingerprint(first!.counted), fingerprint(other!.counted));
});
