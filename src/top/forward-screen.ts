/**
 * Forwards in the terminal: a line each, or one of them with its flows.
 *
 *   longhaul forward top · nftables · 3 forwards · 120 flows          12:00:00
 *   in 12.3M ▁▂▃   out 1.10M ▁▁▁
 *   FORWARD … FLOWS … IN PKT/S … OUT BIT/S … DROP/S
 */
import type { FlowRow, ForwardRow, ForwardTrack } from "./forward-track.ts";
import type { Glyphs } from "./glyphs.ts";
import { graph } from "./graph.ts";
import { fit, justify, type Line, printable, span } from "./line.ts";
import { amount, duration } from "./quantity.ts";
import { type Column, fitColumns, heading, row } from "./table.ts";

export const forwardOrders = ["rate", "flows", "drops", "name"] as const;

export class ForwardView {
  order: (typeof forwardOrders)[number] = "rate";
  /** Whose flows are shown. */
  open = false;
  #selected = "";

  sorted(rows: readonly ForwardRow[]): ForwardRow[] {
    const by: Record<(typeof forwardOrders)[number], (row: ForwardRow) => number> = {
      rate: ({ bitsIn, bitsOut }) => bitsIn + bitsOut || 0,
      flows: ({ stats }) => stats.flows,
      drops: ({ dropped }) => dropped || 0,
      name: () => 0,
    };
    return [...rows].sort((a, b) => by[this.order](b) - by[this.order](a) || a.name.localeCompare(b.name));
  }

  selected(rows: readonly ForwardRow[]): number {
    return Math.max(
      0,
      rows.findIndex(({ name }) => name === this.#selected),
    );
  }

  /** Name of the forward whose flows are wanted. */
  wanted(track: ForwardTrack): string | undefined {
    const rows = this.sorted(track.rows);
    return this.open ? rows[this.selected(rows)]?.name : undefined;
  }

  /** False for the key that ends it. */
  press(key: string, track: ForwardTrack): boolean {
    if (key === "q" || key === "ctrl-c") return false;
    const rows = this.sorted(track.rows);
    const at = this.selected(rows);
    const steps: Readonly<Record<string, number>> = {
      up: -1,
      k: -1,
      down: 1,
      j: 1,
      pageup: -10,
      pagedown: 10,
      home: -rows.length,
      end: rows.length,
    };
    if (this.open && (key === "escape" || key === "enter" || key === "left")) this.open = false;
    else if (key === "enter" || key === "right") {
      this.#selected = rows[at]?.name ?? "";
      this.open = rows.length > 0;
    } else if (key === "s") this.order = forwardOrders[(forwardOrders.indexOf(this.order) + 1) % forwardOrders.length]!;
    else if (steps[key] !== undefined && !this.open)
      this.#selected = rows[Math.min(Math.max(at + steps[key], 0), rows.length - 1)]?.name ?? "";
    return true;
  }
}

export interface ForwardPicture {
  readonly track: ForwardTrack;
  readonly view: ForwardView;
  readonly glyphs: Glyphs;
  readonly datapath: string;
  readonly clock: string;
}

/** Exactly `height` lines of `width` columns. */
export function forwardScreen({ track, view, glyphs, datapath, clock }: ForwardPicture, width: number, height: number): Line[] {
  const dot = ` ${glyphs.dot} `;
  const title = [
    span("longhaul forward top", "bold"),
    span(`${dot}${datapath}${dot}${track.rows.length} forwards${dot}${track.flows} flows`),
  ];
  const half = Math.floor((width - 1) / 2);
  const bars = [
    ...graph(`in ${amount(track.in.newest).padStart(5)}`, track.in.values, half, glyphs),
    span(" "),
    ...graph(`out ${amount(track.out.newest).padStart(5)}`, track.out.values, half, glyphs),
  ];
  const lines: Line[] = [justify(title, [span(clock, "dim")], width), bars, []];
  const rows = view.sorted(track.rows);
  const room = Math.max(1, height - lines.length - 2);
  const selected = view.selected(rows);
  if (view.open) {
    const shown = [...track.flowRows].sort((a, b) => (b.bitsIn + b.bitsOut || 0) - (a.bitsIn + a.bitsOut || 0)).slice(0, room - 1);
    lines.push([span(`flows of ${printable(rows[selected]?.name ?? "")}`, "bold")]);
    lines.push(...tableLines(flowColumns, shown, glyphs, width));
  } else {
    const first = Math.max(0, Math.min(selected - (room >> 1), rows.length - room));
    lines.push(...tableLines(forwardColumns, rows.slice(first, first + room), glyphs, width, selected - first));
  }
  while (lines.length < height - 1) lines.push([]);
  const keys = view.open ? " q quit  esc back" : ` q quit  up/down select  enter flows  s sort: ${view.order}`;
  return [...lines.slice(0, height - 1), [span(keys, "dim")]].map((line) => fit(line, width, line[0]?.style === "heading"));
}

/** For files and pipes: a table of all forwards. */
export function forwardOnce(track: ForwardTrack, glyphs: Glyphs, width: number): Line[] {
  return tableLines(forwardColumns, new ForwardView().sorted(track.rows), glyphs, width);
}

function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], glyphs: Glyphs, width: number, selected = -1): Line[] {
  const fitted = fitColumns(columns, width);
  return [heading(fitted), ...rows.map((each, i) => row(fitted, each, glyphs, i === selected))];
}

const right = (title: string, width: number, rank: number) => ({ title, align: "right" as const, width, rank });
const left = (title: string, width: number, rank: number, widthMost: number) => ({ title, align: "left" as const, width, rank, widthMost });

const forwardColumns: readonly Column<ForwardRow>[] = [
  { ...left("FORWARD", 16, 0, 40), text: ({ name }) => printable(name) },
  { ...right("FLOWS", 6, 1), text: ({ stats }) => amount(stats.flows) },
  { ...right("IN PKT/S", 8, 3), text: ({ packetsIn }) => amount(packetsIn) },
  { ...right("IN BIT/S", 8, 0), text: ({ bitsIn }) => amount(bitsIn) },
  { ...right("OUT PKT/S", 9, 3), text: ({ packetsOut }) => amount(packetsOut) },
  { ...right("OUT BIT/S", 9, 0), text: ({ bitsOut }) => amount(bitsOut) },
  { ...right("DROP/S", 6, 2), text: ({ dropped }) => amount(dropped), style: ({ dropped }) => (dropped > 0 ? "warn" : "plain") },
  { ...right("IN", 6, 4), text: ({ stats }) => amount(stats.bytesIn) },
  { ...right("OUT", 6, 4), text: ({ stats }) => amount(stats.bytesOut) },
];

const flowColumns: readonly Column<FlowRow>[] = [
  { ...left("SOURCE", 20, 0, 47), text: ({ flow }) => flow.source },
  { ...left("SEEN AS", 20, 2, 47), text: ({ flow }) => flow.seenAs },
  { ...left("BACKEND", 20, 1, 47), text: ({ flow }) => flow.backend },
  { ...right("IN BIT/S", 8, 0), text: ({ bitsIn }) => amount(bitsIn) },
  { ...right("OUT BIT/S", 9, 0), text: ({ bitsOut }) => amount(bitsOut) },
  { ...right("PKTS", 6, 3), text: ({ flow }) => amount(flow.packetsIn + flow.packetsOut) },
  { ...right("ENDS", 6, 4), text: ({ flow }) => duration(flow.expiresSeconds) },
];
