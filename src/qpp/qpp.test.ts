/** Known answers of the real library, and what must hold for any key. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { Prng } from "../base/prng.ts";
import { cryptoOf } from "../host/crypto.ts";
import { PAD_BYTES, QppPads } from "./pads.ts";
import { Qpp } from "./qpp.ts";

interface Case {
  readonly key_hex: string;
  readonly pads: number;
  readonly chunks: readonly { readonly n: number; readonly ct: string }[];
}

/** The byte stream all vectors are cut from (manifest.json). */
function rnd(length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash("sha256").update(`kcptun-vector-${i}`).digest());
  return new Uint8Array(Buffer.concat(blocks)).slice(0, length);
}

const kinds = (["openssl", "node"] as const).flatMap((kind) => {
  const primitives = cryptoOf(kind);
  return primitives === undefined ? [] : [{ kind, primitives }];
});
const { primitives } = kinds[0]!;
const key = new TextEncoder().encode("it's a secrect");
const pads = new QppPads(key, 61, primitives);

for (const machine of kinds) {
  test(`${machine.kind}: known answers, piece by piece, both ways`, { skip: vectorsMissing }, () => {
    const { cases } = readVector<{ cases: readonly Case[] }>("kcptun/kat/qpp.json");
    assert.ok(cases.length >= 4);
    for (const { key_hex, pads: count, chunks } of cases) {
      const qpp = new Qpp(new QppPads(Uint8Array.fromHex(key_hex), count, machine.primitives));
      const total = chunks.reduce((sum, { n }) => sum + n, 0);
      const plain = rnd(total);
      const bytes = plain.slice();
      let at = 0;
      for (const { n, ct } of chunks) {
        qpp.encrypt(bytes, at, at + n);
        assert.equal(bytes.subarray(at, at + n).toHex(), ct, `${count} pads, ${n} bytes at ${at}`);
        at += n;
      }
      qpp.decrypt(bytes, 0, total);
      assert.deepEqual(bytes, plain);
    }
  });
}

test("every pad is a permutation, and no two are the same", () => {
  const seen = new Set<string>();
  for (let pad = 0; pad < pads.count; pad++) {
    const forward = pads.forward.subarray(pad * PAD_BYTES, (pad + 1) * PAD_BYTES);
    const backward = pads.backward.subarray(pad * PAD_BYTES, (pad + 1) * PAD_BYTES);
    assert.equal(new Set(forward).size, PAD_BYTES);
    for (let i = 0; i < PAD_BYTES; i++) assert.equal(backward[forward[i]!], i);
    seen.add(forward.toHex());
  }
  assert.equal(seen.size, pads.count);
});

test("how the stream is cut does not matter, nor what the other direction does", () => {
  const prng = new Prng(21);
  const plain = prng.fill(new Uint8Array(20_000));
  const whole = plain.slice();
  new Qpp(pads).encrypt(whole, 0, whole.length);
  const one = new Qpp(pads);
  const other = new Qpp(pads);
  const bytes = plain.slice();
  const elsewhere = new Uint8Array(64);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + prng.below(40));
    one.encrypt(bytes, at, end);
    one.decrypt(elsewhere, 0, prng.below(64));
    at = end;
  }
  assert.deepEqual(bytes, whole);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + prng.below(40));
    other.encrypt(elsewhere, 0, prng.below(64));
    other.decrypt(bytes, at, end);
    at = end;
  }
  assert.deepEqual(bytes, plain);
});

test("touches nothing outside start…end", () => {
  const bytes = new Uint8Array(64).fill(7);
  const qpp = new Qpp(pads);
  qpp.encrypt(bytes, 20, 20);
  assert.ok(bytes.every((byte) => byte === 7));
  qpp.encrypt(bytes, 20, 41);
  assert.ok(bytes.every((byte, i) => byte === 7 || (i >= 20 && i < 41)));
});

test("another key or count makes another stream", () => {
  const sealed = [pads, new QppPads(key, 60, primitives), new QppPads(new Uint8Array(32), 61, primitives)].map((made) => {
    const bytes = new Uint8Array(64);
    new Qpp(made).encrypt(bytes, 0, 64);
    return bytes.toHex();
  });
  assert.equal(new Set(sealed).size, 3);
});

test("a count that is none and an empty key are refused", () => {
  for (const count of [0, -1, 1.5, 65_537, Number.NaN]) {
    assert.throws(() => new QppPads(key, count, primitives), { code: "ERR_LONGHAUL_ASSERTION" });
  }
  assert.throws(() => new QppPads(new Uint8Array(0), 61, primitives), { code: "ERR_LONGHAUL_ASSERTION" });
});

test("allocates nothing a byte", () => {
  const qpp = new Qpp(pads);
  const bytes = new Uint8Array(16_384);
  const turns = 80;
  const run = (): void => {
    for (let i = 0; i < turns; i++) {
      qpp.encrypt(bytes, 0, bytes.length);
      qpp.decrypt(bytes, 0, bytes.length);
    }
  };
  run();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = getHeapStatistics().total_allocated_bytes;
    run();
    least = Math.min(least, (getHeapStatistics().total_allocated_bytes - before) / (turns * 2 * bytes.length));
  }
  // The heap is counted in steps of 256 KB, a tenth of a byte here; one number on it for every 8 bytes of stream would be 1.5 or more.
  assert.ok(least < 0.25, `${least} bytes of heap for a byte of stream`);
});
