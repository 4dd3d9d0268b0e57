/** What the screen shows of what is known: page, order, selection, and what a key changes of it. */
import type { ProcessTrack } from "./process-track.ts";
import type { SessionTrack } from "./session-track.ts";

export interface Row {
  readonly process: ProcessTrack;
  readonly session: SessionTrack;
}

export const orders = ["rate", "rtt", "loss", "streams", "age", "peer"] as const;
export type Order = (typeof orders)[number];

/** Keys as host/terminal.ts names them. */
export type Key = "up" | "down" | "pageup" | "pagedown" | "home" | "end" | "enter" | "escape" | (string & {});

const PAGE = 10;

export class View {
  page: "sessions" | "session" | "help" = "sessions";
  order: Order = "rate";
  reversed = false;
  paused = false;
  /** Of the selected session: it stays selected when the order changes. */
  #selected = "";
  #behindHelp: "sessions" | "session" = "sessions";

  /** All sessions of all processes in the order chosen. */
  rows(processes: readonly ProcessTrack[]): Row[] {
    const rows = processes.flatMap((process) => Array.from(process.sessions.values(), (session) => ({ process, session })));
    const sign = this.reversed ? -1 : 1;
    return rows.sort((a, b) => sign * compare(this.order, a, b) || keyOf(a).localeCompare(keyOf(b)));
  }

  /** Index of the selected row; 0 when its session has gone. */
  selected(rows: readonly Row[]): number {
    return Math.max(
      0,
      rows.findIndex((row) => keyOf(row) === this.#selected),
    );
  }

  /** The session whose streams are wanted. */
  wanted(processes: readonly ProcessTrack[]): Row | undefined {
    if (this.page !== "session") return undefined;
    return this.rows(processes).find((row) => keyOf(row) === this.#selected);
  }

  /** Answers false for the key that ends it. */
  press(key: Key, processes: readonly ProcessTrack[]): boolean {
    if (key === "q" || key === "ctrl-c") return false;
    if (this.page === "help") {
      this.page = this.#behindHelp;
      return true;
    }
    if (key === "?" || key === "h") {
      this.#behindHelp = this.page;
      this.page = "help";
    } else if (key === "p" || key === " ") this.paused = !this.paused;
    else if (this.page === "session") {
      if (key === "escape" || key === "enter" || key === "left") this.page = "sessions";
    } else if (key === "s") this.order = orders[(orders.indexOf(this.order) + 1) % orders.length]!;
    else if (key === "r") this.reversed = !this.reversed;
    else this.#move(key, this.rows(processes));
    return true;
  }

  #move(key: Key, rows: readonly Row[]): void {
    const at = this.selected(rows);
    const to: Readonly<Record<string, number>> = {
      ...{ up: at - 1, k: at - 1, down: at + 1, j: at + 1, pageup: at - PAGE, pagedown: at + PAGE, home: 0, end: rows.length - 1 },
      ...{ enter: at, right: at },
    };
    const next = to[key];
    if (next === undefined || rows.length === 0) return;
    this.#selected = keyOf(rows[Math.min(Math.max(next, 0), rows.length - 1)]!);
    if (key === "enter" || key === "right") this.page = "session";
  }
}

function keyOf({ process, session }: Row): string {
  return `${process.address} ${session.status.key}`;
}

/** What is most comes first; what is not known last. */
function compare(order: Order, a: Row, b: Row): number {
  if (order === "peer") return a.session.status.peer.localeCompare(b.session.status.peer);
  const [x, y] = [a, b].map(({ session }) => figure(order, session)) as [number, number];
  return (Number.isNaN(y) ? -1 : y) - (Number.isNaN(x) ? -1 : x);
}

function figure(order: Exclude<Order, "peer">, session: SessionTrack): number {
  if (order === "rate") return session.up.newest + session.down.newest;
  if (order === "rtt") return session.rtt.newest;
  if (order === "loss") return Math.max(session.loss || 0, session.resent || 0);
  return order === "streams" ? session.status.streams : session.status.seconds;
}
