/** Edges that have joined: what they serve, when they were heard last, what flows through them. */
import type { ConsoleEdges } from "../../control/console/console-api.ts";
import { bitRate, build } from "./text.ts";

/** An edge says something every 5 s; three times as long without is silence. */
const SILENT_MS = 15_000;
const COLUMNS = ["Edge", "State", "Revision", "Flows", "In", "Out", "Release"];

type Edge = ConsoleEdges["edges"][number];

/** Bytes that were told last, for rates. */
const last = new Map<string, { readonly at: number; readonly bytesIn: number; readonly bytesOut: number }>();

export function drawEdges(into: HTMLElement, { now, revision, edges }: ConsoleEdges): void {
  const head = document.createElement("tr");
  head.append(...COLUMNS.map((name) => build("th", "", name)));
  const rows = edges.map((edge) => row(edge, now, revision));
  if (rows.length === 0) {
    const none = document.createElement("tr");
    const cell = build("td", "none", "No edge has joined yet: what is made here is kept for the first one.");
    cell.colSpan = COLUMNS.length;
    none.append(cell);
    rows.push(none);
  }
  const flows = edges.reduce((sum, { report }) => sum + (report?.flows ?? 0), 0);
  into.querySelector("h2")!.textContent = edges.length === 0 ? "Edges" : `Edges · ${flows.toLocaleString()} live flows`;
  into.querySelector("table")!.replaceChildren(head, ...rows);
}

function row(edge: Edge, now: number, revision: number): HTMLTableRowElement {
  const [state, kind] = stateOf(edge, now, revision);
  const rates = ratesOf(edge);
  const cells = [
    build("td", "", edge.name || edge.label || edge.id),
    build("td", `state ${kind}`, state),
    build("td", "", edge.revision < 0 ? "–" : `${edge.revision} of ${revision}`),
    build("td", "", edge.report === undefined ? "–" : edge.report.flows.toLocaleString()),
    build("td", "", rates === undefined ? "–" : bitRate(rates.in)),
    build("td", "", rates === undefined ? "–" : bitRate(rates.out)),
    build("td", "", edge.release || "–"),
  ];
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function stateOf(edge: Edge, now: number, revision: number): readonly [string, "good" | "warn" | "bad"] {
  if (now - edge.seenAt > SILENT_MS) return [`silent for ${Math.round((now - edge.seenAt) / 1000)} s`, "bad"];
  if (edge.refused !== "") return [`refuses ${edge.refused}`, "bad"];
  if (edge.revision < revision) return ["behind", "warn"];
  if (edge.problems > 0) return [`${edge.problems} problems`, "warn"];
  return edge.report?.serving === false ? ["drained", "warn"] : ["serving", "good"];
}

/** Bits a second since the report before; what an edge counts begins anew when it does. */
function ratesOf({ id, seenAt, report }: Edge): { readonly in: number; readonly out: number } | undefined {
  if (report === undefined) return undefined;
  const before = last.get(id);
  const elapsed = (seenAt - (before?.at ?? seenAt)) / 1000;
  if (before === undefined || elapsed > 0) last.set(id, { at: seenAt, bytesIn: report.bytesIn, bytesOut: report.bytesOut });
  if (before === undefined || elapsed <= 0) return shown.get(id);
  const per = (bytes: number): number => Math.max(0, (bytes * 8) / elapsed);
  const rates = { in: per(report.bytesIn - before.bytesIn), out: per(report.bytesOut - before.bytesOut) };
  shown.set(id, rates);
  return rates;
}

const shown = new Map<string, { readonly in: number; readonly out: number }>();
