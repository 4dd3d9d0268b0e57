import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import { Prng } from "../base/prng.ts";
import { cryptoOf } from "../host/crypto.ts";
import { takeRegion } from "../kernel/kernels.ts";
import { createCipher, type PacketCipher } from "./cipher.ts";
import { type CipherName, cipherNames } from "./names.ts";
import type { Primitives } from "./primitives.ts";

const machine = cryptoOf("openssl") ?? cryptoOf("node")!;
const key = new Prng(9).fill(new Uint8Array(32));

/** The machine's primitives with nonces that can be drawn again. */
function seeded(seed: number, base: Primitives = machine): Primitives {
  const prng = new Prng(seed);
  return { ...base, random: (into) => void prng.fill(into) };
}

/** Lays random bodies of the given lengths into a batch, at odd addresses; several into the memory of the kernels, one elsewhere. */
function lay(cipher: PacketCipher, lengths: readonly number[], seed = 1): { batch: Batch; bodies: Uint8Array[] } {
  const prng = new Prng(seed);
  const bytes = lengths.reduce((sum, n) => sum + n + 64, 64);
  const batch = new Batch(lengths.length, lengths.length > 1 ? takeRegion(bytes) : new Uint8Array(bytes));
  let at = batch.slab.at + 1;
  const bodies = lengths.map((length, i) => {
    const body = prng.fill(new Uint8Array(length));
    at += cipher.headBytes;
    batch.bytes.set(body, at);
    batch.start[i] = at;
    batch.end[i] = at + length;
    at += length + cipher.tailBytes;
    return body;
  });
  batch.length = lengths.length;
  return { batch, bodies };
}

const sealedOf = (batch: Batch, i: number): Uint8Array => batch.bytes.slice(batch.start[i], batch.end[i]);
const allLengths = [0, 1, 11, 12, 13, 27, 28, 29, 44, 60, 1330, 1329, 24, 24, 1331, 700, 2048, 2049, 6000, 3, 1330, 1330, 16, 32];
/** Bodies that the cipher takes. */
const lengthsFor = (name: CipherName): number[] => allLengths.filter((length) => name !== "xor" || length <= 1500 - 20);

for (const name of cipherNames) {
  test(`${name}: opens what it sealed, and a batch equals its packets one by one`, () => {
    const whole = createCipher(name, key, seeded(5));
    const single = createCipher(name, key, seeded(5));
    const mixed = lengthsFor(name);
    const lengths = [...mixed, ...mixed, ...mixed, ...mixed];
    const { batch, bodies } = lay(whole, lengths);
    whole.seal(batch, 0);
    lengths.forEach((length, i) => {
      assert.equal(batch.end[i]! - batch.start[i]!, length + whole.headBytes + whole.tailBytes);
      const alone = lay(single, [length]);
      alone.batch.bytes.set(bodies[i]!, alone.batch.start[0]);
      single.seal(alone.batch, 0);
      assert.deepEqual(sealedOf(alone.batch, 0), sealedOf(batch, i), `packet ${i} of ${length} bytes`);
      if (length > 16 && name !== "null" && name !== "none") assert.notDeepEqual(sealedOf(batch, i).slice(whole.headBytes), bodies[i]);
    });
    whole.open(batch);
    bodies.forEach((body, i) => {
      assert.deepEqual(sealedOf(batch, i), body, `packet ${i}`);
    });
    assert.deepEqual(whole.stats, {
      sealed: lengths.length,
      opened: lengths.length,
      shortDatagrams: 0,
      longDatagrams: 0,
      checksumErrors: 0,
    });
  });

  test(`${name}: both kinds of primitives give the same bytes`, () => {
    const a = createCipher(name, key, seeded(6, cryptoOf("node")!));
    const b = createCipher(name, key, seeded(6));
    const mixed = lengthsFor(name);
    const one = lay(a, mixed).batch;
    const other = lay(b, mixed).batch;
    a.seal(one, 0);
    b.seal(other, 0);
    assert.deepEqual(
      mixed.map((_, i) => sealedOf(one, i)),
      mixed.map((_, i) => sealedOf(other, i)),
    );
    a.open(other);
    b.open(one);
    assert.deepEqual(
      mixed.map((_, i) => sealedOf(one, i)),
      mixed.map((_, i) => sealedOf(other, i)),
    );
    assert.equal(a.stats.opened + b.stats.opened, 2 * mixed.length);
  });
}

