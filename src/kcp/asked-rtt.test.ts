import assert from "node:assert/strict";
import { test } from "node:test";
import { AskedRtt } from "./asked-rtt.ts";

test("asked twice a second; the shortest answer counts, longer ones a little", () => {
  const asked = new AskedRtt();
  asked.told(5);
  assert.deepEqual([asked.known, asked.asks(10), asked.asks(20)], [false, true, false]);
  asked.told(60);
  assert.deepEqual([asked.known, asked.rtt], [true, 50]);
  asked.told(90);
  assert.equal(asked.rtt, 50, "nobody asked");
  assert.equal(asked.asks(510), true);
  asked.told(600);
  assert.equal(asked.rtt, 55);
});
