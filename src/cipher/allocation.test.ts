/**
 * Sealing and opening allocate no buffer and no object a packet once they have warmed up, only what foreign calls take: an address above
 * 2^31 is boxed, 16 bytes each. The slab is large so that it lies there, as the slabs of a socket do.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { leastHeapGrowth } from "../../test/heap-growth.ts";
import { inOwnProcess } from "../../test/own-process.ts";
import { Batch } from "../base/batch.ts";
import { cryptoOf } from "../host/crypto.ts";
import { createCipher } from "./cipher.ts";
import { cipherNames } from "./names.ts";

/** Six boxed addresses a packet sealed and opened (GCM: 96 bytes); one subarray more would exceed it. */
const BYTES_MAX = 112;
const slab = new Uint8Array(64 << 20);
const primitives = cryptoOf("openssl");
const skip = primitives === undefined ? "no foreign calls here; node:crypto allocates a buffer a call" : false;

inOwnProcess(import.meta.url, () => {
  for (const name of cipherNames) {
    for (const size of [64, 1]) {
      test(`${name}, batch of ${size}: boxed addresses only`, { skip }, () => {
        const cipher = createCipher(name, new Uint8Array(32), primitives!);
        const batch = new Batch(size, slab);
        const packets = 1280;
        const run = (): number => {
          for (let done = 0; done < packets; done += size) {
            batch.length = size;
            for (let i = 0; i < size; i++) {
              batch.start[i] = batch.slot(i) + 64;
              batch.end[i] = batch.slot(i) + 200;
            }
            cipher.seal(batch, 0);
            cipher.open(batch);
          }
          return packets;
        };
        for (let warm = 0; warm < 12; warm++) run();
        const least = leastHeapGrowth(run, BYTES_MAX);
        assert.equal(cipher.stats.checksumErrors, 0);
        assert.ok(least < BYTES_MAX, `${least} bytes a packet`);
      });
    }
  }
});
