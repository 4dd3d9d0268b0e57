/** One session: its figures in words, its rates and round trip as bars, and its streams. */
import { streamColumns } from "./columns.ts";
import type { Glyphs } from "./glyphs.ts";
import { graph } from "./graph.ts";
import { type Line, printable, span } from "./line.ts";
import { amount, duration, millis, percent } from "./quantity.ts";
import { fitColumns, heading, row } from "./table.ts";
import type { Row } from "./view.ts";

export function sessionLines({ process, session }: Row, glyphs: Glyphs, width: number, room: number): Line[] {
  const { status } = session;
  const { up, down } = glyphs;
  const name = [status.user, status.peer].filter((part) => part !== undefined).join(" at ");
  const lines: Line[] = [
    [],
    [span(printable(name), "bold"), span(`  session ${status.key} of ${process.status?.role} ${process.status?.pid}`, "dim")],
    facts(`age ${duration(status.seconds)}`, `heard ${status.heardSeconds.toFixed(1)} s ago`, `streams ${status.streams}`),
    facts(
      `round trip ${millis(session.rtt.newest)} ms`,
      status.rttLeastMs < 0 ? "" : `least ${millis(status.rttLeastMs)}`,
      `jitter ${millis(status.jitterMs)}`,
      `resend after ${millis(status.rtoMs)}`,
    ),
    facts(
      `in flight ${status.inFlightSegments} of ${status.windowSegments}`,
      `waiting ${status.waitingSegments - status.inFlightSegments}`,
      `peer's window ${status.remoteWindow}`,
    ),
    facts(
      `lost on the way here ${percent(session.loss)}`,
      `rebuilt by FEC ${percent(session.rebuilt)}`,
      `sent again ${percent(session.resent)}`,
      `came twice ${status.repeatedSegments}`,
    ),
    facts(
      `payload ${up} ${amount(status.sentPayloadBytes)}B ${down} ${amount(status.receivedPayloadBytes)}B`,
      `wire ${up} ${amount(status.sentBytes)}B ${down} ${amount(status.receivedBytes)}B`,
    ),
    [],
    graph(`${up} ${amount(session.up.newest).padStart(5)} bit/s`, session.up.values, width, glyphs),
    graph(`${down} ${amount(session.down.newest).padStart(5)} bit/s`, session.down.values, width, glyphs),
    graph(`RTT ${millis(session.rtt.newest).padStart(6)} ms`, session.rtt.values, width, glyphs),
    [],
  ];
  const columns = fitColumns(streamColumns(glyphs), width);
  lines.push(heading(columns));
  const space = Math.max(0, room - lines.length - 1);
  const streams = process.streams.toSorted((a, b) => (b.up + b.down || 0) - (a.up + a.down || 0) || a.sid - b.sid);
  for (const stream of streams.slice(0, space)) lines.push(row(columns, stream, glyphs));
  const more = status.streams - Math.min(space, streams.length);
  if (more > 0) lines.push([span(streams.length === 0 ? "asking for its streams" : `${more} more`, "dim")]);
  return lines;
}

function facts(...parts: readonly string[]): Line {
  return [span(parts.filter((part) => part !== "").join("   "))];
}
