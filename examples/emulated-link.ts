/** A bad link in a test: a second of traffic through 10 % loss and 100 ms, in no time and the same in every run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EmulatedLink, NEVER, parseLink } from "longhaul/emulator";

test("what is not lost arrives 100 ms later", () => {
  const link = new EmulatedLink(parseLink("delay=100 loss=10%"), 42);
  const bytes = new Uint8Array(1200);
  let arrived = 0;
  for (let now = 0; now < 1000; now++) link.receive(now, bytes, 0, bytes.length);
  for (let now = link.deadline(); now !== NEVER; now = link.deadline()) while (link.transmit(now, bytes, 0) > 0) arrived++;
  assert.equal(arrived + link.counters.droppedLoss, 1000);
});
