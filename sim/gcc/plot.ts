/**
 * A case as a picture: rate over capacity, queue delay and loss, over time.
 *
 *   rate   what arrived of each flow (solid), its target (thin), the capacity (grey), all of the cross traffic (dashed)
 *   queue  95 % of the packets of a second waited less
 *   loss   per cent of the packets of a second
 */
import type { Millis } from "../../src/base/units.ts";
import { type CaseRun, SECOND } from "./case.ts";

const WIDTH = 760;
const LEFT = 56;
const RIGHT = 12;
const TOP = 60;
const GAP = 26;
const HEIGHTS = [200, 80, 60] as const;
const COLOURS = ["#0b62a4", "#c9510c", "#2e7d32", "#7b3fa0", "#a8871a"];
const GREY = "#8a8f98";

interface Line {
  readonly points: readonly (readonly [Millis, number])[];
  readonly colour: string;
  readonly style?: string;
}

interface Panel {
  readonly title: string;
  readonly most: number;
  readonly lines: readonly Line[];
}

export function plot(run: CaseRun): string {
  const { until, name, about, source } = run.case;
  const panels = [ratePanel(run), queuePanel(run), lossPanel(run)];
  const body: string[] = [];
  let top = TOP;
  for (const [i, panel] of panels.entries()) {
    body.push(...draw(panel, top, HEIGHTS[i]!, until));
    top += HEIGHTS[i]! + GAP;
  }
  const step = until <= 150 * SECOND ? 20 : 50;
  for (let s = 0; s * SECOND <= until; s += step) body.push(text(x(s * SECOND, until), top - GAP + 14, `${s}`, "middle"));
  body.push(text(WIDTH - RIGHT, top - GAP + 28, "seconds", "end"));
  const height = top + 12;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="11">`;
  const alternative = `<title>${escaped(`${name}: ${about}. Rate, queue delay and loss over time.`)}</title>`;
  const title = `<text x="${LEFT}" y="18" font-size="13" font-weight="600" fill="#1c2128">${escaped(name)}</text>`;
  const sub = `<text x="${LEFT}" y="34" fill="#4a515c">${escaped(`${about} (${source})`)}</text>`;
  return `${head}${alternative}<rect width="100%" height="100%" fill="#fff"/>${title}${sub}${body.join("")}${legend(run)}</svg>\n`;
}

function ratePanel(run: CaseRun): Panel {
  const { until, steps } = run.case;
  const lines: Line[] = [];
  const both = run.way(true).length > 0;
  for (const reverse of both ? [false, true] : [false]) {
    const edges: [Millis, number][] = [];
    for (const { at } of steps) edges.push([at, edges.at(-1)?.[1] ?? 0], [at, run.capacity(at, reverse) / 1000]);
    edges.push([until, edges.at(-1)![1]]);
    lines.push({ points: edges.slice(1), colour: GREY, style: `stroke-width="1.5"${reverse ? ' stroke-dasharray="2 3"' : ""}` });
  }
  for (const [i, { record }] of run.flows.entries()) {
    const starts = run.case.flows[i]!.startAt ?? 0;
    const colour = COLOURS[i % COLOURS.length]!;
    lines.push({
      points: sampled(starts, until, (t) => record.targetAt(t) / 1e6),
      colour,
      style: 'stroke-width="0.6" stroke-opacity="0.6"',
    });
    lines.push({ points: sampled(starts, until, (t) => record.throughput(t, t + SECOND) / 1e6), colour, style: 'stroke-width="1.6"' });
  }
  if (run.tcps.length > 0) {
    const all = (t: Millis): number => (run.tcpUtilisation(t, t + SECOND) * run.capacity(t)) / 1000;
    lines.push({ points: sampled(0, until, all), colour: "#444", style: 'stroke-width="1.2" stroke-dasharray="4 3"' });
  }
  const most = Math.max(...steps.map(({ kbps, backKbps = 0 }) => Math.max(kbps, backKbps))) / 1000;
  return { title: "Mbit/s", most: most * 1.15, lines };
}

function queuePanel(run: CaseRun): Panel {
  const { until, queue = 300, delay = 50 } = run.case;
  const lines = run.flows.map(({ record }, i): Line => {
    const { startAt = 0, extraDelay = 0 } = run.case.flows[i]!;
    const waits = (t: Millis): number => Math.max(0, record.delay(t, t + SECOND, 0.95) - delay - extraDelay);
    return { points: sampled(startAt, until, waits), colour: COLOURS[i % COLOURS.length]!, style: 'stroke-width="1.2"' };
  });
  return { title: "queue, ms", most: queue * 1.1, lines };
}

function lossPanel(run: CaseRun): Panel {
  const lines = run.flows.map(({ record }, i): Line => {
    const loss = (t: Millis): number => 100 * record.loss(t, t + SECOND);
    const points = sampled(run.case.flows[i]!.startAt ?? 0, run.case.until, loss);
    return { points, colour: COLOURS[i % COLOURS.length]!, style: 'stroke-width="1.2"' };
  });
  const most = Math.max(2, ...lines.flatMap(({ points }) => points.map(([, percent]) => percent)));
  return { title: "loss, %", most: most * 1.1, lines };
}

/** One point a second, in its middle; in a long case every third second. */
function sampled(from: Millis, to: Millis, value: (time: Millis) => number): [Millis, number][] {
  const points: [Millis, number][] = [];
  const step = to > 150 * SECOND ? 3 * SECOND : SECOND;
  for (let t = Math.ceil(from / SECOND) * SECOND; t + SECOND <= to; t += step) points.push([t + SECOND / 2, value(t)]);
  return points;
}

function draw({ title, most, lines }: Panel, top: number, height: number, until: Millis): string[] {
  const y = (value: number): number => top + height - (Math.min(value, most) / most) * height;
  const out = [`<rect x="${LEFT}" y="${top}" width="${WIDTH - LEFT - RIGHT}" height="${height}" fill="#f7f8fa"/>`];
  for (const tick of ticks(most, height)) {
    const at = y(tick).toFixed(1);
    out.push(`<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#dfe2e7"/>`, text(LEFT - 6, Number(at) + 4, `${tick}`, "end"));
  }
  out.push(text(LEFT, top - 6, title, "start"));
  for (const { points, colour, style } of lines) {
    const path = points.map(([time, value], i) => `${i === 0 ? "M" : "L"}${x(time, until).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    out.push(`<path d="${path}" fill="none" stroke="${colour}" ${style ?? ""}/>`);
  }
  return out;
}

function legend(run: CaseRun): string {
  const labels = run.flows.map((_, i): [string, string] => {
    const { reverse, extraDelay } = run.case.flows[i]!;
    const more = reverse === true ? " back" : extraDelay === undefined ? "" : ` ${2 * (extraDelay + (run.case.delay ?? 50))} ms`;
    return [`flow ${i + 1}${more}`, COLOURS[i % COLOURS.length]!];
  });
  if (run.tcps.length > 0) labels.push(["TCP", "#444"]);
  labels.push(["capacity", GREY]);
  let right = WIDTH - RIGHT;
  return labels
    .reverse()
    .map(([label, colour]) => {
      const mark = `<text x="${right}" y="18" text-anchor="end" fill="${colour}" font-weight="600">${label}</text>`;
      right -= label.length * 6.4 + 12;
      return mark;
    })
    .join("");
}

/** Round values, about 30 pixels apart. */
function ticks(most: number, height: number): number[] {
  const wanted = most / Math.max(2, height / 32);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= wanted) ?? wanted;
  const found: number[] = [];
  for (let tick = 0; tick <= most; tick += step) found.push(Math.round(tick * 1000) / 1000);
  return found;
}

function x(time: Millis, until: Millis): number {
  return LEFT + (time / until) * (WIDTH - LEFT - RIGHT);
}

function text(at: number, y: number, label: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${at.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#4a515c">${escaped(label)}</text>`;
}

function escaped(label: string): string {
  return label.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
