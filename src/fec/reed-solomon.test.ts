import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { Prng } from "../base/prng.ts";
import { Kernels, takeInside } from "../kernel/kernels.ts";
import { mulAdd } from "./gf256.ts";
import { KernelParity } from "./parity-kernel.ts";
import { ParitySum } from "./parity-sum.ts";
import { Interpolation } from "./reed-solomon.ts";

interface Code {
  readonly data: number;
  readonly parity: number;
  readonly shard_len: number;
  readonly parity_rows_hex: readonly string[];
  readonly parity_shards?: readonly string[];
  /** Of all parity shards together, where they are too many to print. */
  readonly parity_sha256?: string;
}

function rnd(length: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash("sha256").update(`kcptun-vector-${i}`).digest());
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
}

const upTo = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => i);

test("the recorded parity rows and parity shards", { skip: vectorsMissing }, () => {
  const { codes } = readVector<{ codes: Code[] }>("kcptun/kat/reedsolomon.json");
  assert.equal(codes.length, 9);
  for (const { data, parity, shard_len, parity_rows_hex, parity_shards, parity_sha256 } of codes) {
    const code = new Interpolation();
    code.load(upTo(data), data);
    const sum = new ParitySum(data, parity, 64);
    sum.begin(parity);
    const source = rnd(shard_len * data);
    const view = new DataView(source.buffer);
    for (let k = 0; k < data; k++) sum.add(k, view, k * shard_len, (k + 1) * shard_len);
    const all: Uint8Array[] = [];
    for (let row = 0; row < parity; row++) {
      const weights = new Uint8Array(data);
      code.weights(data + row, weights);
      assert.equal(Buffer.from(weights).toString("hex"), parity_rows_hex[row]);
      const shard = new Uint8Array(shard_len);
      sum.read(row, new DataView(shard.buffer), 0);
      if (parity_shards !== undefined) assert.equal(Buffer.from(shard).toString("hex"), parity_shards[row]);
      all.push(shard);
    }
    const digest = createHash("sha256").update(Buffer.concat(all)).digest("hex");
    assert.ok(parity_shards !== undefined || parity_sha256 === digest);
  }
});

test("a parity sum starts afresh with each group, and short shards count as padded with zeros", () => {
  const sum = new ParitySum(3, 5, 100);
  sum.begin(5);
  const bytes = new Prng(1).fill(new Uint8Array(100));
  const view = new DataView(bytes.buffer);
  sum.add(0, view, 0, 100);
  sum.begin(5);
  assert.equal(sum.length, 0);
  sum.add(0, view, 0, 7);
  sum.add(2, view, 20, 57);
  const padded = new Uint8Array(37);
  padded.set(bytes.subarray(0, 7));
  const code = new Interpolation();
  code.load(upTo(3), 3);
  for (let row = 0; row < 5; row++) {
    const weights = new Uint8Array(3);
    code.weights(3 + row, weights);
    const expected = new Uint8Array(37);
    mulAdd(weights[0]!, padded, 0, expected, 0, 37);
    mulAdd(weights[2]!, bytes, 20, expected, 0, 37);
    const shard = new Uint8Array(37);
    sum.read(row, new DataView(shard.buffer), 0);
    assert.equal(sum.length, 37);
    assert.deepEqual(shard, expected);
  }
});

test("any ds of the shards give back any other", () => {
  const prng = new Prng(2);
  for (const [data, parity] of [
    [1, 1],
    [1, 4],
    [10, 3],
    [3, 10],
    [200, 56],
  ] as const) {
    const code = new Interpolation();
    code.load(upTo(data), data);
    const shards = prng.fill(new Uint8Array(data + parity));
    const weights = new Uint8Array(256);
    const value = (known: Uint8Array): number => {
      const sum = new Uint8Array(1);
      for (let k = 0; k < data; k++) mulAdd(weights[k]!, shards, known[k]!, sum, 0, 1);
      return sum[0]!;
    };
    for (let row = data; row < data + parity; row++) {
      code.weights(row, weights);
      shards[row] = value(upTo(data));
    }
    for (let round = 0; round < 20; round++) {
      const order = upTo(data + parity);
      for (let i = order.length - 1; i > 0; i--) {
        const j = prng.below(i + 1);
        const swapped = order[i]!;
        order[i] = order[j]!;
        order[j] = swapped;
      }
      code.load(order, data);
      for (let i = data; i < data + parity; i++) {
        code.weights(order[i]!, weights);
        assert.equal(value(order), shards[order[i]!]);
      }
    }
  }
});

for (const [columns, rows] of [
  [1, 1],
  [3, 2],
  [10, 3],
  [5, 4],
  [7, 5],
  [20, 11],
  [200, 55],
] as const) {
  test(`parity by kernels equals that in TypeScript: ${columns}+${rows}`, () => {
    const set = new Kernels(true);
    const { bytes, view, at } = takeInside(2000, set)!;
    const shards = bytes.subarray(at, at + 2000);
    const elsewhere = new DataView(new ArrayBuffer(2000));
    const [fast, plain] = [KernelParity.make(columns, rows, 1494, set)!, new ParitySum(columns, rows, 1494)];
    const prng = new Prng(columns);
    for (let group = 0; group < 6; group++) {
      // Few rows, then all: what a block summed up besides must not be left.
      const wanted = group === 5 ? rows : 1 + prng.below(rows);
      assert.ok(fast.begin(wanted) && plain.begin(wanted));
      for (let column = 0; column < columns; column++) {
        const [start, end] = [prng.below(20), 21 + prng.below(1400)];
        prng.fill(shards);
        new Uint8Array(elsewhere.buffer).set(shards);
        if (prng.chance(0.5)) fast.add(column, view, at + start, at + end);
        else fast.add(column, elsewhere, start, end);
        plain.add(column, elsewhere, start, end);
      }
      assert.equal(fast.length, plain.length);
      for (let row = 0; row < wanted; row++) {
        const [into, to] = row % 2 === 0 ? ([view, at] as const) : ([elsewhere, 0] as const);
        fast.read(row, into, to + 3);
        const read = Buffer.from(into.buffer, to + 3, fast.length).toString("hex");
        plain.read(row, elsewhere, 3);
        assert.equal(read, Buffer.from(elsewhere.buffer, 3, plain.length).toString("hex"), `row ${row} of group ${group}`);
      }
      if (group === 3) fast.rest();
    }
  });
}
