/** Where forwards are kept. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Datapath } from "../forward/datapath.ts";
import { type DesiredState, NOTHING_DESIRED } from "../forward/desired-state.ts";
import { formatDocument, parseDocument, stateOf } from "../forward/document.ts";
import { Forwarder } from "../forward/forwarder.ts";
import { readStateFile, writeStateFile } from "../host/state-file.ts";

/** Of option state. */
export function statePath(given: string): string {
  if (given !== "") return given;
  if (process.getuid?.() === 0) return "/var/lib/longhaul/forward.json";
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local/state"), "longhaul/forward.json");
}

/** Nothing when there is no such file. @throws ConfigError, HostError */
export function readState(path: string): DesiredState {
  const text = readStateFile(path);
  return text === undefined ? NOTHING_DESIRED : stateOf(parseDocument(text, path));
}

export function newForwarder(datapath: Datapath, path: string, state: DesiredState): Forwarder {
  return new Forwarder({ datapath, now: () => performance.now(), keep: (next) => writeStateFile(path, formatDocument(next)) }, state);
}
