/** The datapaths there are, the fastest first: which is possible here, and what others have left in the kernel. */
import { ConfigError, HostError } from "../base/errors.ts";
import type { Datapath, DatapathKind } from "../forward/datapath.ts";
import type { DesiredState } from "../forward/desired-state.ts";
import { NftablesDatapath } from "../forward/nftables/datapath.ts";
import { BPFFS, pinnedNames } from "../host/bpf/bpffs.ts";
import type { Log } from "../host/log.ts";
import type { Shared } from "./forward-options.ts";

export interface DatapathNeeds {
  readonly log: Log;
  /** The process stays: it may do the work itself, collects what has idled, and counts what ends. */
  readonly stays: boolean;
  /** userspace: most flows at once. */
  readonly flowsMax: number;
  /** What it has to carry. */
  readonly state: DesiredState;
  /** Nothing may be done to interfaces: one that must be tried there is passed over. */
  readonly gently?: boolean;
}

interface Kind {
  readonly kind: DatapathKind;
  /** Only in a process that stays, unless one that stayed has left it running. */
  readonly stays: boolean;
  /** Something of it is in the kernel, of this process or an earlier one. */
  readonly left: () => boolean;
  /** `asked`: by name. @throws HostError that says what is missing */
  readonly open: (needs: DatapathNeeds, asked: boolean) => Promise<Datapath>;
}

/** Where the XDP datapath keeps program and tables. */
export const XDP_PINS = `${BPFFS}/longhaul/default`;

const kinds: readonly Kind[] = [
  { kind: "xdp", stays: true, left: () => pinnedNames(XDP_PINS).length > 0, open: openXdp },
  {
    kind: "nftables",
    stays: false,
    // Asking nft takes longer than deleting what is not there.
    left: () => true,
    open: ({ log, stays }) => NftablesDatapath.open({ log, watch: stays }),
  },
  {
    kind: "userspace",
    stays: true,
    left: () => false,
    open: async ({ flowsMax }) => (await import("../forward/userspace/open.ts")).openUserspace(flowsMax),
  },
];

/**
 * The datapath that was asked for, or the fastest of which nothing is missing. `reasons`: why none of the faster ones, and what is slower than it could be.
 * @throws HostError when the one asked for cannot be had, or none
 */
export async function openDatapath(wanted: Shared["datapath"], needs: DatapathNeeds): Promise<{ datapath: Datapath; reasons: string[] }> {
  const reasons: string[] = [];
  for (const { kind, open, stays, left } of kinds) {
    if (wanted !== "auto" && wanted !== kind) continue;
    if (stays && !needs.stays && !left()) {
      if (wanted === kind)
        throw new ConfigError("datapath", `--datapath: "${kind}" is not possible here; it works inside "longhaul forward run"`);
      continue;
    }
    if (needs.gently && kind === "xdp" && wanted !== kind) {
      reasons.push('xdp is tried when "longhaul forward run" starts, because it may stop an interface for a moment');
      continue;
    }
    try {
      const datapath = await open(needs, wanted === kind);
      const refusal = wanted === "auto" ? refusalOf(datapath, needs.state) : undefined;
      if (refusal === undefined) return { datapath, reasons: [...reasons, ...(datapath.remarks ?? [])] };
      reasons.push(`${kind} is not possible because of ${refusal}`);
      await datapath.close(false);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      reasons.push(`${kind} is not possible because ${error.message}`);
    }
  }
  const advice = needs.stays ? "" : '; "longhaul forward run" can forward without any right';
  throw new HostError("ENOTSUP", "forward", `${reasons.join("; ")}${advice}`);
}

/** Takes out of the kernel what other datapaths have left there, so that nothing forwards beside the one that is led. */
export async function clearOthers(own: DatapathKind | undefined, log: Log): Promise<void> {
  for (const { kind, left, open } of kinds) {
    if (kind === own || !left()) continue;
    try {
      const datapath = await open({ log, stays: false, flowsMax: 0, state: { revision: 0, forwards: new Map() } }, true);
      await datapath.close(false);
    } catch (error) {
      // Who has no right to look has left nothing there either.
      if (!(error instanceof HostError)) throw error;
    }
  }
}

async function openXdp(_needs: DatapathNeeds, asked: boolean): Promise<Datapath> {
  const { XdpDatapath } = await import("../forward/xdp/xdp-datapath.ts");
  const datapath = new XdpDatapath();
  if (!asked && datapath.attached.length === 0) {
    await datapath.close(false);
    throw new HostError("ENODEV", "xdp", "no interface of Ethernet is up");
  }
  const veth = datapath.attached.find(({ link }) => link.kind === "veth");
  if (asked || veth === undefined) return datapath;
  await datapath.close(false);
  // Reference forward.md section 4.1 to 4.3: frames vanish without a word.
  throw new HostError(
    "ENOTSUP",
    "xdp",
    `${veth.link.name} is a veth, which loses frames unless its other end is set up for XDP; --datapath xdp takes it all the same`,
  );
}

function refusalOf(datapath: Datapath, state: DesiredState): string | undefined {
  for (const forward of state.forwards.values()) {
    const reason = datapath.refuses(forward);
    if (reason !== undefined) return `"${forward.name}": ${reason}`;
  }
  return undefined;
}
