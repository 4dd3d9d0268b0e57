/** Sealing and opening allocate nothing a packet once they have warmed up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../base/batch.ts";
import { cryptoOf } from "../host/crypto.ts";
import { cipherNames, createCipher } from "./cipher.ts";

const primitives = cryptoOf("openssl");
const skip = primitives === undefined ? "no foreign calls here; node:crypto allocates a buffer a call" : false;

for (const name of cipherNames) {
  for (const size of [64, 1]) {
    test(`${name}, batch of ${size}: no bytes of heap a packet`, { skip }, () => {
      const cipher = createCipher(name, new Uint8Array(32), primitives!);
      const batch = new Batch(size);
      const packets = 3200;
      const run = (): void => {
        for (let done = 0; done < packets; done += size) {
          batch.length = size;
          for (let i = 0; i < size; i++) {
            batch.start[i] = batch.slot(i) + 64;
            batch.end[i] = batch.slot(i) + 200;
          }
          cipher.seal(batch, 0);
          cipher.open(batch);
        }
      };
      for (let warm = 0; warm < 4; warm++) run();
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round++) {
        const before = process.memoryUsage();
        run();
        const after = process.memoryUsage();
        // A collection in between would make it negative: such a round says nothing.
        const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
        if (grown >= 0) least = Math.min(least, grown / packets);
      }
      assert.equal(cipher.stats.checksumErrors, 0);
      assert.ok(least < 4, `${least} bytes a packet`);
    });
  }
}
