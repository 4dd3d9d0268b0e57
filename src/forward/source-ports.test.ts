import assert from "node:assert/strict";
import { test } from "node:test";
import { parseForward } from "./forward.ts";
import { sparePorts } from "./source-ports.ts";

const forward = (sourceports?: string, source?: string) =>
  parseForward(
    { name: "a", listen: "10.1.0.1:5000", to: ["10.2.0.2"], ...(sourceports && { sourceports }), ...(source && { source: [source] }) },
    "a",
  );

test("the longest run of ports that no forward sends from", () => {
  assert.deepEqual(sparePorts([]), { first: 1024, last: 65_535 });
  assert.deepEqual(sparePorts([forward()]), { first: 1024, last: 5535 });
  assert.deepEqual(sparePorts([forward("1024-9999"), forward("2000-19999"), forward("30000-65000")]), { first: 20_000, last: 29_999 });
  assert.deepEqual(sparePorts([forward("1-60000")]), { first: 60_001, last: 65_535 });
  assert.deepEqual(sparePorts([forward("40000-65535", "transparent"), forward("2000-65535")]), { first: 1024, last: 1999 });
  assert.equal(sparePorts([forward("1024-65535")]), undefined);
});
