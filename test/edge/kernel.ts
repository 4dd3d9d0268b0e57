/**
 * An edge whose UDP the kernel forwards (`--datapath`), in namespaces (lab.ts): who moves what, weights, an endpoint that dies, the client's address.
 *
 * What is asserted are counts. Part of `npm run test:edge`, which runs it twice: with what the edge takes by itself, nftables here, and with EDGE_DATAPATH=xdp.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import type { FlowObservation } from "../../src/accelerate/observation.ts";
import { until } from "../until.ts";
import type { Answer } from "./asker.ts";
import type { Report } from "./caller.ts";
import { ADDRESS, ENDPOINT, Lab, labMissing, type Program } from "./lab.ts";

const PORT = 5060;
const FLOWS = 400;
const METRICS = 9110;
const PACKETS_IN_A_SECOND = 50;
const DATAPATH = process.env.EDGE_DATAPATH ?? "auto";
const skip = labMissing(...(DATAPATH === "xdp" ? ["ethtool"] : [])) ?? false;

let lab: Lab;
let edge: ReturnType<Lab["spawn"]>;
let asker: Program;
let file = "";

function configure(endpoints: readonly object[], policy: object = {}): void {
  const group = { id: "g", region: "r", check: { port: PORT, intervalMs: 200, timeoutMs: 150, threshold: 2 }, endpoints };
  const listener = { id: "l", protocol: "UDP", ports: [{ from: PORT, to: PORT }], groups: [group] };
  writeFileSync(
    file,
    JSON.stringify({ accelerators: [{ id: "x", addresses: [ADDRESS], policy, flowLogs: { bucket: "logs" }, listeners: [listener] }] }),
  );
}

const endpointOf = (name: "a" | "b", more: object = {}) => ({ id: name, host: ENDPOINT[name], ...more });
const page = <T>(path: string): T => JSON.parse(lab.run("e1", "curl", "-s", `http://127.0.0.1:${METRICS}${path}`)) as T;
const status = () =>
  page<{ revision: number; counters: Record<string, number>; kernel: { by: string; revision: number; not: Record<string, string> } }>(
    "/status",
  );
const flows = () => page<FlowObservation[]>("/flows?limit=2000");
const ask = (count: number): Promise<Answer[]> => asker.ask({ host: ADDRESS, port: PORT, count });

/** Serves what was written, and waits until the kernel is led to it. */
async function reread(): Promise<void> {
  const { revision } = status();
  edge.kill("SIGHUP");
  await until("the kernel has it", () => status().kernel.revision > revision);
  await until("both endpoints answer", answering);
}

const answering = (): boolean => page<{ endpoints: { healthy?: boolean }[] }>("/status").endpoints.every(({ healthy }) => healthy);

before(async () => {
  if (skip !== false) return;
  lab = new Lab();
  file = join(lab.folder, "edge.json");
  lab.run("r", "ip", "route", "add", `${ADDRESS}/32`, "via", "10.82.1.2");
  for (const name of ["a", "b"] as const) await lab.program(name, "endpoint.ts", name, String(PORT)).ask({});
  configure([endpointOf("a"), endpointOf("b", { weight: 64 })]);
  if (DATAPATH === "xdp") lab.readyForXdp();
  const main = join(import.meta.dirname, "../../src/main.ts");
  const options = ["--file", file, "--interface", "lo", "--state", lab.folder, "--metrics", String(METRICS), "--datapath", DATAPATH];
  edge = lab.spawn("e1", [process.execPath, main, "edge", ...options], true);
  asker = lab.program("c", "asker.ts");
  await until("the edge serves", () => status().revision > 0);
});

after(() => lab?.close());

test("where the kernel may not forward, the process does, and says why", { skip }, async () => {
  assert.equal((await ask(5)).length, 5);
  assert.deepEqual(new Set(flows().map(({ way }) => way)), new Set(["userspace"]));
  assert.match(status().kernel.not["x l"] ?? "", /not forwarded between interfaces/);
});

