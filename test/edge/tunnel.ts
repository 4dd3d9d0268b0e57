/**
 * An edge with a tunnel to a machine beside its endpoint, over a link of 60 ms round trip that loses 3 % each way (../shared/netlab): the same transfer through the
 * tunnel and by the plain way (TCP with Reno, which a namespace may always have), one after the other. Part of `npm run test:edge`
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FlowObservation } from "../../src/accelerate/observation.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";
import { until } from "../until.ts";
import type { Received } from "./far.ts";

const skip = netlabMissing() ?? false;
const NEAR = "10.200.0.1";
const FAR = Netlab.serverAddress;
const [TUNNELLED, PLAIN, UNKNOWN] = [7001, 7002, 7003];
const SERVER = 7100;
const METRICS = 9111;
const TRANSFER_MS = 2000;

let lab: Netlab;
let folder = "";
const children: ChildProcess[] = [];
const main = join(import.meta.dirname, "../../src/main.ts");
const far = join(import.meta.dirname, "far.ts");

function start(side: "c" | "s", ...args: string[]): ChildProcess {
  const [file = "", ...rest] = [...lab.prefix(side), process.execPath, ...args];
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  return child;
}

function run(side: "c" | "s", ...command: string[]): string {
  const [file = "", ...rest] = [...lab.prefix(side), ...command];
  return execFileSync(file, rest, { encoding: "utf8", timeout: 10_000 });
}

function page<T>(path: string): T {
  return JSON.parse(run("c", "curl", "-s", `http://127.0.0.1:${METRICS}${path}`)) as T;
}

async function receive(port: number, ms: number, meanwhile: () => void = () => {}): Promise<Received> {
  const child = start("c", far, "client", NEAR, String(port), String(ms));
  await sleep(ms / 2);
  meanwhile();
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  return JSON.parse(line.toString()) as Received;
}

before(async () => {
  if (skip !== false) return;
  lab = new Netlab("lhet", "delay=30 loss=3% rate=20mbit qbytes=256k");
  // This machine may have been tuned to BBR; at this loss CUBIC, which others have, does as Reno does.
  for (const side of ["c", "s"] as const) run(side, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno");
  folder = mkdtempSync(join(tmpdir(), "longhaul-edge-tunnel-"));
  const listenerOf = (port: number, more: object) => ({
    ...{ id: `l${port}`, protocol: "TCP", ports: [{ from: port, to: port }] },
    groups: [
      {
        ...{ id: `g${port}`, region: "far", check: { port: SERVER, intervalMs: 500 } },
        endpoints: [{ id: "e", host: FAR, port: SERVER, client: "proxy" }],
        ...more,
      },
    ],
  });
  const listeners = [listenerOf(TUNNELLED, { tunnel: "pop" }), listenerOf(PLAIN, {}), listenerOf(UNKNOWN, { tunnel: "nobody" })];
  writeFileSync(join(folder, "edge.json"), JSON.stringify({ accelerators: [{ id: "x", addresses: [NEAR], listeners }] }));
  writeFileSync(
    join(folder, "tunnels.yaml"),
    `pop: { remoteaddr: "${FAR}:29900", key: secret }\nnobody: { remoteaddr: "${FAR}:1", key: secret }\n`,
  );
  await once(start("s", far, "server", String(SERVER)).stdout!, "data");
  start("s", main, "server", "--listen", `${FAR}:29900`, "--key", "secret", "--mode", "auto", "--targets", `${FAR}:${SERVER}`);
  const files = ["--file", join(folder, "edge.json"), "--tunnels", join(folder, "tunnels.yaml"), "--state", folder];
  start("c", main, "edge", ...files, "--metrics", String(METRICS));
  await until("the endpoint answers", () =>
    page<{ endpoints: { healthy?: boolean }[] }>("/status").endpoints.every(({ healthy }) => healthy),
  );
  // Whoever comes before the far end has answered goes the plain way.
  for (let way = ""; way !== "tunnel"; )
    await receive(TUNNELLED, 500, () => {
      way = page<FlowObservation[]>("/flows")[0]?.way ?? "";
    });
});

after(() => {
  for (const child of children) child.kill("SIGKILL");
  if (skip === false) lab?.down();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

test("a transfer through the tunnel is faster than the plain way, and the client's address arrives on both", { skip }, async () => {
  let ways: string[] = [];
  const tunnelled = await receive(TUNNELLED, TRANSFER_MS, () => {
    ways = page<FlowObservation[]>("/flows").map(({ way }) => way);
  });
  const plain = await receive(PLAIN, TRANSFER_MS);
  const rate = ({ bytes }: Received): string => ((bytes * 8) / TRANSFER_MS / 1000).toFixed(2);
  process.stdout.write(`  ${rate(tunnelled)} Mbit/s through the tunnel, ${rate(plain)} by the plain way\n`);
  assert.deepEqual([tunnelled.source, plain.source], [NEAR, NEAR]);
  assert.deepEqual(ways, ["tunnel"]);
  assert.ok(tunnelled.bytes > 2 * plain.bytes, `${tunnelled.bytes} bytes through the tunnel, ${plain.bytes} by the plain way`);
});

test("a tunnel whose far end does not answer: the plain way is taken", { skip }, async () => {
  const refused = (): number => page<{ counters: Record<string, number> }>("/status").counters.tunnelRefused!;
  const before = refused();
  assert.equal((await receive(UNKNOWN, 700)).source, NEAR);
  assert.equal(refused() - before, 1);
});
