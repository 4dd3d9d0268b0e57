import assert from "node:assert/strict";
import { test } from "node:test";
import { sniff } from "./sniff.ts";

test("the first byte tells the settings, and nothing else does", () => {
  const found = (byte: number): unknown => sniff(Uint8Array.of(9, byte, 0), 1, 3);
  assert.deepEqual(found(0xff), { compressed: true, version: "any" });
  assert.deepEqual(found(1), { compressed: false, version: 1 });
  assert.deepEqual(found(2), { compressed: false, version: 2 });
  for (let byte = 0; byte < 256; byte++) if (byte !== 0xff && byte !== 1 && byte !== 2) assert.equal(found(byte), undefined);
  assert.equal(sniff(Uint8Array.of(1), 1, 1), undefined);
});
