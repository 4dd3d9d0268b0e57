import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetricsAddress } from "./metrics-address.ts";

test("a port alone is the loopback's; everything else is said", () => {
  assert.deepEqual(parseMetricsAddress("9100"), { host: "127.0.0.1", port: 9100 });
  assert.deepEqual(parseMetricsAddress(":9100"), { host: "127.0.0.1", port: 9100 });
  assert.deepEqual(parseMetricsAddress("0.0.0.0:9100"), { host: "0.0.0.0", port: 9100 });
  assert.deepEqual(parseMetricsAddress("[::]:9100"), { host: "::", port: 9100 });
  assert.deepEqual(parseMetricsAddress("/run/x.sock"), { path: "/run/x.sock" });
  for (const wrong of ["70000", "host:", "host:x"]) assert.throws(() => parseMetricsAddress(wrong), /--metrics: ".+" is not an address/);
});
