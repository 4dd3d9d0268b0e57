/** One picture for scripts and files: the tables without a screen, as wide as they need, no escapes unless it is a terminal. */
import { sessionColumns } from "./columns.ts";
import type { Glyphs } from "./glyphs.ts";
import type { Line } from "./line.ts";
import { processLines } from "./process-lines.ts";
import type { ProcessTrack } from "./process-track.ts";
import { fitColumns, heading, row } from "./table.ts";
import { View } from "./view.ts";

/** Lines of at most `width` columns. */
export function onceLines(processes: readonly ProcessTrack[], glyphs: Glyphs, width: number): Line[] {
  const lines = processLines(processes, glyphs, width, Number.POSITIVE_INFINITY);
  const rows = new View().rows(processes);
  if (rows.length === 0) return lines;
  const users = rows.some(({ session }) => session.status.user !== undefined);
  const ofSessions = fitColumns(sessionColumns(glyphs, processes.length > 1, users), width);
  return [...lines, [], heading(ofSessions), ...rows.map((each) => row(ofSessions, each, glyphs))];
}
