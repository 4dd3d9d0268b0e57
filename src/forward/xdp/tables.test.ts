import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../base/errors.ts";
import type { BpfObject } from "../../host/bpf/bpf-object.ts";
import { type DesiredState, desiredState, NOTHING_DESIRED } from "../desired-state.ts";
import { parseForward } from "../forward.ts";
import { plan } from "../plan.ts";
import { BACKEND, INDEX_BYTES, LISTENER, POLICY, SOURCE_BYTES, TITLE } from "./layout.ts";
import { ListenerTable } from "./listener-table.ts";
import { Tables } from "./tables.ts";

/** Tables in memory of this process; maps that are not memory keep their entries by key. */
function world(forwardsMax: number) {
  const sizes: Record<string, [entries: number, bytes: number]> = {
    ...{ forwards: [forwardsMax, INDEX_BYTES], titles: [forwardsMax, TITLE.bytes], policies: [forwardsMax * 2, POLICY.bytes] },
    ...{ backends: [forwardsMax * 3, BACKEND.bytes], choices: [forwardsMax * 2 + 4096, INDEX_BYTES], sources: [16, SOURCE_BYTES] },
  };
  const memory = new Map(Object.entries(sizes).map(([name, [entries, bytes]]) => [name, new Uint8Array(entries * bytes)]));
  const entries = new Map<string, Map<string, number>>(["places", "ranges", "access"].map((name) => [name, new Map()]));
  const text = (key: Uint8Array): string => Buffer.from(key).toString("hex");
  const object = {
    map: (name: string) => ({
      shape: { entries: sizes[name]?.[0] },
      memory: () => memory.get(name),
      update: (key: Uint8Array, value: Uint8Array) => entries.get(name)!.set(text(key), value[0]!),
      delete: (key: Uint8Array) => entries.get(name)!.delete(text(key)),
    }),
  } as unknown as BpfObject;
  const listeners = new ListenerTable({ bytes: new Uint8Array(4 * forwardsMax * LISTENER.bytes), seed: Uint32Array.of(7, 9) });
  const tables = new Tables(
    object,
    listeners,
    () => 0x0a02_0001n,
    () => {},
  );
  return { tables, listeners, entries, forwards: new Int32Array(memory.get("forwards")!.buffer) };
}

function desired(revision: number, ...forwards: { name: string; listen: string; to: string[]; allow?: string[] }[]): DesiredState {
  return desiredState(
    revision,
    forwards.map((forward) => parseForward(forward, "test")),
  );
}

test("plain forwards and others stand side by side, each led to by its number", () => {
  const { tables, listeners, forwards, entries } = world(64);
  const plain = Array.from({ length: 20 }, (_, i) => ({ name: `p${i}`, listen: `10.1.0.1:${5000 + i}`, to: ["10.2.0.2:6000"] }));
  const wide = { name: "wide", listen: "10.1.0.1:7000", to: ["10.2.0.2:6000", "10.2.0.3:6000"], allow: ["192.0.2.0/24"] };
  tables.apply(plan(NOTHING_DESIRED, desired(1, ...plain, wide)));
  const led = [...listeners.places()].map((place) => tables.names[listeners.at(place)!]).sort();
  assert.deepEqual(led, [...plain.map(({ name }) => name), "wide"].sort());
  for (const name of led) assert.ok(forwards[(tables.idOf(name!)! * INDEX_BYTES) / 4]! > 0);
  assert.equal(entries.get("access")!.size, 1);
});

test("the first plan leads to what it says, also when it holds that to be there already", () => {
  const { tables, listeners, forwards } = world(16);
  const kept = desired(
    7,
    { name: "a", listen: "10.1.0.1:5000", to: ["10.2.0.2"] },
    { name: "b", listen: "10.1.0.1:5001", to: ["10.2.0.2"] },
  );
  tables.apply(plan(kept, kept));
  const led = (): string[] => [...listeners.places()].map((place) => tables.names[listeners.at(place)!]!).sort();
  assert.deepEqual(led(), ["a", "b"]);
  for (const name of led()) assert.ok(forwards[(tables.idOf(name)! * INDEX_BYTES) / 4]! > 0);
  const next = desired(8, { name: "b", listen: "10.1.0.1:5001", to: ["10.2.0.2"] });
  tables.apply(plan(kept, next));
  assert.deepEqual(led(), ["b"]);
});

test("a range that becomes one place is a range no more", () => {
  const { tables, entries } = world(16);
  const range = desired(1, { name: "a", listen: "10.1.0.1:5000-5999", to: ["10.2.0.2"] });
  const place = desired(2, { name: "a", listen: "10.1.0.1:5000", to: ["10.2.0.2"] });
  tables.apply(plan(NOTHING_DESIRED, range));
  assert.ok(tables.hasRanges);
  tables.apply(plan(range, place));
  assert.ok(!tables.hasRanges);
  assert.deepEqual([entries.get("places")!.size, entries.get("ranges")!.size], [0, 0]);
});

test("where there is no room for all of them nothing has changed", () => {
  const { tables, listeners, forwards } = world(4);
  const forward = (i: number) => ({ name: `f${i}`, listen: `10.1.0.1:${5000 + i}`, to: ["10.2.0.2:6000"] });
  const [few, many] = [desired(1, forward(0), forward(1)), desired(2, ...[0, 1, 2, 3, 4].map(forward))];
  tables.apply(plan(NOTHING_DESIRED, few));
  assert.throws(() => tables.apply(plan(few, many)), HostError);
  assert.deepEqual(
    tables.names.filter((name) => name !== undefined),
    ["f0", "f1"],
  );
  assert.equal([...listeners.places()].length, 2);
  assert.equal(forwards.filter((policy) => policy !== 0).length, 2);
});
