/** Options of `longhaul edge`. What it serves is accelerate/edge-config.ts. */
import { z } from "zod";

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

export const edgeOptions = z.strictObject({
  file: z.string().default("").describe("what is served, as JSON or YAML; --config means the same. Read anew at SIGHUP"),
  state: z
    .string()
    .default("")
    .describe("folder for what an edge must not forget; by default /var/lib/longhaul/edge, or below the home folder"),
  workers: count(0, 64).default(1).describe("threads that move traffic; 0: one for each processor"),
  flows: count(1, 10_000_000).default(200_000).describe("most flows at once"),
  places: count(1, 100_000).default(8192).describe("most places (an address and a port) that are opened"),
  buffers: count(1, 1_000_000).default(4096).describe("most buffers of 64 KiB for bytes that one side sent and the other did not take yet"),
  connecttimeout: count(50, 60_000)
    .default(2000)
    .describe("milliseconds an endpoint may take to accept a connection before another one is tried"),
  drain: count(0, 86_400).default(0).describe("seconds that flows are given to end by themselves when the edge is stopped"),
  metrics: z
    .string()
    .default("")
    .describe("serve /metrics, /status, /flows and /healthz here: host:port, a port of this machine, or a path"),
  json: z.stringbool().default(false).describe("for status and flows: print JSON"),
  limit: count(1, 1_000_000).default(100).describe("for flows: most that are shown"),
  action: z.array(z.string()).max(1).default([]).describe("run (default); status; flows").meta({ operands: "run|status|flows" }),
});
export type EdgeOptions = z.output<typeof edgeOptions>;
