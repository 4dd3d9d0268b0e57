/**
 * Static addresses for accelerators: the operator's ranges, in two zones, so that an accelerator's two addresses need not fail together. With one range its
 * halves are the zones; with several they take turns.
 */
import { addressAt, type Cidr, contains } from "./cidr.ts";

const ZONES = 2;

export class AddressPool {
  readonly #zones: ReadonlyMap<4 | 6, readonly (readonly Cidr[])[]>;
  readonly ranges: readonly Cidr[];

  constructor(ranges: readonly Cidr[]) {
    this.ranges = ranges;
    this.#zones = new Map(
      ([4, 6] as const).map((family) => {
        const own = ranges.filter((range) => range.family === family);
        const parts = own.length === 1 ? halves(own[0]!) : own;
        return [family, Array.from({ length: ZONES }, (_, zone) => parts.filter((_range, i) => i % ZONES === zone))];
      }),
    );
  }

  has(address: string): boolean {
    return this.ranges.some((range) => contains(range, address));
  }

  /** Up to `count` addresses that `taken` has not: from each zone in turn, and where a zone has none left, from the other. */
  free(family: 4 | 6, count: number, taken: ReadonlySet<string>): string[] {
    const zones = (this.#zones.get(family) ?? []).map((ranges) => freeOf(ranges, taken));
    const found: string[] = [];
    for (let zone = 0; found.length < count && zones.length > 0; ) {
      const { value, done } = zones[zone % zones.length]!.next();
      if (done) zones.splice(zone % zones.length, 1);
      else {
        found.push(value);
        zone++;
      }
    }
    return found;
  }
}

function* freeOf(ranges: readonly Cidr[], taken: ReadonlySet<string>): Generator<string, void> {
  for (const { family, first, size } of ranges) {
    // Of more than one address, the first is the network's.
    for (let i = size > 1n ? 1n : 0n; i < size; i++) {
      const address = addressAt(family, first + i);
      if (!taken.has(address)) yield address;
    }
  }
}

/** A range of one address is no two: it stays whole. */
function halves(range: Cidr): Cidr[] {
  if (range.size === 1n) return [range];
  const size = range.size / 2n;
  return [0n, 1n].map((half) => ({ ...range, first: range.first + half * size, size, prefix: range.prefix + 1 }));
}
