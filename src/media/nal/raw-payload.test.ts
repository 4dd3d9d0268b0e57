import assert from "node:assert/strict";
import { test } from "node:test";
import { rawPayload } from "./raw-payload.ts";

test("emulation prevention goes, a 3 elsewhere stays", () => {
  const nal = Uint8Array.of(0x67, 0, 0, 3, 0, 0, 3, 1, 3, 0, 3);
  assert.deepEqual([...rawPayload(nal)], [0, 0, 0, 0, 1, 3, 0, 3]);
  assert.equal(rawPayload(new Uint8Array(0)).length, 0);
});
