/**
 * What an edge serves, whole, at a revision: written by whoever keeps the installation (control, or a person in a file), read by `longhaul edge`.
 *
 *   accelerator ── addresses (static, the same at every edge)
 *     └ listener ── protocol, port ranges, affinity
 *         ├ group ── one for each region: dial, health check, port overrides            standard
 *         │   └ endpoint ── host, weight
 *         └ route ── listener ports to one address's ports, one for one                 custom routing: `groups` is empty then
 *
 * Names and ranges are AWS Global Accelerator's where it has the thing (reference/aws-live.md, 1.1 and 2); what is ours beside it stands in `policy` and has a
 * default that leaves AWS's meaning as it is or, where it says so, betters it.
 *
 * Deviations: an endpoint is a host of any machine, not a resource of AWS; health checks are possible from every 200 ms on, and over UDP.
 */
import { z } from "zod";

export const LISTENERS_MAX = 10;
export const GROUPS_MAX = 42;
export const ENDPOINTS_MAX = 10;
export const PORT_RANGES_MAX = 10;
export const OVERRIDES_MAX = 10;
export const ACCELERATORS_MAX = 10_000;
export const ROUTES_MAX = 65_536;
export const WEIGHT_DEFAULT = 128;

const port = z.int().min(1).max(65_535);
const id = z.string().min(1).max(255);
/** A literal address without brackets, or a name that the edge resolves by itself, again and again. */
const host = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9_.:-]+$/);

export const healthCheck = z.strictObject({
  protocol: z.enum(["TCP", "HTTP", "HTTPS", "UDP", "SIP", "STUN", "DNS"]).default("TCP").describe("what is asked"),
  port: port.describe("port of the endpoints that is asked; port overrides do not apply to it"),
  path: z.string().max(255).regex(/^\//).default("/").describe("HTTP and HTTPS: a status of 200 to 299 is healthy"),
  payload: z
    .string()
    .regex(/^([0-9a-f]{2}){0,512}$/i)
    .default("")
    .describe("UDP: what is sent, in hex; whatever comes back is an answer"),
  intervalMs: z.int().min(200).max(300_000).default(30_000).describe("milliseconds between two checks"),
  timeoutMs: z.int().min(50).max(60_000).optional().describe("milliseconds an answer may take; by default the interval, at most 5000"),
  threshold: z.int().min(1).max(10).default(3).describe("results in turn that change an endpoint's health, both ways"),
});
export type HealthCheck = z.output<typeof healthCheck>;

export const endpoint = z.strictObject({
  id: id.describe("the same in all groups and for ever: flows are spread by it"),
  host,
  port: port.optional().describe("by default the port at which a flow came in, or what the group's overrides make of it"),
  checkPort: port.optional().describe("port that checks ask instead of the group's, where several endpoints are one machine"),
  weight: z.int().min(0).max(255).default(WEIGHT_DEFAULT).describe("share of the group's new flows; 0: none"),
  client: z
    .enum(["none", "proxy", "transparent"])
    .default("none")
    .describe(
      "how the client's address reaches it: not at all, by the PROXY protocol (version 2), or as the packets' own source (Linux, root)",
    ),
});
export type EndpointConfig = z.output<typeof endpoint>;

export const group = z.strictObject({
  id,
  region: id.describe("groups of one region are equally close"),
  dial: z.number().min(0).max(100).default(100).describe("per cent of the flows directed to the group that stay with it"),
  check: healthCheck,
  tunnel: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/)
    .optional()
    .describe(
      "name of the edge's tunnel to a machine beside the endpoints: TCP goes through it while its far end answers; checks and UDP go the plain way",
    ),
  overrides: z
    .array(z.strictObject({ listener: port, endpoint: port }))
    .max(OVERRIDES_MAX)
    .default([]),
  endpoints: z.array(endpoint).max(ENDPOINTS_MAX).default([]),
});
export type GroupConfig = z.output<typeof group>;

/** Custom routing: listener ports first…first + count − 1 are the address's ports port…port + count − 1. What is not routed is refused. */
export const route = z.strictObject({
  first: port,
  count: z.int().min(1).max(65_535).default(1),
  address: host,
  port,
  protocols: z
    .array(z.enum(["TCP", "UDP"]))
    .min(1)
    .max(2),
});
export type Route = z.output<typeof route>;

const flows = (what: string, initial: number) =>
  z.int().min(0).max(10_000_000).default(initial).describe(`${what}; 0: no limit of its own`);

/** Ours beside AWS's; control takes them from tags, such as `longhaul:repin`. */
export const policy = z.strictObject({
  repin: z.boolean().default(true).describe("UDP flows of an endpoint that died go on at another one"),
  resetDead: z
    .boolean()
    .default(true)
    .describe("TCP flows of an endpoint that died are reset at once instead of hanging until they idle out"),
  drainSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(0)
    .describe("flows of an endpoint that was removed or has weight 0 end after so long; 0: by themselves"),
  tcpIdleSeconds: z.int().min(1).max(86_400).default(340),
  udpIdleSeconds: z.int().min(1).max(86_400).default(30),
  flowsMax: flows("most flows of a listener at once", 0),
  sourceFlowsMax: flows("most flows of a source address at a listener at once", 0),
  sourceFlowsPerSecond: flows("most new flows a second of a source address at a listener", 0),
});
export type Policy = z.output<typeof policy>;

export const listener = z.strictObject({
  id,
  protocol: z.enum(["TCP", "UDP"]),
  ports: z
    .array(z.strictObject({ from: port, to: port }))
    .min(1)
    .max(PORT_RANGES_MAX),
  affinity: z
    .enum(["NONE", "SOURCE_IP"])
    .default("NONE")
    .describe("what goes to one endpoint: a flow (5-tuple), or all of a source address"),
  groups: z.array(group).max(GROUPS_MAX).default([]),
  routes: z.array(route).max(ROUTES_MAX).default([]),
});
export type ListenerConfig = z.output<typeof listener>;

/** Where flow logs go (flow-logger.ts). */
export const flowLogs = z.strictObject({
  bucket: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,254}$/)
    .describe("bucket of a store that speaks S3, or a folder of that name"),
  prefix: z
    .string()
    .max(255)
    .regex(/^(?!.*\.\.)[\w./-]*$/)
    .default("")
    .describe("what the names of files begin with"),
  account: z
    .string()
    .regex(/^\d{12}$/)
    .default("000000000000"),
});
export type FlowLogs = z.output<typeof flowLogs>;

export const accelerator = z.strictObject({
  id,
  name: z.string().max(255).default(""),
  dnsName: z.string().max(253).default("").describe("answered with the addresses; none: not answered"),
  enabled: z.boolean().default(true).describe("false: known, not served"),
  addresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .min(1)
    .max(8),
  flowLogs: flowLogs.optional(),
  policy: policy.prefault({}),
  listeners: z
    .array(listener)
    .max(2 * LISTENERS_MAX)
    .default([])
    .describe("one of custom routing is here one for each protocol"),
});
export type AcceleratorConfig = z.output<typeof accelerator>;

export const edgeConfig = z.strictObject({
  revision: z.int().min(0).describe("higher with every change"),
  accelerators: z.array(accelerator).max(ACCELERATORS_MAX).default([]),
});
export type EdgeConfig = z.output<typeof edgeConfig>;
/** As it may be written: what has a default may be left out. */
export type EdgeConfigInput = z.input<typeof edgeConfig>;
