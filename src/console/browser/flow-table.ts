/** Flows that run, the most active ones of each edge, and why each went where it went. */
import type { FlowSample } from "../../accelerate/edge-stream.ts";
import type { ConsoleEdges } from "../../control/console/console-api.ts";
import { build, byteCount } from "./text.ts";

const WHY: Readonly<Record<FlowSample["why"], string>> = {
  dial: "closest region that takes it, by dial and weight",
  failover: "nobody answers where its dial sends it: the next region that has somebody",
  "fail-open": "no endpoint answers at all: one of the closest region, whatever its health",
  route: "custom routing maps its port",
};
const BY: Readonly<Record<FlowSample["way"], string>> = { userspace: "", kernel: "by the kernel", tunnel: "through the tunnel" };
const COLUMNS = ["Flow", "Goes to", "Why", "In", "Out", "Idle"];

export function drawFlows(into: HTMLElement, { edges }: ConsoleEdges): void {
  const flows = edges.flatMap((edge) => (edge.report?.sample ?? []).map((flow) => ({ flow, edge })));
  into.hidden = flows.length === 0;
  if (into.hidden) return;
  const head = document.createElement("tr");
  head.append(...COLUMNS.map((name) => build("th", "", name)));
  into.querySelector("table")!.replaceChildren(head, ...flows.map(({ flow, edge }) => row(flow, edge.name || edge.label || edge.id)));
}

function row({ protocol, source, at, endpoint, region, why, way, bytesIn, bytesOut, idleSeconds }: FlowSample, edge: string): HTMLElement {
  const made = document.createElement("tr");
  made.append(
    two(`${protocol} ${source}`, `at ${at}, ${edge}`),
    two(region === "" ? endpoint : `${region} · ${endpoint}`, BY[way]),
    build("td", "why", WHY[why]),
    build("td", "", byteCount(bytesIn)),
    build("td", "", byteCount(bytesOut)),
    build("td", "", `${Math.round(idleSeconds)} s`),
  );
  return made;
}

function two(first: string, second: string): HTMLElement {
  const cell = build("td", "", first);
  if (second !== "") cell.append(build("small", "", second));
  return cell;
}
