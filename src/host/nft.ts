/**
 * nftables by its own program: scripts that take effect as one transaction or not at all, and listings as JSON.
 *
 * Scripts are nft's text, which it takes from a pipe; JSON it wants from a file (reference forward.md section 4.8).
 */
import { HostError } from "../base/errors.ts";
import { type Outcome, type Run, runProgram } from "./program.ts";

/** Tuning: a set of 65,536 elements with counters takes 12 MB. */
const OUTPUT_BYTES_MAX = 64 << 20;

/** @throws HostError and nothing has changed: EPERM, ENOENT (not installed) or EINVAL with nft's first line */
export async function nftScript(script: string, run: Run = runProgram): Promise<void> {
  const outcome = await run({ program: "nft", args: ["-f", "-"], input: script });
  if (outcome.status !== 0) throw nftError(outcome);
}

/** What `nft -j list …` answers, without its head; undefined when there is no such thing. @throws HostError */
export async function nftList(what: readonly string[], run: Run = runProgram): Promise<readonly NftObject[] | undefined> {
  const outcome = await run({ program: "nft", args: ["-j", "list", ...what], outputBytesMax: OUTPUT_BYTES_MAX });
  if (outcome.status === 0) return (JSON.parse(outcome.output) as { nftables: NftObject[] }).nftables.filter(({ metainfo }) => !metainfo);
  if (/No such file or directory/.test(outcome.error)) return undefined;
  throw nftError(outcome);
}

/** One of its keys is there: what it is. */
export interface NftObject {
  readonly metainfo?: unknown;
  readonly chain?: NftName & { readonly hook?: string; readonly policy?: string };
  readonly set?: NftSet;
  readonly map?: NftSet;
  readonly "ct timeout"?: { readonly name: string };
}

export interface NftName {
  readonly name: string;
  readonly family?: string;
  readonly table?: string;
}

export interface NftSet extends NftName {
  readonly elem?: readonly unknown[];
}

function nftError({ status, error }: Outcome): HostError {
  if (status === undefined) return new HostError(/not installed/.test(error) ? "ENOENT" : "EIO", "nft", error);
  const denied = /permitted|permission|must be root/i.test(error);
  return denied
    ? new HostError("EPERM", "nft", `${error}; needs the capability CAP_NET_ADMIN: run as root`)
    : new HostError("EINVAL", "nft", error);
}