for (const name of cipherNames.filter((n) => n !== "null")) {
  test(`${name}: seals only from the given datagram on`, () => {
    const cipher = createCipher(name, key, seeded(7));
    const { batch, bodies } = lay(cipher, [100, 200, 300]);
    const before = batch.bytes.slice(batch.slab.at, batch.start[2]! - cipher.headBytes);
    cipher.seal(batch, 2);
    assert.deepEqual(batch.bytes.slice(batch.slab.at, batch.slab.at + before.length), before);
    assert.deepEqual(sealedOf(batch, 1), bodies[1]);
    assert.equal(cipher.stats.sealed, 1);
  });

  test(`${name}: opens only from the given datagram on`, () => {
    const cipher = createCipher(name, key, seeded(7));
    const { batch, bodies } = lay(cipher, [100, 200, 300]);
    cipher.seal(batch, 0);
    const before = batch.bytes.slice(batch.slab.at, batch.start[2]!);
    cipher.open(batch, 2);
    assert.deepEqual(batch.bytes.slice(batch.slab.at, batch.slab.at + before.length), before);
    assert.deepEqual(sealedOf(batch, 2), bodies[2]);
    assert.equal(cipher.stats.opened, 1);
  });

  test(`${name}: a flipped bit anywhere behind the nonce is dropped and counted`, () => {
    const cipher = createCipher(name, key, seeded(8));
    const nonce = name === "aes-128-gcm" ? 0 : 16;
    const bits = (100 + cipher.headBytes + cipher.tailBytes - nonce) * 8;
    const { batch } = lay(
      cipher,
      Array.from({ length: bits }, () => 100),
    );
    cipher.seal(batch, 0);
    for (let bit = 0; bit < bits; bit++) batch.bytes[batch.start[bit]! + nonce + (bit >> 3)]! ^= 1 << (bit & 7);
    cipher.open(batch);
    for (let bit = 0; bit < bits; bit++) assert.equal(batch.end[bit], batch.start[bit], `bit ${bit}`);
    assert.deepEqual(cipher.stats, { sealed: bits, opened: 0, shortDatagrams: 0, longDatagrams: 0, checksumErrors: bits });
  });

  test(`${name}: short datagrams are dropped and counted, their neighbours are not`, () => {
    const cipher = createCipher(name, key, seeded(9));
    const { batch, bodies } = lay(cipher, [50, 50, 50]);
    cipher.seal(batch, 0);
    batch.end[1] = batch.start[1]! + cipher.headBytes + cipher.tailBytes - 1;
    cipher.open(batch);
    assert.equal(batch.end[1], batch.start[1]);
    assert.deepEqual(sealedOf(batch, 0), bodies[0]);
    assert.deepEqual(sealedOf(batch, 2), bodies[2]);
    assert.deepEqual(cipher.stats, { sealed: 3, opened: 2, shortDatagrams: 1, longDatagrams: 0, checksumErrors: 0 });
  });

  test(`${name}: no nonce is used twice, also across refills of the pool`, () => {
    const cipher = createCipher(name, key, machine);
    const seen = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const { batch } = lay(
        cipher,
        Array.from({ length: 64 }, () => 0),
      );
      cipher.seal(batch, 0);
      for (let i = 0; i < 64; i++) seen.add(Buffer.from(batch.bytes.subarray(batch.start[i], batch.start[i]! + 12)).toString("hex"));
    }
    assert.equal(seen.size, 20 * 64);
  });
}

test("a datagram sealed with another key or cipher is dropped", () => {
  const others = cipherNames.filter((name) => name !== "aes" && name !== "null");
  const aes = createCipher("aes", key, machine);
  for (const other of [createCipher("aes", new Uint8Array(32), machine), ...others.map((name) => createCipher(name, key, machine))]) {
    const { batch } = lay(aes, [1000]);
    aes.seal(batch, 0);
    other.open(batch);
    assert.equal(batch.end[0], batch.start[0]);
    assert.equal(other.stats.checksumErrors, 1);
  }
});

test("xor seals and opens datagrams of up to 1500 bytes and drops longer ones", () => {
  const cipher = createCipher("xor", key, machine);
  const { batch, bodies } = lay(cipher, [1480, 1480, 1480]);
  cipher.seal(batch, 0);
  batch.end[1]!++;
  cipher.open(batch);
  assert.equal(batch.end[1], batch.start[1]);
  assert.deepEqual(sealedOf(batch, 0), bodies[0]);
  assert.deepEqual(sealedOf(batch, 2), bodies[2]);
  assert.deepEqual(cipher.stats, { sealed: 3, opened: 2, shortDatagrams: 0, longDatagrams: 1, checksumErrors: 0 });
  assert.throws(() => cipher.seal(lay(cipher, [1481]).batch, 0), { code: "ERR_LONGHAUL_ASSERTION" });
});

test("a batch works in slots as well as back to back, up to its last byte", () => {
  const cipher = createCipher("aes", key, machine);
  const batch = new Batch(3);
  for (let i = 0; i < 3; i++) {
    batch.start[i] = batch.slot(i) + 20;
    batch.end[i] = batch.slot(i) + SLOT_BYTES;
    batch.bytes.fill(i + 1, batch.start[i], batch.end[i]);
  }
  batch.length = 3;
  cipher.seal(batch, 0);
  cipher.open(batch);
  for (let i = 0; i < 3; i++) assert.ok(sealedOf(batch, i).every((byte) => byte === i + 1));
});
