/** Columns that fit: those that matter least go first when the terminal is narrow, those that may grow take what is left. */
import type { Glyphs } from "./glyphs.ts";
import { type Line, type Span, type Style, shorten, span } from "./line.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** Least width; the title's if that is more. */
  readonly width: number;
  /** Width it may grow to. */
  readonly widthMost?: number;
  /** 0 is never left out; higher ones go first. */
  readonly rank: number;
  readonly text: (row: Row) => string;
  readonly style?: (row: Row) => Style;
}

export interface FittedColumn<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

const GAP = 1;

export function fitColumns<Row>(columns: readonly Column<Row>[], width: number): FittedColumn<Row>[] {
  let kept = columns.map((column) => ({ column, width: Math.max(column.width, column.title.length) }));
  const total = (): number => kept.reduce((sum, { width: own }) => sum + own + GAP, -GAP);
  while (total() > width) {
    const last = kept.reduce((worst, each) => (each.column.rank >= worst.column.rank ? each : worst));
    if (last.column.rank === 0) break;
    kept = kept.filter((each) => each !== last);
  }
  const growing = kept.filter(({ column }) => column.widthMost !== undefined);
  for (const each of growing) each.width += Math.max(0, Math.min(each.column.widthMost! - each.width, width - total()));
  return kept;
}

export function heading<Row>(fitted: readonly FittedColumn<Row>[]): Line {
  return [span(fitted.map(({ column, width }) => aligned(column.title, width, column.align)).join(" ".repeat(GAP)), "heading")];
}

/** `selected` paints the whole row alike. */
export function row<Row>(fitted: readonly FittedColumn<Row>[], of: Row, glyphs: Glyphs, selected = false): Line {
  const spans: Span[] = [];
  for (const { column, width } of fitted) {
    if (spans.length > 0) spans.push(span(" ".repeat(GAP), selected ? "selected" : "plain"));
    const text = aligned(shorten(column.text(of), width, glyphs.more), width, column.align);
    spans.push(span(text, selected ? "selected" : (column.style?.(of) ?? "plain")));
  }
  return spans;
}

function aligned(text: string, width: number, align: "left" | "right"): string {
  return align === "left" ? text.padEnd(width) : text.padStart(width);
}
