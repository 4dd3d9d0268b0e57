/** Options of `longhaul forward` and its subcommands. Those of a forward itself are forward/entry.ts. */
import { z } from "zod";
import { forwardEntry } from "../forward/entry.ts";

const shared = {
  state: z
    .string()
    .default("")
    .describe("file that keeps what shall be; by default /var/lib/longhaul/forward.json, or below the home folder"),
  datapath: z
    .enum(["auto", "xdp", "nftables", "userspace"])
    .default("auto")
    .describe("what moves the datagrams; auto: the fastest this machine can have, said at start"),
};
const json = z.stringbool().default(false).describe("print JSON");
const names = z.array(z.string()).default([]).describe("names of forwards").meta({ operands: "NAME" });
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

export const addConfig = forwardEntry.extend({
  ...shared,
  name: forwardEntry.shape.name.optional().describe(`${forwardEntry.shape.name.description}; by default what listen says`),
  replace: z.stringbool().default(false).describe("a forward of the same name may be there"),
});

export const removeConfig = z.strictObject({
  ...shared,
  names,
  all: z.stringbool().default(false).describe("all forwards, and everything of ours in the kernel"),
  drain: count(0, 86_400).default(0).describe("let flows that run go on for at most so many seconds first"),
});

export const drainConfig = z.strictObject({
  ...shared,
  names,
  off: z.stringbool().default(false).describe("no longer: new flows are let in again"),
});

export const applyConfig = z.strictObject({
  ...shared,
  file: z.array(z.string()).max(1).default([]).describe("JSON or YAML; - for standard input").meta({ operands: "FILE" }),
  dry: z.stringbool().default(false).describe("say what would change, and change nothing"),
});

export const listConfig = z.strictObject({ ...shared, names, json });

export const statsConfig = z.strictObject({ ...shared, names, json });

export const flowsConfig = z.strictObject({
  ...shared,
  names,
  limit: count(1, 1_000_000).default(1000).describe("most flows shown"),
  json,
});

export const topConfig = z.strictObject({
  ...shared,
  period: count(1, 60).default(1).describe("seconds between two pictures"),
  once: z.stringbool().default(false).describe("print one table, of a period, and end"),
});

export const checkConfig = z.strictObject({
  ...shared,
  fix: z.stringbool().default(false).describe("set what can be set, until the next start of the machine"),
});

export const explainConfig = z.strictObject({ ...shared, names });

export const captureConfig = z.strictObject({
  ...shared,
  names,
  write: z.string().default("").describe("pcap file; - for standard output").meta({ short: "w" }),
  onein: count(1, 1_000_000).default(1).describe("one packet in so many"),
  snaplen: count(64, 65_535).default(256).describe("bytes of each packet"),
  packets: count(1, 1_000_000_000).default(1000).describe("end after so many packets"),
  seconds: count(1, 86_400).default(60).describe("end after so many seconds"),
});

export const runConfig = z.strictObject({
  ...shared,
  metrics: z.string().default("").describe("serve /metrics, /status and /healthz here: host:port, a port of this machine, or a path"),
  forwardseries: count(0, 100_000).default(1000).describe("forwards that get series of their own in /metrics"),
  verify: count(1, 3600).default(10).describe("seconds between two looks whether what shall be is there; it is put back"),
  flows: count(1, 1_000_000).default(65_536).describe("userspace: most flows at once"),
});

export type Shared = Pick<z.output<typeof runConfig>, "state" | "datapath">;
