/** `longhaul edge status` and `flows`: what a running edge of this user does, as a table or as JSON. */
import type { FlowObservation, PlaneObservation } from "../accelerate/observation.ts";
import { HostError } from "../base/errors.ts";
import { httpGet } from "../host/http-get.ts";
import { findInstances } from "../host/instances.ts";
import type { EdgeOptions } from "./edge-options.ts";
import { EDGE_INSTANCE } from "./edge-pages.ts";
import { printTable } from "./print-table.ts";

const TIMEOUT_MS = 10_000;
const BODY_BYTES_MAX = 256 << 20;

interface Status extends PlaneObservation {
  readonly pid: number;
  readonly revision: number;
  readonly regions: readonly { readonly region: string; readonly milliseconds?: number }[];
}

export async function showEdge(what: "status" | "flows", { json, limit }: EdgeOptions): Promise<number> {
  const instances = findInstances(true).filter(({ name }) => name === EDGE_INSTANCE);
  if (instances.length === 0) {
    process.stderr.write("longhaul edge: no edge that this user may look at runs here\n");
    return 1;
  }
  for (const { path, pid } of instances) {
    const { status, body } = await httpGet({ path }, what === "flows" ? `/flows?limit=${limit}` : "/status", TIMEOUT_MS, BODY_BYTES_MAX);
    if (status !== 200) throw new HostError("EIO", `edge ${what}`, `process ${pid}`);
    if (json) process.stdout.write(`${body}\n`);
    else if (what === "flows") printFlows(JSON.parse(body) as FlowObservation[]);
    else printStatus(JSON.parse(body) as Status);
  }
  return 0;
}

function printStatus({ pid, revision, regions, listeners, problems }: Status): void {
  const near = regions.map(({ region, milliseconds }) => `${region} ${milliseconds === undefined ? "?" : `${milliseconds.toFixed(1)} ms`}`);
  process.stdout.write(`edge ${pid}, revision ${revision}; regions by closeness: ${near.join(", ") || "none"}\n`);
  printTable(
    ["ACCELERATOR", "LISTENER", "REGION", "ENDPOINT", "HEALTHY", "FLOWS"],
    listeners.flatMap(({ accelerator, listener, protocol, flows, endpoints }) => [
      [accelerator, `${listener} ${protocol}`, "", "", "", String(flows)],
      ...endpoints.map(({ region, id, healthy, flows }) => ["", "", region, id, healthy ? "yes" : "no", String(flows)]),
    ]),
  );
  for (const { place, reason } of problems) process.stdout.write(`not open: ${place}: ${reason}\n`);
}

function printFlows(flows: readonly FlowObservation[]): void {
  printTable(
    ["PROTOCOL", "SOURCE", "AT", "ENDPOINT", "REGION", "WHY", "BY", "SEEN AS", "IN", "OUT", "AGE", "IDLE"],
    flows.map(({ protocol, source, at, endpoint, region, why, way, seenAs, bytesIn, bytesOut, seconds, idleSeconds }) => [
      ...[protocol, source, at, endpoint, region, why, way, seenAs, String(bytesIn), String(bytesOut)],
      ...[seconds === undefined ? "" : `${seconds.toFixed(0)}s`, `${idleSeconds.toFixed(0)}s`],
    ]),
  );
}
