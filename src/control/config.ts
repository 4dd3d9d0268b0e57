/** Options of `longhaul control`. */
import { z } from "zod";
import { acceleratorOptions } from "./accelerator/config.ts";

export const controlConfig = z.strictObject({
  data: z.string().default("").describe("folder for the database, the master key and the first access key"),
  database: z
    .string()
    .default("")
    .describe(
      "postgres://user:password@host/name instead of SQLite in the folder; several processes may share it, each with a copy of master.key",
    )
    .meta({ secret: true }),
  api: z.string().default("127.0.0.1:8090").describe("where AWS Global Accelerator's API is served (HTTP, signed requests): host:port"),
  edges: z
    .string()
    .default("")
    .describe("where edges come to (HTTP/2, certificates of the installation's own): host:port, such as :4433; off if not given"),
  account: z
    .string()
    .regex(/^\d{12}$/, "twelve digits")
    .default("000000000000")
    .describe("account in the names of resources, twelve digits"),
  ...acceleratorOptions,
  metrics: z
    .string()
    .default("")
    .describe(
      "serve /metrics (Prometheus), /status and /healthz here: port (loopback only), host:port or unix socket path; off if not given",
    ),
});
export type ControlConfig = z.output<typeof controlConfig>;
