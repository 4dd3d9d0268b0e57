/** `longhaul forward add|remove|drain|apply`: by the process that runs for this state file, or by this one alone. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { parseDocument, stateOf } from "../forward/document.ts";
import { parseForward } from "../forward/forward.ts";
import type { Changed } from "../forward/forwarder.ts";
import { type Operation, operate } from "../forward/operation.ts";
import { describePlan, plan } from "../forward/plan.ts";
import { examine } from "../forward/surroundings.ts";
import { silentLog } from "../host/log.ts";
import { lockStateFile } from "../host/state-file.ts";
import { Remote } from "./forward-control.ts";
import { clearOthers, openDatapath } from "./forward-datapaths.ts";
import type { addConfig, applyConfig, drainConfig, removeConfig, Shared } from "./forward-options.ts";
import { newForwarder, readState, statePath } from "./forward-place.ts";

export async function runAdd(given: z.output<typeof addConfig>): Promise<number> {
  const { state, datapath, replace, name = nameOf(given.listen), ...entry } = given;
  const forward = parseForward({ name, ...entry }, "add");
  return report(await change({ state, datapath }, { kind: "add", forwards: [forward], replace }));
}

export async function runRemove(given: z.output<typeof removeConfig>): Promise<number> {
  if (given.all === given.names.length > 0)
    throw new ConfigError("names", `remove: ${given.all ? "names and --all" : "nothing"} given; give names, or --all`);
  if (given.all) return report(await change(given, { kind: "apply", forwards: [] }, true));
  if (given.drain > 0) await drained(given, given.names, given.drain);
  return report(await change(given, { kind: "remove", names: given.names }));
}

export async function runDrain(given: z.output<typeof drainConfig>): Promise<number> {
  if (given.names.length === 0) throw new ConfigError("names", "drain: nothing given; give names of forwards");
  return report(await change(given, { kind: "drain", names: given.names, draining: !given.off }));
}

export async function runApply(given: z.output<typeof applyConfig>): Promise<number> {
  const [file] = given.file;
  if (file === undefined) throw new ConfigError("file", "apply: nothing given; give a JSON or YAML file, or - for standard input");
  const document = parseDocument(readGiven(file), file);
  if (given.dry) {
    const now = readState(statePath(given.state));
    const wanted = plan(now, stateOf({ ...document, revision: now.revision + 1 }));
    process.stdout.write(`${describePlan(wanted)}\n`);
    for (const { name } of wanted.added) process.stdout.write(`+ ${name}\n`);
    for (const { name } of wanted.removed) process.stdout.write(`- ${name}\n`);
    for (const { after } of wanted.changed) process.stdout.write(`~ ${after.name}\n`);
    return 0;
  }
  return report(await change(given, { kind: "apply", forwards: document.forwards }));
}

interface Done extends Changed {
  readonly by: string;
}

/** `leave`: when nothing is left, nothing of ours stays in the kernel. */
async function change({ state, datapath: wanted }: Shared, operation: Operation, leave = false): Promise<Done> {
  const path = statePath(state);
  const remote = await Remote.find(path);
  if (remote !== undefined) return { ...(await remote.change(operation)), by: `${remote.place.datapath}, process ${remote.place.pid}` };
  return lockStateFile(path, async () => {
    const before = readState(path);
    // What cannot be is said before anything is asked of the machine.
    const after = operate(before, operation);
    const { datapath, reasons } = await openDatapath(wanted, { log: silentLog, stays: false, flowsMax: 0, state: after });
    for (const reason of reasons) process.stderr.write(`longhaul: ${reason}\n`);
    const forwarder = newForwarder(datapath, path, before);
    let left = false;
    try {
      await forwarder.start(before);
      const changed = await forwarder.change(operation);
      left = leave && forwarder.state.forwards.size === 0;
      warn(forwarder.state, datapath.kind);
      return { ...changed, by: datapath.kind };
    } finally {
      await forwarder.close(!left);
      if (left) await clearOthers(undefined, silentLog);
    }
  });
}

function warn(...given: Parameters<typeof examine>): void {
  for (const { level, text, fix } of examine(...given))
    process.stderr.write(`longhaul: ${level}: ${text}${fix === undefined ? "" : '; "longhaul forward check --fix" mends it'}\n`);
}

/** Waits until no flow is left, `seconds` at most. */
async function drained(given: Shared, names: readonly string[], seconds: number): Promise<void> {
  await change(given, { kind: "drain", names, draining: true });
  const path = statePath(given.state);
  for (const until = performance.now() + seconds * 1000; performance.now() < until; await sleep(1000)) {
    const stats = await watch(given, path);
    if (names.every((name) => (stats.get(name) ?? 0) === 0)) return;
  }
}

async function watch(given: Shared, path: string): Promise<Map<string, number>> {
  const { withSource } = await import("./forward-show.ts");
  return withSource(given, path, async ({ stats }) => new Map([...(await stats()).forwards].map(([name, { flows }]) => [name, flows])));
}

function report({ revision, summary, milliseconds, by }: Done): number {
  process.stdout.write(
    `${summary} in ${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms, revision ${revision} (${by})\n`,
  );
  return 0;
}

function nameOf(listen: string): string {
  return listen.replace(/[[\]]/g, "").replaceAll("/", "_").slice(0, 64);
}

function readGiven(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new ConfigError("file", `apply: "${file}" cannot be read: ${(error as Error).message}`);
  }
}
