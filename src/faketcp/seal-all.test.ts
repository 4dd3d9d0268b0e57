/** What is sealed and opened by the batch is what is sealed and opened one by one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inOwnProcess } from "../../test/own-process.ts";
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import { Prng } from "../base/prng.ts";
import { crc32, faketcpPrimitives } from "../host/faketcp-crypto.ts";
import { takeInside } from "../kernel/kernels.ts";
import { authModes } from "./auth-mode.ts";
import { cipherModes } from "./cipher-mode.ts";
import { deriveKeys } from "./keys.ts";
import { PLAIN_BYTES_MAX } from "./packet.ts";
import { Seal } from "./seal.ts";

const keys = deriveKeys("batches", faketcpPrimitives);
const COUNT = 40;
const HEADROOM = 100;

// The kernels' memory of a process that runs other tests may be full.
inOwnProcess(import.meta.url, () => {
  for (const inside of [true, false]) {
    test(`sealAll and openAll, every cipher and auth mode, ${inside ? "in" : "outside of"} the kernels' memory`, () => {
      const prng = new Prng(5);
      for (const cipherMode of cipherModes) {
        for (const authMode of authModes) {
          const name = `${cipherMode} ${authMode}`;
          const seal = new Seal("client-->server", { cipherMode, authMode, fixGro: false }, keys, faketcpPrimitives, crc32);
          const batch = inside ? new Batch(COUNT, takeInside(COUNT * SLOT_BYTES)!) : new Batch(COUNT);
          const plain: Uint8Array[] = [];
          const sealed: Uint8Array[] = [];
          for (let i = 0; i < COUNT; i++) {
            const start = batch.slot(i) + HEADROOM;
            const length = i === 7 ? PLAIN_BYTES_MAX + 1 : 22 + prng.below(i < 20 ? 1400 : 60);
            prng.fill(batch.bytes.subarray(start, start + length));
            batch.add(start, start + length);
            plain.push(batch.bytes.slice(start, start + length));
            const alone = new Uint8Array(2048);
            alone.set(plain[i]!);
            sealed.push(alone.slice(0, Math.max(0, seal.seal(alone, 0, length))));
          }
          seal.sealAll(batch);
          assert.equal(batch.end[7], -1, "too long");
          for (let i = 0; i < COUNT; i++) {
            if (i !== 7) assert.deepEqual(batch.bytes.slice(batch.start[i], batch.end[i]), sealed[i], `${name}: packet ${i}`);
          }
          const damaged = authMode !== "none";
          if (damaged) batch.bytes[batch.end[3]! - 1]! ^= 1;
          seal.openAll(batch);
          for (let i = 0; i < COUNT; i++) {
            if (i === 7) continue;
            if (i === 3 && damaged) assert.equal(batch.end[i], -1, `${name}: a damaged packet`);
            else assert.deepEqual(batch.bytes.slice(batch.start[i], batch.end[i]), plain[i], `${name}: packet ${i}`);
          }
        }
      }
    });
  }
});
