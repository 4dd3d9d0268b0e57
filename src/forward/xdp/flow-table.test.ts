import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { Collector } from "./collector.ts";
import { FlowTable } from "./flow-table.ts";
import { FLOW4, FLOW6, type FlowLayout, PLACE, PROBES } from "./layout.ts";
import type { Tables } from "./tables.ts";

const nobody = (): void => {};

/** A table, and one that flows are made in, so that they come into the first as they come from another process. */
class Bench {
  readonly table: FlowTable;
  readonly #layout: FlowLayout;
  readonly #seed = new Uint32Array([0x1234_5678, 0x9abc_def0]);

  /** `homes`: places where chains begin. */
  constructor(layout: FlowLayout, homes: number) {
    this.#layout = layout;
    this.table = this.#table(new Uint8Array((homes + PROBES) * layout.bytes));
  }

  #table(bytes: Uint8Array<ArrayBuffer>): FlowTable {
    return new FlowTable(this.#layout, {
      entries: bytes.length / this.#layout.bytes,
      bytes: () => bytes,
      seed: this.#seed,
      used: new Int32Array([1]),
    });
  }

  /** Flow `n` with both ways. Whether both found a place. */
  add(n: number): boolean {
    const { bytes, addressBytes, ports, after, state } = this.#layout;
    const both = new Uint8Array(2 * bytes);
    const view = new DataView(both.buffer);
    view.setUint32(addressBytes - 4, n);
    view.setUint16(ports, n & 0xffff);
    view.setUint32(after + 2 * addressBytes - 4, n >>> 1);
    view.setUint16(after + ports, 5000 + (n & 0xfff));
    view.setUint16(after + ports + 2, n % 77);
    for (let i = 0; i < addressBytes; i++) {
      both[bytes + i] = both[after + addressBytes + i]!;
      both[bytes + addressBytes + i] = both[after + i]!;
    }
    view.setUint16(bytes + ports, n % 77);
    view.setUint16(bytes + ports + 2, 5000 + (n & 0xfff));
    both.copyWithin(bytes + after, 0, ports + 4);
    both.copyWithin(bytes + after, addressBytes, 2 * addressBytes);
    both.copyWithin(bytes + after + addressBytes, 0, addressBytes);
    both.copyWithin(bytes + after + ports, ports + 2, ports + 4);
    both.copyWithin(bytes + after + ports + 2, ports, ports + 2);
    for (const base of [0, bytes]) view.setUint32(base + state, PLACE.live, true);
    return this.table.copy(this.#table(both)) === 0;
  }

  count(): number {
    let count = 0;
    this.table.each((_, isDead) => (count += isDead ? 0 : 1));
    return count;
  }

  /** Ends those whose number `which` says. */
  endAll(which: (text: string) => boolean): void {
    this.table.each((entry, isDead) => {
      if (!isDead && which(entry.end("before", "source"))) this.table.end(entry);
    });
  }

  walk(turn: number, bury = nobody): number {
    return this.table.tend(0, this.table.places, turn, nobody, bury);
  }
}

for (const [family, layout] of [
  ["IPv4", FLOW4],
  ["IPv6", FLOW6],
] as const) {
  test(`${family}: what is put there is found from either way, up to four of seven places`, () => {
    const bench = new Bench(layout, 1750);
    for (let n = 1; n <= 500; n++) assert.ok(bench.add(n), `flow ${n}`);
    assert.equal(bench.count(), 1000);
    for (let n = 1; n <= 500; n++) assert.ok(bench.add(n), "again");
    assert.equal(bench.count(), 1000, "none is there twice");
    let pairs = 0;
    bench.table.each((entry) => {
      const other = bench.table.other(entry);
      assert.ok(other);
      assert.equal(other.end("before", "source"), entry.end("after", "destination"));
      assert.equal(other.end("after", "destination"), entry.end("before", "source"));
      pairs++;
    });
    assert.equal(pairs, 1000);
  });

  test(`${family}: places are used again two walks after their flow ended, and in the end all are empty`, () => {
    const bench = new Bench(layout, 256);
    const random = new Prng(7);
    let next = 1;
    for (let round = 0; round < 200; round++) {
      while (bench.count() < 128) assert.ok(bench.add(next++), `flow ${next} in round ${round}`);
      bench.endAll(() => random.u32() % 3 === 0);
      let buried = 0;
      for (let walk = 0; walk < 4; walk++) bench.walk(walk & 1, () => buried++);
      assert.ok(buried > 0);
      bench.table.each((entry) => assert.ok(bench.table.other(entry), `a chain is broken in round ${round}`));
    }
    bench.endAll(() => true);
    assert.equal(bench.count(), 0);
    for (let walk = 0; walk < 8; walk++) bench.walk(walk & 1);
    assert.equal(bench.walk(0), 0, "places that are not empty");
  });
}

test("a flow that ended is buried once, and its place rests for a walk", () => {
  const bench = new Bench(FLOW4, 64);
  assert.ok(bench.add(1));
  bench.endAll(() => true);
  let buried = 0;
  assert.equal(
    bench.walk(0, () => buried++),
    2,
  );
  assert.equal(buried, 2);
  assert.equal(
    bench.walk(1, () => buried++),
    2,
    "resting",
  );
  assert.equal(buried, 2);
});

test("a full table refuses and keeps what it has", () => {
  const bench = new Bench(FLOW4, 64);
  let n = 0;
  while (bench.add(++n)) assert.ok(n < 64);
  const count = bench.count();
  assert.ok(count > 60, `${count} of 64`);
  assert.equal(bench.add(n), false);
  assert.equal(bench.count(), count);
});

test("flows are seen while a walk over their table is under way, and a table that is empty is walked over no more", () => {
  const bench = new Bench(FLOW4, 64);
  assert.ok(bench.add(1));
  const tables = { leaving: new Set<number>(), idleOf: () => 60, addEnded: nobody } as unknown as Tables;
  const collector = new Collector(tables, [bench.table], 1000, false);
  const { places } = bench.table;
  for (let walked = 0; walked < places; walked += places / 4) {
    assert.equal(collector.collect(1000, places / 4), walked === (places / 4) * 3);
    assert.equal(bench.count(), 2, `after ${walked + places / 4} places`);
  }
  bench.endAll(() => true);
  for (let walk = 0; walk < 8; walk++) assert.equal(collector.collect(1001, places), true);
  assert.equal(bench.table.isUsed, false);
});
