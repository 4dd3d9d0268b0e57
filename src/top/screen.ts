/**
 * The whole screen as lines, made anew for each picture.
 *
 *   longhaul top · 1 process                            12:00:00
 *   ROLE    PID LISTENS …                    processes, a line each
 *   ↑ 12.3M ▁▂▃ ↓ 1.10M ▁▁▁ RTT 205 ▂▂▂      all of them together
 *   PEER … RTT … ↑BIT/S ↓BIT/S …             sessions, or one session and its streams
 *   q quit …
 */
import { sessionColumns } from "./columns.ts";
import type { Glyphs } from "./glyphs.ts";
import { graph } from "./graph.ts";
import { helpLines } from "./help.ts";
import { fit, justify, type Line, span } from "./line.ts";
import { processLines } from "./process-lines.ts";
import type { ProcessTrack } from "./process-track.ts";
import { amount, millis } from "./quantity.ts";
import { sessionLines } from "./session-page.ts";
import { fitColumns, heading, row } from "./table.ts";
import type { View } from "./view.ts";

/** Processes that get a line; the others are counted. */
const PROCESSES_MAX = 5;

export interface Picture {
  readonly processes: readonly ProcessTrack[];
  readonly view: View;
  readonly glyphs: Glyphs;
  /** As shown at the right of the title. */
  readonly clock: string;
}

/** Exactly `height` lines of `width` columns. */
export function screen(picture: Picture, width: number, height: number): Line[] {
  const { view, glyphs, processes } = picture;
  const top = [titleLine(picture, width), ...processLines(processes, glyphs, width, PROCESSES_MAX)];
  const room = Math.max(0, height - top.length - 1);
  let middle: Line[];
  if (view.page === "help") middle = helpLines(glyphs);
  else {
    const wanted = view.wanted(processes);
    middle = wanted === undefined ? sessionTable(picture, width, room) : sessionLines(wanted, glyphs, width, room);
  }
  const body = [...top, ...middle].slice(0, Math.max(0, height - 1));
  while (body.length < height - 1) body.push([]);
  return [...body, footer(view)].slice(0, height).map((line) => fit(line, width, line[0]?.style === "heading"));
}

export function titleLine({ processes, view, clock, glyphs }: Picture, width: number): Line {
  const left = [
    span("longhaul top", "bold"),
    span(` ${glyphs.dot} ${processes.length} ${processes.length === 1 ? "process" : "processes"}`),
  ];
  return justify(left, [...(view.paused ? [span("paused ", "warn")] : []), span(clock, "dim")], width);
}

function sessionTable(picture: Picture, width: number, room: number): Line[] {
  const { view, glyphs, processes } = picture;
  const rows = view.rows(processes);
  const columns = fitColumns(
    sessionColumns(
      glyphs,
      processes.length > 1,
      rows.some(({ session }) => session.status.user !== undefined),
    ),
    width,
  );
  const lines = [[], graphs(processes, glyphs, width), [], heading(columns)];
  const selected = view.selected(rows);
  const space = Math.max(1, room - lines.length - 1);
  // Half a page above the selected row stays in sight.
  const first = Math.max(0, Math.min(selected - (space >> 1), rows.length - space));
  rows.slice(first, first + space).forEach((each, i) => {
    lines.push(row(columns, each, glyphs, first + i === selected));
  });
  if (rows.length === 0) lines.push([span("no sessions", "dim")]);
  const omitted = processes.reduce((sum, { status }) => sum + (status?.sessionsOmitted ?? 0), 0);
  const above = first > 0 || rows.length > first + space;
  if (above || omitted > 0) {
    const total = rows.length + omitted;
    lines.push([span(`${first + 1} to ${Math.min(rows.length, first + space)} of ${total} sessions`, "dim")]);
  }
  return lines;
}

/** Payload both ways and round trip of all processes together. */
function graphs(processes: readonly ProcessTrack[], glyphs: Glyphs, width: number): Line {
  const third = Math.floor((width - 2) / 3);
  const sum = (of: (process: ProcessTrack) => readonly number[]): number[] => {
    const all = processes.map(of);
    const length = Math.max(0, ...all.map((values) => values.length));
    return Array.from({ length }, (_, i) => all.reduce((total, values) => total + (values[values.length - length + i] ?? 0), 0));
  };
  const mean = (of: (process: ProcessTrack) => readonly number[]): number[] => {
    const all = processes.map(of);
    const length = Math.max(0, ...all.map((values) => values.length));
    return Array.from({ length }, (_, i) => {
      const known = all.map((values) => values[values.length - length + i] ?? Number.NaN).filter(Number.isFinite);
      return known.reduce((total, value) => total + value, 0) / known.length;
    });
  };
  const up = sum((process) => process.up.values);
  const down = sum((process) => process.down.values);
  const rtt = mean((process) => process.rtt.values);
  return [
    ...graph(`${glyphs.up} ${amount(up.at(-1) ?? Number.NaN).padStart(5)}`, up, third, glyphs),
    span(" "),
    ...graph(`${glyphs.down} ${amount(down.at(-1) ?? Number.NaN).padStart(5)}`, down, third, glyphs),
    span(" "),
    ...graph(`RTT ${millis(rtt.at(-1) ?? Number.NaN).padStart(4)}`, rtt, third, glyphs),
  ];
}

function footer({ page, order, reversed, paused }: View): Line {
  const keys: [key: string, what: string][] =
    page === "help"
      ? [["q", "quit"]]
      : [
          ["q", "quit"],
          ["?", "help"],
        ];
  if (page === "help") keys.push(["any key", "back"]);
  else if (page === "session") keys.push(["esc", "back"]);
  else keys.push(["up/down", "select"], ["enter", "streams"], ["s", `sort: ${order}${reversed ? " reversed" : ""}`], ["r", "reverse"]);
  if (page !== "help") keys.push(["p", paused ? "go on" : "pause"]);
  return keys.flatMap(([key, what]) => [span(` ${key} `, "heading"), span(` ${what} `, "dim")]);
}
