/** The columns of the three tables. */
import type { Glyphs } from "./glyphs.ts";
import { printable, type Style } from "./line.ts";
import type { ProcessTrack, StreamTrack } from "./process-track.ts";
import { amount, duration, millis, percent, unknown } from "./quantity.ts";
import type { Column } from "./table.ts";
import type { Row } from "./view.ts";

/** From which share on losses are marked. */
const LOSS_WARN = 0.01;
const LOSS_BAD = 0.05;
/** Silence of a peer that is marked, s: a session speaks every 10 s at least. */
const SILENT_WARN = 15;

export function processColumns({ up, down }: Glyphs): Column<ProcessTrack>[] {
  const of = (text: (status: NonNullable<ProcessTrack["status"]>) => string) => (process: ProcessTrack) =>
    process.status === undefined ? "" : text(process.status);
  return [
    { ...left("ROLE", 6, 0), text: of(({ role }) => role), style: () => "good" },
    { ...right("PID", 7, 2), text: of(({ pid }) => String(pid)) },
    { ...left("LISTENS", 12, 1, 28), text: of(({ at }) => printable(at)) },
    { ...left("CONNECTS TO", 14, 3, 32), text: of(({ to }) => printable(to)) },
    { ...right("UP", 6, 2), text: of(({ now, startedAt }) => duration(now / 1000 - startedAt)) },
    { ...right("SESS", 4, 0), text: of(({ gauges }) => amount(gauges.sessions ?? Number.NaN)) },
    { ...right("STRM", 4, 0), text: of(({ gauges }) => amount(gauges.streams ?? Number.NaN)) },
    { ...right(`${up}BIT/S`, 6, 0), text: (process) => amount(process.up.newest) },
    { ...right(`${down}BIT/S`, 6, 0), text: (process) => amount(process.down.newest) },
    { ...right("CPU", 4, 1), text: (process) => percent(process.cpu.newest), style: ({ cpu }) => (cpu.newest > 0.9 ? "warn" : "plain") },
    { ...right("MEM", 5, 4), text: of(({ rssBytes }) => amount(rssBytes)) },
  ];
}

export function sessionColumns({ up, down }: Glyphs, several: boolean, users: boolean): Column<Row>[] {
  const pid: Column<Row>[] = several ? [{ ...right("PID", 7, 7), text: ({ process }) => String(process.status?.pid ?? "") }] : [];
  const user: Column<Row>[] = users ? [{ ...left("USER", 8, 3, 16), text: ({ session }) => printable(session.status.user ?? "") }] : [];
  return [
    ...pid,
    {
      ...left("PEER", 21, 0, 48),
      text: ({ session }) => printable(session.status.peer),
      style: ({ session }) => (session.status.heardSeconds > SILENT_WARN ? "warn" : "plain"),
    },
    ...user,
    { ...right("RTT", 5, 0), text: ({ session }) => millis(session.rtt.newest) },
    { ...right("JIT", 4, 5), text: ({ session }) => (Number.isNaN(session.rtt.newest) ? unknown : millis(session.status.jitterMs)) },
    { ...right("LOSS", 4, 1), text: ({ session }) => percent(session.loss), style: ({ session }) => lossStyle(session.loss) },
    { ...right("RESENT", 6, 3), text: ({ session }) => percent(session.resent), style: ({ session }) => lossStyle(session.resent) },
    { ...right(`${up}BIT/S`, 6, 0), text: ({ session }) => amount(session.up.newest) },
    { ...right(`${down}BIT/S`, 6, 0), text: ({ session }) => amount(session.down.newest) },
    { ...right("W/P", 4, 6), text: ({ session }) => ratio(session.overhead) },
    {
      ...right("FLIGHT", 9, 4),
      text: ({ session: { status } }) => `${amount(status.inFlightSegments)}/${amount(status.windowSegments)}`,
      style: ({ session: { status } }) => (status.inFlightSegments >= status.windowSegments ? "warn" : "plain"),
    },
    { ...right("FEC", 4, 2), text: ({ session }) => percent(session.rebuilt) },
    { ...right("STRM", 4, 1), text: ({ session }) => amount(session.status.streams) },
    { ...right("AGE", 6, 2), text: ({ session }) => duration(session.status.seconds) },
  ];
}

export function streamColumns({ up, down }: Glyphs): Column<StreamTrack>[] {
  return [
    { ...right("STREAM", 7, 0), text: ({ sid }) => String(sid) },
    { ...left("WITH", 15, 1, 48), text: ({ remote }) => printable(remote) },
    { ...right(`${up}BIT/S`, 6, 0), text: (stream) => amount(stream.up) },
    { ...right(`${down}BIT/S`, 6, 0), text: (stream) => amount(stream.down) },
    { ...right("SENT", 5, 2), text: ({ sentBytes }) => amount(sentBytes) },
    { ...right("RECVD", 5, 2), text: ({ receivedBytes }) => amount(receivedBytes) },
    {
      ...right("STUCK", 5, 3),
      text: ({ backlogBytes }) => amount(backlogBytes),
      style: ({ backlogBytes }) => (backlogBytes > 0 ? "warn" : "plain"),
    },
    { ...right("IDLE", 6, 3), text: ({ idleSeconds }) => duration(idleSeconds) },
    { ...right("AGE", 6, 4), text: ({ seconds }) => duration(seconds) },
    { ...left("STATE", 10, 5), text: ({ state }) => state, style: ({ state }) => (state === "open" ? "plain" : "dim") },
  ];
}

function left(title: string, width: number, rank: number, widthMost?: number) {
  return { title, align: "left" as const, width, rank, ...(widthMost === undefined ? {} : { widthMost }) };
}

function right(title: string, width: number, rank: number) {
  return { title, align: "right" as const, width, rank };
}

function lossStyle(share: number): Style {
  return share >= LOSS_BAD ? "bad" : share >= LOSS_WARN ? "warn" : "plain";
}

function ratio(value: number): string {
  if (!Number.isFinite(value)) return unknown;
  return value < 9.95 ? value.toFixed(2) : amount(value);
}
