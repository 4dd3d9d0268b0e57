/**
 * What control and an edge say to each other: a line of JSON each, both ways at once, over one HTTP/2 stream between certificates of the installation's
 * authority.
 *
 *   edge ─► POST /join      {secret, request}  ─► {id, certificate, authority}                              once
 *   edge ═► POST /stream    hello {revision} · applied · refused · report · renew                           as long as it lives
 *   edge ◄═                 configuration {from, revision, put, remove} · certificate · alive
 *
 * Resumable: an edge says which revision it has, and is sent what differs; `from` null is the whole. Anything a side does not understand ends the stream.
 */
import { z } from "zod";
import { type AcceleratorConfig, accelerator, type EdgeConfig } from "./edge-config.ts";

/** Longest line to an edge, and from it. */
export const LINE_TO_EDGE_MAX = 256 << 20;
export const LINE_FROM_EDGE_MAX = 16 << 20;
/** Both sides say something at least this often; three times as long without anything is a dead peer. */
export const ALIVE_EVERY_MS = 5000;

const pem = z.string().max(16_384);
const revision = z.int().min(0);
const count = z.number().min(0);

export const joinRequest = z.strictObject({ secret: z.string().max(128), request: pem, name: z.string().max(128).default("") });
export type JoinRequest = z.input<typeof joinRequest>;
export const joinAnswer = z.object({ id: z.string().regex(/^[a-z0-9]{1,64}$/), certificate: pem, authority: pem });
export type JoinAnswer = z.output<typeof joinAnswer>;

export const toEdge = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("configuration"),
    from: revision.nullable(),
    revision,
    /** Checked one by one, so that the refusal can name what is wrong. */
    put: z.array(z.unknown()),
    remove: z.array(z.string()),
  }),
  z.object({ kind: z.literal("certificate"), certificate: pem }),
  z.object({ kind: z.literal("alive") }),
]);
export type ToEdge = z.output<typeof toEdge>;

export const endpointReport = z.object({
  group: z.string().max(255),
  endpoint: z.string().max(255),
  state: z.enum(["INITIAL", "HEALTHY", "UNHEALTHY"]),
});
export type EndpointReport = z.output<typeof endpointReport>;

/** A flow as the console shows it: observation.ts. */
export const flowSample = z.object({
  protocol: z.enum(["TCP", "UDP"]),
  way: z.enum(["userspace", "kernel", "tunnel"]),
  source: z.string().max(64),
  at: z.string().max(64),
  endpoint: z.string().max(64),
  region: z.string().max(255),
  why: z.enum(["dial", "failover", "fail-open", "route"]),
  bytesIn: count,
  bytesOut: count,
  idleSeconds: count,
});
export type FlowSample = z.output<typeof flowSample>;
/** Flows in a report. */
export const SAMPLE_MAX = 20;

export const edgeReport = z.object({
  /** Of endpoints that changed since the last report; the first one has all. */
  health: z.array(endpointReport).max(1_000_000),
  whole: z.boolean(),
  regions: z.array(z.object({ region: z.string().max(255), milliseconds: count.optional() })).max(1000),
  flows: count,
  newFlows: count,
  bytesIn: count,
  bytesOut: count,
  serving: z.boolean(),
  /** Flows that run, the most active. */
  sample: z.array(flowSample).max(SAMPLE_MAX).optional(),
});
export type EdgeReport = z.output<typeof edgeReport>;

export const fromEdge = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("hello"), revision, release: z.string().max(64), name: z.string().max(128) }),
  z.object({ kind: z.literal("applied"), revision, problems: z.int().min(0) }),
  z.object({ kind: z.literal("refused"), revision, serving: revision, reason: z.string().max(1000) }),
  z.object({ kind: z.literal("report"), report: edgeReport }),
  z.object({ kind: z.literal("renew"), request: pem }),
  z.object({ kind: z.literal("alive") }),
]);
export type FromEdge = z.output<typeof fromEdge>;

/** The configuration that follows from what was sent, or why it cannot be served. */
export function configurationAfter(
  before: EdgeConfig,
  change: Extract<ToEdge, { kind: "configuration" }>,
): { readonly config: EdgeConfig } | { readonly refused: string } {
  if (change.from !== null && change.from !== before.revision)
    return { refused: `a change of revision ${change.from}, ${before.revision} is served` };
  const accelerators = new Map<string, AcceleratorConfig>(change.from === null ? [] : before.accelerators.map((each) => [each.id, each]));
  for (const id of change.remove) accelerators.delete(id);
  for (const given of change.put) {
    const result = accelerator.safeParse(given);
    if (!result.success) {
      const { path, message } = result.error.issues[0]!;
      return { refused: `${String((given as { id?: unknown } | null)?.id)}: ${path.join(".")}: ${message}` };
    }
    accelerators.set(result.data.id, result.data);
  }
  return { config: { revision: change.revision, accelerators: [...accelerators.values()] } };
}
