/** Where forwards are kept, and what moves their datagrams. */
import { homedir } from "node:os";
import { join } from "node:path";
import { ConfigError, HostError } from "../base/errors.ts";
import type { Datapath, DatapathKind } from "../forward/datapath.ts";
import { type DesiredState, NOTHING_DESIRED } from "../forward/desired-state.ts";
import { formatDocument, parseDocument, stateOf } from "../forward/document.ts";
import { Forwarder } from "../forward/forwarder.ts";
import { NftablesDatapath } from "../forward/nftables/datapath.ts";
import { openUserspace } from "../forward/userspace/open.ts";
import type { Log } from "../host/log.ts";
import { readStateFile, writeStateFile } from "../host/state-file.ts";
import type { Shared } from "./forward-options.ts";

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

export interface DatapathNeeds {
  readonly log: Log;
  /** The process stays: it may do the work itself, and counts what ends. */
  readonly stays: boolean;
  /** userspace: most flows at once. */
  readonly flowsMax: number;
}

type Open = (needs: DatapathNeeds) => Datapath | Promise<Datapath>;

/** The fastest first. */
const kinds: readonly { readonly kind: DatapathKind; readonly open: Open; readonly stays: boolean }[] = [
  { kind: "nftables", stays: false, open: ({ log, stays }) => NftablesDatapath.open({ log, watch: stays }) },
  { kind: "userspace", stays: true, open: ({ flowsMax }) => openUserspace(flowsMax) },
];

/**
 * The datapath that was asked for, or the fastest of which nothing is missing. `reasons`: why none of the faster ones.
 * @throws HostError when the one asked for cannot be had, or none
 */
export async function openDatapath(wanted: Shared["datapath"], needs: DatapathNeeds): Promise<{ datapath: Datapath; reasons: string[] }> {
  const reasons: string[] = [];
  for (const { kind, open, stays } of kinds) {
    if (wanted !== "auto" && wanted !== kind) continue;
    if (stays && !needs.stays) {
      reasons.push(`${kind} works only inside "longhaul forward run"`);
      continue;
    }
    try {
      return { datapath: await open(needs), reasons };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      reasons.push(`${kind} is not possible because ${error.message}`);
    }
  }
  if (reasons.length === 0) throw new ConfigError("datapath", `--datapath: "${wanted}" is not in this version yet; give auto`);
  throw new HostError("ENOTSUP", "forward", reasons.join("; "));
}

export function newForwarder(datapath: Datapath, path: string, state: DesiredState): Forwarder {
  return new Forwarder({ datapath, now: () => performance.now(), keep: (next) => writeStateFile(path, formatDocument(next)) }, state);
}
