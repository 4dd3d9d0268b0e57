import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { LARGE, LOST, SMALL, StatusChunk, StatusPacker, type StatusSymbol } from "./status-chunk.ts";

/** "L", "s" and "." for large, small and lost. */
const symbolsOf = (text: string): StatusSymbol[] => [...text].map((letter) => (letter === "L" ? LARGE : letter === "s" ? SMALL : LOST));

function pack(symbols: readonly StatusSymbol[]): number[] {
  const packer = new StatusPacker();
  const chunks: number[] = [];
  for (const symbol of symbols) {
    if (!packer.takes(symbol)) chunks.push(packer.close());
    packer.add(symbol);
  }
  if (packer.length > 0) chunks.push(packer.last);
  return chunks;
}

function unpack(chunks: readonly number[], count: number): number[] {
  const chunk = new StatusChunk();
  const symbols: number[] = [];
  for (const packed of chunks) {
    chunk.open(packed, count - symbols.length);
    while (chunk.left > 0) symbols.push(chunk.symbol());
  }
  return symbols;
}

/** Fewest chunks that can tell the symbols, by trying for every position all chunks that could end there. */
function fewest(symbols: readonly StatusSymbol[]): number {
  const best = [0];
  for (let end = 1; end <= symbols.length; end++) {
    let least = Number.POSITIVE_INFINITY;
    let same = true;
    let small = true;
    for (let start = end - 1; start >= 0; start--) {
      same &&= symbols[start] === symbols[end - 1];
      small &&= symbols[start] !== LARGE;
      const length = end - start;
      if (length <= 7 || same || (small && length <= 14)) least = Math.min(least, best[start]! + 1);
      else if (!same && length > 14) break;
    }
    best.push(least);
  }
  return best[symbols.length]!;
}

const chunksOf = (text: string): string =>
  pack(symbolsOf(text))
    .map((chunk) => chunk.toString(16))
    .join(" ");

test("golden chunks: the shortest form is chosen, and the choice moves with the symbols", () => {
  assert.equal(chunksOf("s"), "2001", "one arrival is a run");
  assert.equal(chunksOf("s".repeat(20)), "2014");
  assert.equal(chunksOf(`${"s".repeat(20)}.`), "2014 1");
  assert.equal(chunksOf("s.L"), "d200");
  assert.equal(chunksOf("s.s.s.s"), "d111", "seven symbols fit two bits each");
  assert.equal(chunksOf("s.s.s.s."), "aa80", "eight do not");
  assert.equal(chunksOf("s.s.s.s.s.s.s.s"), "aaaa 2001");
  assert.equal(chunksOf("s.s.s.s.L"), "d111 c800", "a large delta turns the open vector into seven and the rest");
  assert.equal(chunksOf("LLLLLLLLs"), "4008 2001");
});

test("runs are cut at 8191, lost packets are added in bulk", () => {
  assert.deepEqual(pack(new Array<StatusSymbol>(8192).fill(SMALL)), [0x3fff, 0x2001]);
  const packer = new StatusPacker();
  assert.equal(packer.addLost(20_000), 8191);
  assert.equal(packer.close(), 0x1fff);
  packer.add(SMALL);
  assert.equal(packer.addLost(20_000), 13);
  assert.equal(packer.close(), 0xa000);
  packer.add(LARGE);
  assert.equal(packer.addLost(20_000), 6);
  assert.equal(packer.close(), 0xe000);
  assert.equal(packer.length, 0);
});

test("bulk and single additions of lost packets pack alike", () => {
  const prng = new Prng(8);
  for (let round = 0; round < 300; round++) {
    const symbols: StatusSymbol[] = [];
    const packer = new StatusPacker();
    const chunks: number[] = [];
    for (let n = 1 + prng.below(40); n > 0; n--) {
      const lost = prng.chance(0.5) ? prng.below(prng.chance(0.2) ? 200 : 9) : 0;
      for (let i = 0; i < lost; i++) symbols.push(LOST);
      let left = lost - packer.addLost(lost);
      while (left > 0) {
        chunks.push(packer.close());
        left -= packer.addLost(left);
      }
      const symbol = prng.chance(0.9) ? SMALL : LARGE;
      symbols.push(symbol);
      if (!packer.takes(symbol)) chunks.push(packer.close());
      packer.add(symbol);
    }
    chunks.push(packer.last);
    assert.deepEqual(chunks, pack(symbols));
    assert.deepEqual(unpack(chunks, symbols.length), symbols);
  }
});

test("the greedy rule stays within 12 % of the fewest chunks possible, and is exact on clean links", () => {
  const prng = new Prng(9);
  for (const [loss, large, excess] of [
    [0, 0, 0],
    [0.01, 0, 0.12],
    [0.1, 0.02, 0.12],
    [0.3, 0.3, 0.12],
  ] as const) {
    let packed = 0;
    let possible = 0;
    for (let round = 0; round < 40; round++) {
      const symbols = Array.from({ length: 100 }, () => (prng.chance(loss) ? LOST : prng.chance(large) ? LARGE : SMALL));
      packed += pack(symbols).length;
      possible += fewest(symbols);
    }
    assert.ok(
      packed >= possible && packed <= possible * (1 + excess),
      `loss ${loss}, large ${large}: ${packed} chunks, ${possible} possible`,
    );
  }
});
