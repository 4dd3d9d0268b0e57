/** Listeners that are ranges, in the two maps of range-table.ts; only what differs is written. */
import { RANGE_KEY } from "./layout.ts";
import { entriesOf, number32 } from "./map-entries.ts";
import { type RangeEntry, type RangeTable, rangeTable } from "./range-table.ts";
import type { TableMap, TableMaps } from "./table-map.ts";

export class RangeMaps {
  readonly #maps: Record<"places" | "ranges", TableMap>;
  /** By what listens there. */
  readonly #places = new Map<string, number>();
  #now: RangeTable = { places: new Map(), ranges: new Map() };
  #nextPlace = 1;

  constructor(object: TableMaps) {
    this.#maps = { places: object.map("places"), ranges: object.map("ranges") };
  }

  get isEmpty(): boolean {
    return this.#now.places.size === 0;
  }

  /** New places first, then the addresses that lead to them, then what nobody is led to any more goes. */
  set(entries: readonly RangeEntry[]): void {
    const table = rangeTable(entries, (listeners) => {
      const place = this.#places.get(listeners) ?? this.#nextPlace++;
      this.#places.set(listeners, place);
      return place;
    });
    for (const name of ["ranges", "places"] as const) {
      for (const [key, value] of table[name])
        if (this.#now[name].get(key) !== value) this.#maps[name].update(Buffer.from(key, "latin1"), number32(value));
    }
    for (const name of ["places", "ranges"] as const)
      for (const key of this.#now[name].keys()) if (!table[name].has(key)) this.#maps[name].delete(Buffer.from(key, "latin1"));
    const used = new Set(table.places.values());
    for (const [listeners, place] of this.#places) if (!used.has(place)) this.#places.delete(listeners);
    this.#now = table;
  }

  /** What an earlier process left is there until the next `set`. */
  inherit(): void {
    const places = new Map<string, number>();
    const ranges = new Map<string, number>();
    for (const [key, value] of entriesOf(this.#maps.places)) {
      this.#nextPlace = Math.max(this.#nextPlace, value + 1);
      places.set(text(key), value);
    }
    for (const [key, value] of entriesOf(this.#maps.ranges)) {
      this.#nextPlace = Math.max(this.#nextPlace, new DataView(key.buffer, key.byteOffset).getUint32(RANGE_KEY.place, true) + 1);
      ranges.set(text(key), value);
    }
    this.#now = { places, ranges };
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}
