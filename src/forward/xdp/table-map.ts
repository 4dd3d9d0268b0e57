/** Tables of ours in maps of the program. */
import type { BpfMap } from "../../host/bpf/bpf-map.ts";
import { FlowTable } from "./flow-table.ts";
import { FLOW4, FLOW6 } from "./layout.ts";
import { ListenerTable } from "./listener-table.ts";
import type { Settings } from "./settings.ts";

export function flowTable(map: BpfMap, settings: Settings): FlowTable {
  const family = map.shape.valueBytes === FLOW4.bytes ? 4 : 6;
  return new FlowTable(family === 4 ? FLOW4 : FLOW6, { bytes: map.memory(), seed: settings.seed, used: settings.used(family) });
}

export function listenerTable(map: BpfMap, settings: Settings): ListenerTable {
  return new ListenerTable({ bytes: map.memory(), seed: settings.seed });
}
