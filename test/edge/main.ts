/**
 * Edges in namespaces (lab.ts), as they fail in real life: an endpoint's machine, its program, an edge's program, an edge's network, control.
 *
 * What is asserted are counts: which of the things begun in order, one every so often, were lost. `npm run test:edge`
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../until.ts";
import type { Report } from "./caller.ts";
import { ADDRESS, CONTROL, ENDPOINT, Lab, labMissing, type Place, type Program } from "./lab.ts";

const missing = labMissing();
const skip = missing === undefined ? false : missing;
const PORT = 5060;
/** Of what begins every 50 ms: those of one second. */
const NEW_IN_A_SECOND = 20;
/** Of a call's packets, one every 20 ms. */
const PACKETS_IN_A_SECOND = 50;

let lab: Lab;
let control: Program;
let caller: Program;
const endpoints = new Map<string, Program>();
const edges = new Map<Place, { process: ReturnType<Lab["spawn"]> }>();

const main = join(import.meta.dirname, "../../src/main.ts");

function startEdge(place: "e1" | "e2", more: readonly string[] = []): void {
  const i = place.at(-1)!;
  const bird = [
    "--bird",
    lab.conf(place),
    "--birdsocket",
    lab.socket(place),
    "--birdid",
    `10.82.${i}.2`,
    "--birdneighbor",
    `10.82.${i}.1@65000`,
  ];
  const options = [...bird, "--interface", "lo", "--state", join(lab.folder, place), ...more];
  edges.set(place, { process: lab.spawn(place, [process.execPath, main, "edge", ...options], true) });
}

async function startEndpoint(name: "a" | "b"): Promise<void> {
  const program = lab.program(name, "endpoint.ts", name, String(PORT));
  endpoints.set(name, program);
  await program.ask({});
}

function configuration(revision: number): object {
  // Both regions are equally close: the dial says that everything goes to one as long as it lives.
  const group = (region: string, name: "a" | "b", dial: number) => ({
    ...{ id: `g-${region}`, region, dial, check: { port: PORT, intervalMs: 200, timeoutMs: 300, threshold: 2 } },
    endpoints: [{ id: name, host: ENDPOINT[name] }],
  });
  const listener = (protocol: string) => ({
    ...{ id: protocol, protocol, ports: [{ from: PORT, to: PORT }] },
    groups: [group("near", "a", 100), group("far", "b", 0)],
  });
  return { revision, accelerators: [{ id: "sip", addresses: [ADDRESS], listeners: [listener("TCP"), listener("UDP")] }] };
}

const report = (): Promise<Report> => caller.ask<Report>({ do: "report" });
const lost = (answers: readonly string[]): number => answers.filter((name) => name === "").length;

/** Begun after the trouble and lost: none later than so many after it. */
function recovered(what: string, answers: readonly string[], within: number): void {
  const first = answers.indexOf("");
  const last = answers.lastIndexOf("");
  const span = first < 0 ? 0 : last - first + 1;
  process.stdout.write(`  ${what}: ${answers.length} begun, ${lost(answers)} lost, ${span} from the first to the last of them\n`);
  assert.ok(span <= within, `${what}: ${span} from the first lost one to the last, at most ${within}`);
  assert.ok(answers.length > 2 * within && last < answers.length - 1, `${what}: goes on afterwards`);
}

/** What was begun around the trouble: new things recovered within so much of a second, the call within as much. */
async function around(trouble: () => unknown, seconds: number, share: number): Promise<Report> {
  await report();
  await sleep(500);
  await trouble();
  await sleep(seconds * 1000);
  const told = await report();
  recovered("connections", told.connections, NEW_IN_A_SECOND * share);
  recovered("UDP flows", told.flows, NEW_IN_A_SECOND * share);
  recovered("packets of the call", told.packets, PACKETS_IN_A_SECOND * share);
  return told;
}

