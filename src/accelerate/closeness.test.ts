import assert from "node:assert/strict";
import { test } from "node:test";
import { Closeness } from "./closeness.ts";
import { flowHash } from "./flow-hash.ts";

test("regions are ordered by their closest endpoint; unmeasured ones are last, in the order they were named", () => {
  const closeness = new Closeness();
  closeness.name(["a", "b", "c", "d"]);
  assert.deepEqual(closeness.regions, ["a", "b", "c", "d"]);
  assert.equal(closeness.measured("c", "c1", 90, 0), true);
  closeness.measured("b", "b1", 200, 0);
  closeness.measured("b", "b2", 20, 0);
  assert.deepEqual(closeness.regions, ["b", "c", "a", "d"]);
  assert.deepEqual([closeness.rank("b"), closeness.distance("b"), closeness.distance("d")], [0, 20, undefined]);
  closeness.name(["c", "e"]);
  assert.deepEqual(closeness.regions, ["c", "e"]);
});

test("jitter changes no order, a lasting difference does", () => {
  const closeness = new Closeness();
  closeness.name(["a", "b"]);
  closeness.measured("a", "a1", 30, 0);
  closeness.measured("b", "b1", 31, 0);
  let changes = 0;
  for (let i = 0; i < 100; i++) if (closeness.measured("b", "b1", 30 + (i % 2 === 0 ? 8 : -8), i)) changes++;
  assert.equal(changes, 0);
  for (let i = 0; i < 100; i++) if (closeness.measured("b", "b1", 10, i)) changes++;
  assert.deepEqual([changes, closeness.regions], [1, ["b", "a"]]);
});

test("affinity: what of a flow counts", () => {
  const flow = { protocol: "UDP", source: "192.0.2.7", sourcePort: 4000, address: "198.51.100.1", port: 5060 } as const;
  const same = (other: object, affinity: "NONE" | "SOURCE_IP"): boolean =>
    flowHash(flow, affinity) === flowHash({ ...flow, ...other }, affinity);
  assert.ok(same({}, "NONE"));
  for (const other of [{ sourcePort: 4001 }, { port: 5061 }, { protocol: "TCP" }])
    assert.deepEqual([same(other, "NONE"), same(other, "SOURCE_IP")], [false, true]);
  for (const other of [{ source: "192.0.2.8" }, { address: "198.51.100.2" }])
    assert.deepEqual([same(other, "NONE"), same(other, "SOURCE_IP")], [false, false]);
});
