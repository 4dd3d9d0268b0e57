/**
 * The change of many forwards, done a few times with made-up ones in memory of its own: its loops are compiled before somebody waits for them.
 *
 * Costs some 15 ms when the datapath is opened, which takes tens of that for the programs; the first change of tens of thousands takes a third less, and each single one a quarter.
 */
import { desiredState, NOTHING_DESIRED } from "../desired-state.ts";
import { type Forward, parseForward } from "../forward.ts";
import { type Plan, plan } from "../plan.ts";
import { BACKEND, INDEX_BYTES, LISTENER, POLICY, SOURCE_BYTES, TITLE } from "./layout.ts";
import { ListenerTable } from "./listener-table.ts";
import type { TableMaps } from "./table-map.ts";
import { Tables } from "./tables.ts";

export function rehearse(): void {
  const change = madeUp();
  for (let round = 0; round < ROUNDS; round++) emptyTables().apply(change);
}

function madeUp(): Plan {
  const forwards = Array.from({ length: FORWARDS }, (_, i): Forward => {
    const port = PORT_FIRST + i;
    return parseForward({ name: `rehearsal${i}`, listen: `192.0.2.1:${port}`, to: [`192.0.2.2:${port}`] }, "rehearsal");
  });
  return plan(NOTHING_DESIRED, desiredState(1, forwards));
}

/** As openObject in shapes.ts sizes them, in memory of this process. */
function emptyTables(): Tables {
  const memory: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
    forwards: new Uint8Array(FORWARDS * INDEX_BYTES),
    titles: new Uint8Array(FORWARDS * TITLE.bytes),
    policies: new Uint8Array(FORWARDS * 2 * POLICY.bytes),
    backends: new Uint8Array(FORWARDS * 2 * BACKEND.bytes),
    choices: new Uint8Array(FORWARDS * 2 * INDEX_BYTES),
    sources: new Uint8Array(SOURCES * SOURCE_BYTES),
  };
  const entries: Readonly<Record<string, number>> = {
    ...{ forwards: FORWARDS, titles: FORWARDS, policies: FORWARDS * 2, backends: FORWARDS * 2, choices: FORWARDS * 2, sources: SOURCES },
  };
  const maps: TableMaps = {
    map: (name) => ({
      shape: { entries: entries[name] ?? 0, keyBytes: 0 },
      memory: () => memory[name] ?? NOTHING,
      update: () => {},
      delete: () => false,
      walk: () => {
        throw new Error("nothing is inherited here");
      },
    }),
  };
  const listeners = new ListenerTable({ bytes: new Uint8Array(4 * FORWARDS * LISTENER.bytes), seed: Uint32Array.of(1, 2) });
  return new Tables(
    maps,
    listeners,
    () => OWN_ADDRESS,
    () => {},
  );
}

const NOTHING = new Uint8Array(0);
const FORWARDS = 512;
const ROUNDS = 12;
const SOURCES = 4;
const PORT_FIRST = 1024;
/** 192.0.2.3 */
const OWN_ADDRESS = 0xc000_0203n;