test("once it may, new flows are the kernel's alone, by weights", { skip }, async () => {
  lab.run("e1", "sysctl", "-qw", "net.ipv4.ip_forward=1");
  await reread();
  assert.deepEqual([status().kernel.by, status().kernel.not], [DATAPATH === "auto" ? "nftables" : DATAPATH, {}]);
  const answers = await ask(FLOWS);
  assert.equal(answers.length, FLOWS);
  const part = answers.filter(({ name }) => name === "a").length / FLOWS;
  process.stdout.write(`  ${(part * 100).toFixed(1)} % at an endpoint whose weights say 66.7 %\n`);
  // Four standard deviations of so many flows.
  assert.ok(Math.abs(part - 2 / 3) < 0.095, `${part} of the flows`);
  const ports = new Map(answers.map(({ sourcePort, name }) => [`10.81.0.2:${sourcePort}`, name]));
  const seen = flows().filter(({ source }) => ports.has(source));
  assert.equal(seen.length, FLOWS);
  for (const { way, source, endpointId, why } of seen) assert.deepEqual([way, endpointId, why], ["kernel", ports.get(source), "dial"]);
});

test("an endpoint's machine is gone: its running flow and new ones are elsewhere within a second", { skip }, async () => {
  configure([endpointOf("a"), endpointOf("b", { weight: 1 })]);
  await reread();
  const caller = lab.program("c", "caller.ts");
  await caller.ask({ do: "start", host: ADDRESS, port: PORT });
  await sleep(500);
  assert.ok((await caller.ask<Report>({ do: "report" })).packets.includes("a"), "the call is at the endpoint that dies");
  lab.run("a", "ip", "link", "set", "in0", "down");
  await sleep(2500);
  const { packets } = await caller.ask<Report>({ do: "report" });
  const lost = packets.filter((name) => name === "").length;
  process.stdout.write(`  ${lost} of ${packets.length} packets of a running call lost\n`);
  assert.ok(lost <= PACKETS_IN_A_SECOND && packets.at(-1) === "b", `${lost} lost, the last one answered by "${packets.at(-1)}"`);
  assert.ok(status().counters.kernelChanges! >= 2);
  await caller.kill();
  lab.run("a", "ip", "link", "set", "in0", "up");
  // That is a change of the kernel's as well: the next test must not take it for its own.
  await until("the endpoint is back, and the kernel has it", () => {
    const { revision, kernel } = status();
    return answering() && kernel.revision === revision;
  });
});

test("transparent: the endpoint sees the client's own address and port", { skip }, async () => {
  for (const name of ["a", "b"] as const) lab.run(name, "ip", "route", "replace", "default", "via", "10.80.0.11");
  configure([endpointOf("a", { client: "transparent" }), endpointOf("b", { client: "transparent" })]);
  await reread();
  // Flows go on as they began: a port that the asker had before in this run may be of one.
  const before = new Set(flows().map(({ source }) => source));
  const answers = await ask(20);
  assert.equal(answers.length, 20);
  const fresh = answers.filter(({ sourcePort }) => !before.has(`10.81.0.2:${sourcePort}`));
  assert.ok(fresh.length > 10, `${fresh.length} of 20 from a port of their own`);
  for (const { seenAs, sourcePort } of fresh) assert.equal(seenAs, `10.81.0.2:${sourcePort}`);
});

test("what the kernel cannot do goes back to the process, without a loss", { skip }, async () => {
  configure([endpointOf("a"), endpointOf("b")], { sourceFlowsMax: 100_000 });
  await reread();
  assert.match(status().kernel.not["x l"] ?? "", /limits flows/);
  assert.equal((await ask(20)).length, 20);
  assert.deepEqual(new Set(flows().map(({ way }) => way)), new Set(["userspace"]));
});

test("flow logs: what runs when the edge is stopped is in its file", { skip }, async () => {
  const answers = await ask(10);
  const gone = once(edge, "exit");
  edge.kill("SIGTERM");
  await gone;
  const [file = ""] = globSync(join(lab.folder, "flowlogs/logs/AWSLogs/000000000000/globalaccelerator/**/*.log.gz"));
  const [header = "", ...lines] = gunzipSync(readFileSync(file)).toString().trim().split("\n");
  const names = header.split(" ");
  const flows = lines.map((line) => Object.fromEntries(line.split(" ").map((field, i) => [names[i], field])));
  for (const { sourcePort, name } of answers)
    for (const direction of ["INGRESS", "EGRESS"]) {
      const [flow, ...more] = flows.filter((each) => each.client_port === String(sourcePort) && each.direction === direction);
      assert.ok(flow !== undefined && more.length === 0, `one line for ${sourcePort} ${direction}`);
      assert.deepEqual([flow.client_ip, flow.gip, flow.endpoint_ip, flow.log_status], ["10.81.0.2", ADDRESS, ENDPOINT[name as "a"], "OK"]);
      assert.ok(Number(flow.packets) > 0 && Number(flow.bytes) > 0);
    }
});
