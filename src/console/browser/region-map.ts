/** Which edge reaches which region in what time: a line for each, the closest one of an edge drawn stronger. Drawn to the width that there is. */
import type { ConsoleEdges } from "../../control/console/console-api.ts";
import { build } from "./text.ts";

const SVG = "http://www.w3.org/2000/svg";
/** Between two names; more where lines are steep. */
const ROW = 44;
const ROW_NARROW = 64;
const NARROW = 480;
const TOP = 34;
/** Of names beside the dots; the lines have what is left. */
const NAMES_MAX = 150;
const NAMES_SHARE = 0.3;
const CHARACTER = 8.2;
/** Of the frame around it, both sides. */
const PADDING = 26;

export function drawMap(into: HTMLElement, { edges }: ConsoleEdges): void {
  const regions = [...new Set(edges.flatMap(({ report }) => report?.regions.map(({ region }) => region) ?? []))].sort();
  const drawn = edges.filter(({ report }) => (report?.regions.length ?? 0) > 0);
  into.hidden = drawn.length === 0;
  if (into.hidden) return;
  const place = into.querySelector(".map")!;
  const width = Math.max(260, Math.floor(place.clientWidth) - PADDING);
  const rows = Math.max(drawn.length, regions.length);
  const row = width < NARROW ? ROW_NARROW : ROW;
  const height = TOP + rows * row;
  const names = Math.min(NAMES_MAX, width * NAMES_SHARE);
  const [left, right] = [names, width - names];
  const y = (i: number, count: number): number => TOP + ((i + 0.5) * (rows * row)) / count;
  const svg = node("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.setAttribute("aria-label", "time from edges to regions");
  svg.append(word("Edges", left - 14, 16, "end", "head"), word("Regions", right + 14, 16, "start", "head"));
  const labels: SVGElement[] = [];
  drawn.forEach((edge, i) => {
    const from = y(i, drawn.length);
    const known = edge.report!.regions.filter(({ milliseconds }) => milliseconds !== undefined);
    const least = Math.min(...known.map(({ milliseconds }) => milliseconds!));
    for (const { region, milliseconds } of edge.report!.regions) {
      const to = y(regions.indexOf(region), regions.length);
      const kind = milliseconds === undefined ? "off" : milliseconds === least ? "near" : "far";
      svg.append(node("path", { d: `M${left} ${from} L${right} ${to}`, class: `way ${kind}` }));
      if (milliseconds === undefined) continue;
      // Nearer to its edge, where the lines have not met yet.
      const at = 0.26 + 0.1 * (regions.indexOf(region) % 3);
      const text = `${milliseconds < 9.95 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
      labels.push(word(text, left + (right - left) * at, from + (to - from) * at + 4, "middle", `time ${kind}`));
    }
    labels.push(dot(left, from, "edge"), word(fitting(edge.name || edge.label || edge.id, names), left - 12, from + 5, "end", "name"));
  });
  regions.forEach((region, i) => {
    const at = y(i, regions.length);
    labels.push(dot(right, at, "region"), word(fitting(region, names), right + 12, at + 5, "start", "name"));
  });
  svg.append(...labels);
  place.replaceChildren(svg, build("p", "sr", sentences(drawn)));
}

/** For who cannot see lines. */
function sentences(edges: ConsoleEdges["edges"]): string {
  return edges
    .map(({ name, id, report }) => {
      const ways = report!.regions.map(
        ({ region, milliseconds }) => `${region} ${milliseconds === undefined ? "unknown" : `${Math.round(milliseconds)} ms`}`,
      );
      return `${name || id}: ${ways.join(", ")}.`;
    })
    .join(" ");
}

function fitting(text: string, width: number): string {
  const most = Math.max(4, Math.floor((width - 12) / CHARACTER));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function dot(cx: number, cy: number, kind: string): SVGElement {
  return node("circle", { cx, cy, r: 6, class: kind });
}

function word(text: string, x: number, y: number, anchor: string, kind: string): SVGElement {
  const made = node("text", { x, y, "text-anchor": anchor, class: kind });
  made.textContent = text;
  return made;
}

function node(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
