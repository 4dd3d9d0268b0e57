/** `longhaul top`: what running tunnels do, live in the terminal. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { findInstances } from "../host/instances.ts";
import type { Endpoint } from "../host/loop.ts";
import { glyphsFor } from "../top/glyphs.ts";
import { onceLines } from "../top/once.ts";
import { paintLine } from "../top/paint.ts";
import { type Place, Poll } from "../top/poll.ts";
import type { ProcessTrack } from "../top/process-track.ts";
import { screen } from "../top/screen.ts";
import { View } from "../top/view.ts";
import type { Command } from "./command.ts";
import { showLive, terminalPalette } from "./live-screen.ts";
import { parseMetricsAddress } from "./metrics-address.ts";

const topConfig = z.strictObject({
  addresses: z
    .array(z.string())
    .max(64)
    .default([])
    .describe("where --metrics of a tunnel is, or the path of a socket; all tunnels of this user if not given")
    .meta({ operands: "ADDRESS" }),
  period: z.coerce.number().int().min(1).max(60).default(1).describe("seconds between two pictures"),
  once: z.stringbool().default(false).describe("print one table, of a period, and end"),
  all: z.stringbool().default(false).describe("show the tunnels of other users as well, as far as this one may: root all of them"),
  json: z.stringbool().default(false).describe("print the status of each process as one JSON array and end"),
});
type TopConfig = z.output<typeof topConfig>;

export const top: Command = {
  name: "top",
  text: `Shows the tunnels (longhaul client, longhaul server) of this user, or those whose --metrics address is given, and their sessions: who, how fast,
round trip, losses and what FEC made good. Enter shows the streams of a session, ? explains the columns. NO_COLOR is honoured.`,
  examples: [
    "longhaul top",
    "longhaul top far.example:9100 near.example:9100",
    "longhaul top --once",
    "longhaul top --json | jq '.[].sessions'",
  ],
  schema: topConfig,
  run: runTop,
};

async function runTop(config: TopConfig): Promise<number> {
  const named = config.addresses.map((name): Place => ({ name, at: parsePlace(name) }));
  const found = (): Place[] => findInstances(config.all).map(({ path }) => ({ name: path, at: { path } }));
  const poll = new Poll({ places: named.length > 0 ? () => named : found, keepSilent: named.length > 0 });
  const processes = await poll.run(undefined);
  if (!processes.some(({ status }) => status !== undefined)) {
    process.stderr.write(`longhaul top: ${nothing(processes)}\n`);
    return 1;
  }
  if (config.json) return printJson(processes);
  const live = process.stdin.isTTY && process.stdout.isTTY && !config.once;
  return live ? follow(poll, config) : printOnce(poll, config);
}

/** As option metrics takes it, or as a browser shows it. @throws ConfigError */
function parsePlace(name: string): Endpoint {
  try {
    return parseMetricsAddress(name.replace(/^http:\/\/([^/]+)(\/.*)?$/, "$1"));
  } catch {
    throw new ConfigError("ADDRESS", `"${name}" is not an address; give host:port, a port of this machine or the path of a socket`);
  }
}

function nothing(processes: readonly ProcessTrack[]): string {
  if (processes.length > 0) return processes.map(({ address, failure }) => `${address}: ${failure}`).join("; ");
  return `no tunnel of this user runs here that could be shown. Start "longhaul client" or "longhaul server", look for other users' with --all, or name one that has --metrics: longhaul top HOST:PORT`;
}

function printJson(processes: readonly ProcessTrack[]): number {
  const all = processes.map(({ address, status, failure }) => ({ address, ...(failure === undefined ? { status } : { failure }) }));
  process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  return exitStatus(processes);
}

/** Rates need two answers. */
async function printOnce(poll: Poll, { period }: TopConfig): Promise<number> {
  await sleep(period * 1000);
  const processes = await poll.run(undefined);
  const palette = process.stdout.isTTY ? terminalPalette() : "text";
  const width = process.stdout.isTTY ? process.stdout.columns : 200;
  const lines = onceLines(processes, glyphsFor(process.env), width).map((line) => paintLine(line, palette).trimEnd());
  process.stdout.write(`${lines.join("\n")}\n`);
  return exitStatus(processes);
}

function exitStatus(processes: readonly ProcessTrack[]): number {
  return processes.every(({ failure }) => failure === undefined) ? 0 : 1;
}

/** `poll` has just run. */
async function follow(poll: Poll, { period }: TopConfig): Promise<number> {
  const view = new View();
  let fresh = true;
  const glyphs = glyphsFor(process.env);
  await showLive({
    period,
    draw: (width, height, clock) => screen({ processes: poll.processes, view, glyphs, clock }, width, height),
    press: (name) => {
      const { page } = view;
      if (!view.press(name, poll.processes)) return "end";
      return view.page === "session" && page !== "session" ? "hurry" : undefined;
    },
    look: async () => {
      if (!fresh && !view.paused) await poll.run(view.wanted(poll.processes));
      fresh = false;
    },
  });
  return 0;
}
