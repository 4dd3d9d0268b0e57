/** A line for each process, or why it does not answer. */
import { processColumns } from "./columns.ts";
import type { Glyphs } from "./glyphs.ts";
import { type Line, printable, span } from "./line.ts";
import type { ProcessTrack } from "./process-track.ts";
import { fitColumns, heading, row } from "./table.ts";

/** `most`: processes that get a line; the others are counted. */
export function processLines(processes: readonly ProcessTrack[], glyphs: Glyphs, width: number, most: number): Line[] {
  const columns = fitColumns(processColumns(glyphs), width);
  const shown = processes.slice(0, most).map((process) => {
    const { failure, address } = process;
    return failure === undefined ? row(columns, process, glyphs) : [span(printable(`${address}: ${failure}`), "bad")];
  });
  const more = processes.length - shown.length;
  return [heading(columns), ...shown, ...(more > 0 ? [[span(`${more} more`, "dim")]] : [])];
}
