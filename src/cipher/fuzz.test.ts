/** Damaged and hostile datagrams into every cipher: no throw, nothing forged comes out, bounded memory. SEED=… repeats a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import { Prng } from "../base/prng.ts";
import { cryptoOf } from "../host/crypto.ts";
import { takeRegion } from "../kernel/kernels.ts";
import { createCipher, type PacketCipher } from "./cipher.ts";
import { type CipherName, cipherNames } from "./names.ts";

const seed = Number(process.env.SEED ?? 20_260_126);
const inputs = 100_000;
const size = 64;
const names: readonly CipherName[] = cipherNames.filter((name) => name !== "null");
const primitives = cryptoOf("openssl") ?? cryptoOf("node")!;

/** Lays sealed datagrams, each 40…400 bytes of its own letter, into the batch. */
function seal(cipher: PacketCipher, batch: Batch, prng: Prng): void {
  batch.length = size;
  for (let i = 0; i < size; i++) {
    batch.start[i] = batch.slot(i) + 32 + prng.below(4);
    batch.end[i] = batch.start[i]! + 40 + prng.below(360);
    batch.bytes.fill(i + 1, batch.start[i], batch.end[i]);
  }
  cipher.seal(batch, 0);
}

/** Damages datagram i behind its nonce, or replaces it; false when it was left as it is. */
function mutate(batch: Batch, i: number, prng: Prng): boolean {
  const start = batch.start[i]!;
  const length = batch.end[i]! - start;
  switch (prng.below(5)) {
    case 0:
      batch.bytes[start + 16 + prng.below(length - 16)]! ^= 1 << prng.below(8);
      return true;
    case 1:
      batch.end[i] = start + prng.below(length);
      return true;
    case 2:
      batch.end[i] = batch.end[i]! + 1 + prng.below(200);
      return true;
    case 3:
      batch.end[i] = start + prng.below(1600);
      prng.fill(batch.bytes.subarray(start, batch.end[i]));
      return true;
    default:
      return false;
  }
}

test(`${inputs} datagrams, seed ${seed}`, (t) => {
  t.diagnostic(`cipher fuzz: SEED=${seed}`);
  const prng = new Prng(seed);
  const key = prng.fill(new Uint8Array(32));
  const batch = new Batch(size, takeRegion(size * SLOT_BYTES));
  const whole = new Uint8Array(size);
  const before = process.memoryUsage().arrayBuffers;
  for (const name of names) {
    const cipher = createCipher(name, key, primitives);
    for (let done = 0; done < inputs / names.length; done += size) {
      seal(cipher, batch, prng);
      for (let i = 0; i < size; i++) whole[i] = mutate(batch, i, prng) ? 0 : 1;
      cipher.open(batch);
      for (let i = 0; i < size; i++) {
        const length = batch.end[i]! - batch.start[i]!;
        if (whole[i] === 0) assert.equal(length, 0, `${name}: a damaged datagram came out`);
        else assert.ok(length >= 40 && batch.bytes[batch.start[i]!] === i + 1 && batch.bytes[batch.end[i]! - 1] === i + 1);
      }
    }
    const { sealed, opened, shortDatagrams, longDatagrams, checksumErrors } = cipher.stats;
    assert.equal(opened + shortDatagrams + longDatagrams + checksumErrors, sealed);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});
