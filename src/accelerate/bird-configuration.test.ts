import assert from "node:assert/strict";
import { test } from "node:test";
import { birdConfiguration, parseBirdNeighbor } from "./bird-configuration.ts";

const options = { as: 64_512, routerId: "10.0.0.1", bfdInterval: 100 };

test("addresses become routes of their family, neighbours BGP with BFD", () => {
  const text = birdConfiguration(["192.0.2.1", "2001:db8::1"], { ...options, neighbors: [{ address: "10.0.0.9", as: 65_000 }] });
  assert.match(text, /protocol static longhaul4 \{ ipv4; route 192\.0\.2\.1\/32 blackhole; \}/);
  assert.match(text, /protocol static longhaul6 \{ ipv6; route 2001:db8::1\/128 blackhole; \}/);
  assert.match(text, /protocol bgp longhaul_bgp_1 \{ local as 64512; neighbor 10\.0\.0\.9 as 65000; bfd on;/);
});

test("nothing to be served: no route; no neighbours: routes alone, to be included", () => {
  assert.match(birdConfiguration([], { ...options, neighbors: [] }), /protocol static longhaul4 \{ ipv4; {2}\}/);
  assert.doesNotMatch(birdConfiguration(["192.0.2.1"], { ...options, neighbors: [] }), /bgp|router id/);
});

test("neighbours", () => {
  assert.deepEqual(parseBirdNeighbor("2001:db8::1@65000"), { address: "2001:db8::1", as: 65_000 });
  for (const text of ["", "10.0.0.1", "10.0.0.1@", "10.0.0.1@0", "x@1", "10.0.0.1@4294967296"])
    assert.equal(parseBirdNeighbor(text), undefined);
});
