import assert from "node:assert/strict";
import { test } from "node:test";
import { type EdgeConfig, edgeConfig } from "./edge-config.ts";
import { kernelEntries } from "./kernel-entries.ts";

const known = {
  standing: () => ({ healthy: true, dead: false }),
  address: (host: string) => (host === "unknown.example" ? undefined : host),
  rank: () => 0,
};
const two = [
  { id: "a", host: "10.0.0.1" },
  { id: "b", host: "10.0.0.2" },
];

function configOf(listener: object, group: object = {}, accelerator: object = {}): EdgeConfig {
  return edgeConfig.parse({
    revision: 1,
    accelerators: [
      {
        ...{ id: "x", addresses: ["198.51.100.1"] },
        listeners: [
          {
            ...{ id: "l", protocol: "UDP", ports: [{ from: 5000, to: 5002 }] },
            groups: [{ id: "g", region: "r", check: { port: 1 }, endpoints: two, ...group }],
            ...listener,
          },
        ],
        ...accelerator,
      },
    ],
  });
}

test("a run of ports is one entry, an override's port one by itself", () => {
  const { placed } = kernelEntries(configOf({}, { overrides: [{ listener: 5001, endpoint: 6001 }] }), known);
  assert.deepEqual(
    placed.map(({ entry: { from, to, backends } }) => [from, to, backends[0]!.port]),
    [
      [5000, 5000, 5000],
      [5001, 5001, 6001],
      [5002, 5002, 5002],
    ],
  );
  const [run] = kernelEntries(configOf({}), known).placed;
  assert.deepEqual([run!.entry.from, run!.entry.to, run!.entry.backends[0]!.port], [5000, 5002, undefined]);
});

test("one endpoint is one choice, two machines have both; the same machine twice is one backend", () => {
  const choicesOf = (endpoints: object[]): number => {
    const { entry } = kernelEntries(configOf({}, { endpoints }), known).placed[0]!;
    assert.equal(new Set(entry.choices).size, entry.backends.length);
    return entry.choices.length;
  };
  assert.equal(choicesOf(two.slice(0, 1)), 1);
  assert.ok(choicesOf(two) > 1);
  assert.equal(choicesOf([two[0]!, { ...two[1]!, host: "10.0.0.1" }]), 1);
});

test("a dead endpoint is no backend, unless its flows shall stay; one that answers wrongly keeps what it has", () => {
  const backends = (standing: object, policy: object): number => {
    const at = {
      ...known,
      standing: (_: unknown, { id }: { id: string }) => (id === "a" ? { healthy: true, dead: false, ...standing } : known.standing()),
    };
    const { entry } = kernelEntries(configOf({}, {}, { policy }), at).placed[0]!;
    assert.equal(new Set(entry.choices).size, 1);
    return entry.backends.length;
  };
  assert.equal(backends({ healthy: false, dead: true }, {}), 1);
  assert.equal(backends({ healthy: false, dead: true }, { repin: false }), 2);
  assert.equal(backends({ healthy: false, dead: false }, {}), 2);
});

test("what needs this process's hand stays with it, and it is said why", () => {
  const reasons: [EdgeConfig, RegExp][] = [
    [configOf({}, { endpoints: [{ ...two[0], client: "proxy" }] }), /PROXY/],
    [configOf({}, { endpoints: [two[0], { ...two[1], client: "transparent" }] }), /different ways/],
    [configOf({}, { endpoints: [{ ...two[0], host: "2001:db8::1" }] }), /both IPv4 and IPv6/],
    [configOf({}, { endpoints: [{ ...two[0], host: "unknown.example" }] }), /no address yet/],
    [configOf({}, { endpoints: [] }), /no endpoint/],
    [configOf({}, {}, { policy: { sourceFlowsMax: 5 } }), /limits flows/],
    [configOf({}, {}, { policy: { drainSeconds: 5 } }), /drains/],
    [configOf({ groups: [] }), /custom routing/],
  ];
  for (const [config, reason] of reasons) {
    const { placed, reasons } = kernelEntries(config, known);
    assert.equal(placed.length, 0, `${reason}`);
    assert.match(reasons.get("x l") ?? "", reason);
  }
});
