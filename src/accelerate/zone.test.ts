import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeConfig } from "./edge-config.ts";
import { zoneOf } from "./zone.ts";

test("each name with its addresses, of both families, in order; who has no name is not there", () => {
  const config = edgeConfig.parse({
    revision: 1,
    accelerators: [
      { id: "b", dnsName: "b.acc.example.", addresses: ["198.51.100.2"] },
      { id: "a", dnsName: "a.acc.example", addresses: ["198.51.100.1", "2001:db8::1"], enabled: false },
      { id: "none", addresses: ["198.51.100.3"] },
      { id: "evil", dnsName: "x\n$INCLUDE /etc/passwd", addresses: ["198.51.100.4"] },
    ],
  });
  assert.equal(
    zoneOf(config, 300),
    "a.acc.example. 300 IN A 198.51.100.1\na.acc.example. 300 IN AAAA 2001:db8::1\nb.acc.example. 300 IN A 198.51.100.2\n",
  );
});