before(async () => {
  if (skip !== false) return;
  lab = new Lab();
  control = lab.program("k", "control.ts", lab.folder, CONTROL, "4433");
  await Promise.all([startEndpoint("a"), startEndpoint("b")]);
  lab.startRouter();
  for (const place of ["e1", "e2"] as const) {
    // An empty configuration to begin with: the edge writes its own.
    lab.startBird(place, `router id 10.82.${place.at(-1)}.2; protocol device {}\n`);
    const token = await control.ask<string>({ do: "token" });
    startEdge(place, ["--join", token]);
  }
  await control.ask({ do: "serve", config: configuration(1) });
  await until("both edges serve", async () => (await control.ask<{ acknowledged: number }>({ do: "state" })).acknowledged === 1, 60);
  await until("the router has a way", () => lab.way() === "e1", 60);
  caller = lab.program("c", "caller.ts");
  await caller.ask({ do: "start", host: ADDRESS, port: PORT });
  await until("calls are answered", async () => lost((await report()).packets) === 0, 60);
});

after(() => lab?.close());

test("a change reaches every edge and is acknowledged", { skip }, async () => {
  await control.ask({ do: "serve", config: configuration(2) });
  await until("acknowledged", async () => (await control.ask<{ acknowledged: number }>({ do: "state" })).acknowledged === 2);
});

test("control is killed: nothing changes for traffic, from here to the end", { skip }, async () => {
  await report();
  await control.kill();
  await sleep(2000);
  const { connections, flows, packets } = await report();
  assert.deepEqual([lost(connections), lost(flows), lost(packets)], [0, 0, 0]);
});

test("an endpoint's machine is gone: new flows and a running call are elsewhere within a second", { skip }, async () => {
  const { connections, flows, packets } = await around(() => lab.run("a", "ip", "link", "set", "in0", "down"), 4, 1);
  assert.deepEqual([connections.at(-1), flows.at(-1), packets.at(-1)], ["b", "b", "b"]);
});

test("it is back: new flows return to it, the call stays where it is, nothing is lost", { skip }, async () => {
  lab.run("a", "ip", "link", "set", "in0", "up");
  await until("new flows go there", async () => (await report()).connections.at(-1) === "a");
  await sleep(1000);
  const { connections, packets } = await report();
  assert.deepEqual([lost(connections), lost(packets), packets.at(-1)], [0, 0, "b"]);
});

test("an endpoint's program is killed: what it refuses goes elsewhere at once", { skip }, async () => {
  const { packets } = await around(() => endpoints.get("a")!.kill(), 3, 1 / 4);
  assert.equal(lost(packets), 0, "the call was at the other one");
  await startEndpoint("a");
  await until("new flows go there", async () => (await report()).connections.at(-1) === "a");
});

test("a region is gone, its network and what runs in it: everything new and the call that it had are elsewhere within a second", {
  skip,
}, async () => {
  // The call is at region far since its endpoint died: that is the one to lose.
  const die = (): Promise<void> => {
    lab.run("x", "ip", "link", "set", "wb", "down");
    return endpoints.get("b")!.kill();
  };
  const { connections, flows, packets } = await around(die, 4, 1);
  assert.deepEqual([connections.at(-1), flows.at(-1), packets.at(-1)], ["a", "a", "a"]);
  assert.ok(packets.includes("b"), "it was there before");
  lab.run("x", "ip", "link", "set", "wb", "up");
  await startEndpoint("b");
});

test("an edge is killed: its routes go with it, and everything is at the other edge within half a second", { skip }, async () => {
  assert.equal(lab.way(), "e1");
  await around(() => edges.get("e1")!.process.kill("SIGKILL"), 3, 1 / 2);
  assert.equal(lab.way(), "e2");
});

test("started again without control it serves what it had, and is the router's way again", { skip }, async () => {
  startEdge("e1");
  await until("the way leads there", () => lab.way() === "e1", 60);
  await sleep(1000);
  await report();
  await sleep(1000);
  const { connections, flows } = await report();
  assert.deepEqual([lost(connections), lost(flows)], [0, 0]);
});

test("an edge falls silent: BFD notices, and everything is at the other edge within half a second", { skip }, async () => {
  const silence = "add table inet silent; add chain inet silent in { type filter hook input priority -300; policy drop; }";
  await around(() => lab.run("e1", "nft", silence), 3, 1 / 2);
  assert.equal(lab.way(), "e2");
});

test("no endpoint answers at an edge: its route is withdrawn", { skip }, async () => {
  lab.run("e2", "nft", "add table inet cut; add chain inet cut out { type filter hook output priority 0; ip daddr 10.80.0.0/24 drop; }");
  await until("no way is left", () => lab.way() === "", 30);
});
