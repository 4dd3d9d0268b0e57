import assert from "node:assert/strict";
import { test } from "node:test";
import { policy } from "./edge-config.ts";
import { SourceLimits } from "./source-limits.ts";

const limits = (given: object, share?: number) => new SourceLimits(policy.parse(given), share);

test("no limits: everybody enters, nobody is remembered", () => {
  const none = limits({});
  for (let i = 0; i < 1000; i++) assert.equal(none.enter(`s${i}`, 0), undefined);
  assert.deepEqual([none.flows, none.sources], [1000, 0]);
});

test("flows at once, of all and of a source; who leaves makes room", () => {
  const both = limits({ flowsMax: 3, sourceFlowsMax: 2 });
  assert.deepEqual(
    [both.enter("a", 0), both.enter("a", 0), both.enter("a", 0), both.enter("b", 0), both.enter("c", 0)],
    [undefined, undefined, "sourceFlows", undefined, "flows"],
  );
  both.leave("a");
  assert.equal(both.enter("a", 0), undefined);
  for (const address of ["a", "a", "b"]) both.leave(address);
  assert.deepEqual([both.flows, both.sources, both.refused.flows, both.refused.sourceFlows], [0, 0, 1, 1]);
});

test("new flows a second of a source; a source that has gone quiet is forgotten", () => {
  const rate = limits({ sourceFlowsPerSecond: 10 });
  const entered = (now: number): number =>
    Array.from({ length: 50 }, () => rate.enter("a", now)).filter((refusal) => refusal === undefined).length;
  assert.deepEqual([entered(0), entered(500), rate.refused.sourceRate], [10, 5, 85]);
  for (let i = 0; i < 15; i++) rate.leave("a");
  rate.sweep(600);
  assert.equal(rate.sources, 1);
  rate.sweep(3000);
  assert.equal(rate.sources, 0);
});

test("more sources than are remembered are refused, those that are known are not", () => {
  const many = limits({ sourceFlowsMax: 5 });
  for (let i = 0; i < 65_536; i++) many.enter(`s${i}`, 0);
  assert.deepEqual([many.enter("one more", 0), many.enter("s7", 0)], ["sources", undefined]);
});

test("threads share a limit", () => {
  const half = limits({ flowsMax: 10 }, 0.5);
  assert.equal(Array.from({ length: 20 }, () => half.enter("a", 0)).filter((refusal) => refusal === undefined).length, 5);
});
