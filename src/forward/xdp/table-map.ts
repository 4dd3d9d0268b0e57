/** Tables of ours in maps of the program. */
import type { BpfMap, MapShape } from "../../host/bpf/bpf-map.ts";
import { FlowTable } from "./flow-table.ts";
import { FLOW4, FLOW6 } from "./layout.ts";
import { ListenerTable } from "./listener-table.ts";
import type { Settings } from "./settings.ts";

/** Of a map, what forwards are written with. */
export interface TableMap extends Pick<BpfMap, "memory" | "update" | "delete" | "walk"> {
  readonly shape: Pick<MapShape, "entries" | "keyBytes">;
}

/** A BpfObject, or what stands for one. */
export interface TableMaps {
  map(name: string): TableMap;
}

export function flowTable(map: BpfMap, settings: Settings): FlowTable {
  const family = map.shape.valueBytes === FLOW4.bytes ? 4 : 6;
  const { entries } = map.shape;
  return new FlowTable(family === 4 ? FLOW4 : FLOW6, {
    entries,
    bytes: () => map.memory(),
    seed: settings.seed,
    used: settings.used(family),
  });
}

export function listenerTable(map: BpfMap, settings: Settings): ListenerTable {
  return new ListenerTable({ bytes: map.memory(), seed: settings.seed });
}
