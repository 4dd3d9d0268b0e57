/** Entries of maps whose values are numbers of 32 bits. */
import type { TableMap } from "./table-map.ts";

/** All that are there; keys are copies. */
export function* entriesOf(map: TableMap): Generator<[key: Uint8Array, value: number]> {
  const walk = map.walk();
  while (!walk.done) {
    const count = walk.next();
    for (let i = 0; i < count; i++)
      yield [walk.keys.bytes.slice(i * map.shape.keyBytes, (i + 1) * map.shape.keyBytes), walk.values.view.getUint32(i * 4, true)];
  }
}

export function number32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
