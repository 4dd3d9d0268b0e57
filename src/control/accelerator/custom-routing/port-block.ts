/**
 * The listener ports of a subnet: as many as it has destinations, the lowest that were free when it was added, as spans. A block never changes; when its subnet
 * goes, its ports are free again.
 *
 *   [[10001, 12510]]      destination 0 is at 10001, the last at 12510
 *
 * And which of the destinations may be reached: a bit for each, none at first.
 */
import type { PortRange } from "../port-range.ts";

/** From, to: both included. */
export type Span = readonly [number, number];

/** The lowest `count` ports of `ranges` that `taken` has not; undefined: there are not so many. */
export function allocate(ranges: readonly PortRange[], taken: readonly Span[], count: number): Span[] | undefined {
  const used = [...taken].sort(([a], [b]) => a - b);
  const spans: Span[] = [];
  let missing = count;
  for (const { FromPort, ToPort } of [...ranges].sort((a, b) => a.FromPort - b.FromPort)) {
    let from = FromPort;
    for (const [usedFrom, usedTo] of [
      ...used.filter(([first, last]) => last >= FromPort && first <= ToPort),
      [ToPort + 1, ToPort + 1] as const,
    ]) {
      if (missing > 0 && from < usedFrom) {
        const to = Math.min(usedFrom - 1, from + missing - 1);
        spans.push([from, to]);
        missing -= to - from + 1;
      }
      from = usedTo + 1;
    }
  }
  return missing === 0 ? spans : undefined;
}

/** The listener port of each destination from `first` on, `count` of them. */
export function* portsOf(spans: readonly Span[], first = 0, count = Number.POSITIVE_INFINITY): Generator<number, void> {
  let skip = first;
  let left = count;
  for (const [from, to] of spans) {
    const length = to - from + 1;
    for (let port = from + skip; port <= to && left > 0; port++, left--) yield port;
    skip = Math.max(0, skip - length);
  }
}

/** Which destinations may be reached. */
export class Allowed {
  readonly #bits: Uint8Array;
  readonly #count: number;

  /** `stored` as `text` gave it; empty: none is allowed. */
  constructor(count: number, stored = "") {
    this.#count = count;
    this.#bits = new Uint8Array(Math.ceil(count / 8));
    this.#bits.set(Buffer.from(stored, "base64").subarray(0, this.#bits.length));
  }

  has(index: number): boolean {
    return ((this.#bits[index >> 3]! >> (index & 7)) & 1) === 1;
  }

  set(index: number, allowed: boolean): void {
    const bit = 1 << (index & 7);
    this.#bits[index >> 3] = allowed ? this.#bits[index >> 3]! | bit : this.#bits[index >> 3]! & ~bit;
  }

  setAll(allowed: boolean): void {
    for (let i = 0; i < this.#count; i++) this.set(i, allowed);
  }

  get text(): string {
    return Buffer.from(this.#bits).toString("base64");
  }
}
