import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { bytesOf, type Family } from "../ip-range.ts";
import { overlap } from "../listen.ts";
import { accessEntries } from "./access-list.ts";
import { ACCESS, ACCESS_KEY } from "./layout.ts";
import { type RangeEntry, rangeTable } from "./range-table.ts";

/** As the kernel's table looks up: the longest prefix that fits. Bits of the key behind its first four bytes. */
function lookup(table: Iterable<readonly [key: Uint8Array, value: number]>, wanted: Uint8Array): number | undefined {
  let best = -1;
  let found: number | undefined;
  for (const [key, value] of table) {
    const bits = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    let same = true;
    for (let i = 0; i < bits && same; i++) same = ((key[4 + (i >> 3)]! ^ wanted[i >> 3]!) & (0x80 >> (i & 7))) === 0;
    if (same && bits > best) [best, found] = [bits, value];
  }
  return found;
}

const entriesOf = (map: ReadonlyMap<string, number>): [Uint8Array, number][] =>
  [...map].map(([key, value]) => [Buffer.from(key, "latin1"), value]);

function find(table: ReturnType<typeof rangeTable>, family: Family, address: bigint, port: number): number | undefined {
  const place = lookup(entriesOf(table.places), bytesOf(family, address));
  if (place === undefined) return undefined;
  const key = Buffer.alloc(6);
  key.writeUInt32LE(place);
  key.writeUInt16BE(port, 4);
  return lookup(entriesOf(table.ranges), key);
}

test("at random places the table answers as a search through the ranges does", () => {
  const random = new Prng(11);
  const below = (n: number): number => random.u32() % n;
  for (let round = 0; round < 20; round++) {
    const entries: RangeEntry[] = [];
    for (let i = 0; i < 12; i++) {
      const [a, b, p, q] = [below(64), below(64), 1 + below(100), 1 + below(100)];
      const listen = {
        addresses: { family: 4 as const, first: BigInt(Math.min(a, b) + 256), last: BigInt(Math.max(a, b) + 256) },
        ports: { first: Math.min(p, q), last: Math.max(p, q) },
      };
      if (!entries.some((other) => overlap(other.listen, listen))) entries.push({ forward: i, listen });
    }
    const places = new Map<string, number>();
    const table = rangeTable(entries, (listeners) => places.getOrInsert(listeners, places.size + 1));
    for (let i = 0; i < 100; i++) {
      const [address, port] = [BigInt(250 + below(76)), below(104)];
      const wanted = entries.find(
        ({ listen: { addresses, ports } }) =>
          address >= addresses.first && address <= addresses.last && port >= ports.first && port <= ports.last,
      );
      assert.equal(find(table, 4, address, port), wanted?.forward, `round ${round}: ${address}:${port}`);
    }
  }
});

test("a denied prefix counts even where a longer one allows", () => {
  const range = (first: bigint, last: bigint) => ({ family: 4 as const, first, last });
  const entries = accessEntries(
    9,
    [range(0x0a00_0000n, 0x0a00_00ffn), range(0x0b00_0000n, 0x0b00_000fn)],
    [range(0x0a00_0000n, 0x0a7f_ffffn), range(0x0b00_0003n, 0x0b00_0003n)],
  );
  const verdict = (address: bigint): number | undefined => {
    const key = Buffer.alloc(ACCESS_KEY.bytes - 4);
    key.writeUInt32LE(9);
    key.set(bytesOf(4, address), 4);
    return lookup(
      entries.map((entry) => [entry.key, entry.verdict] as const),
      key,
    );
  };
  assert.equal(verdict(0x0a00_0001n), ACCESS.deny);
  assert.equal(verdict(0x0b00_0003n), ACCESS.deny);
  assert.equal(verdict(0x0b00_0004n), ACCESS.allow);
  assert.equal(verdict(0x0c00_0000n), undefined);
});
