/**
 * Consistent hashing over weighted backends: a table of a prime size in which each backend has its share, and most places keep their backend when another comes or goes.
 *
 * Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4. Weights as Katran has them: a backend takes its turn
 * when its weight, added up, reaches the highest.
 */
import { textHash } from "../../base/text-hash.ts";

export interface Weighted {
  /** What its places are drawn from: the same backend gets the same ones in every table. */
  readonly name: string;
  /** Above 0. */
  readonly weight: number;
}

/** Index of a backend for each place; `backends` in any order: the table does not depend on it. */
export function maglevTable(backends: readonly Weighted[]): Uint32Array {
  if (backends.length === 1) return new Uint32Array(1);
  const size = tableSize(backends.length);
  const order = backends.map((_, i) => i).sort((a, b) => (backends[a]!.name < backends[b]!.name ? -1 : 1));
  const heaviest = Math.max(...backends.map(({ weight }) => weight));
  const turns = order.map((index) => ({
    index,
    offset: textHash(backends[index]!.name) % size,
    skip: (textHash(backends[index]!.name, 0x1234_5678) % (size - 1)) + 1,
    weight: backends[index]!.weight,
    credit: 0,
    next: 0,
  }));
  const table = new Uint32Array(size).fill(EMPTY);
  for (let filled = 0; filled < size; ) {
    for (const turn of turns) {
      turn.credit += turn.weight;
      if (turn.credit < heaviest) continue;
      turn.credit -= heaviest;
      let place = (turn.offset + turn.next * turn.skip) % size;
      while (table[place] !== EMPTY) place = (turn.offset + ++turn.next * turn.skip) % size;
      turn.next++;
      table[place] = turn.index;
      if (++filled === size) break;
    }
  }
  return table;
}

/** At least a hundred places a backend: shares are right within 1 %. */
function tableSize(backends: number): number {
  return SIZES.find((size) => size >= backends * PLACES_PER_BACKEND) ?? SIZES.at(-1)!;
}

const PLACES_PER_BACKEND = 100;
const SIZES = [251, 509, 1021, 2039, 4093, 8191];
const EMPTY = 0xffff_ffff;
