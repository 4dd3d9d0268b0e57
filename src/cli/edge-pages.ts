/**
 * What a running edge tells whoever watches it:
 *
 *   GET /metrics /status /healthz    metrics/pages.ts; healthz is 503 while the edge has no endpoint to send to
 *   GET /flows?limit=N               flows that run
 */
import { Hono } from "hono";
import type { Edge } from "../accelerate/edge.ts";
import type { DnsCounters } from "../host/dns-server.ts";
import { dnsFamilies } from "../metrics/dns-families.ts";
import { edgeFamilies } from "../metrics/edge-families.ts";
import { processFamilies } from "../metrics/families.ts";
import { pages } from "../metrics/pages.ts";
import type { EdgeLink } from "./edge-link.ts";
import { processFacts } from "./metrics-server.ts";

export const EDGE_INSTANCE = "edge";
const FLOWS_MAX = 1_000_000;

export interface EdgeSides {
  /** Of the server of names, where there is one. */
  readonly names: DnsCounters | undefined;
  readonly flowLogs: Readonly<Record<string, number>>;
}

export function edgePages(edge: Edge, link: EdgeLink | undefined, { names, flowLogs }: EdgeSides, drops: () => number): Hono {
  const facts = () => processFacts({ io: "epoll", at: "", to: "" }, drops);
  const status = async () => {
    const { plane, threads } = await edge.observe();
    const { revision, accelerators } = edge.config;
    return {
      ...facts(),
      role: EDGE_INSTANCE,
      revision,
      accelerators: accelerators.length,
      serving: edge.canServe,
      control: link === undefined ? "none" : link.linked ? "linked" : "away",
      regions: edge.health.closeness.regions.map((region) => ({ region, milliseconds: edge.health.closeness.distance(region) })),
      endpoints: edge.endpoints(),
      ...(names === undefined ? {} : { names }),
      ...(edge.kernel === undefined
        ? {}
        : { kernel: { by: edge.kernel.kind, revision: edge.kernel.revision, not: Object.fromEntries(edge.kernel.reasons) } }),
      ...plane,
      counters: {
        ...plane.counters,
        ...edge.counters,
        ...edge.health.counters,
        ...edge.names.counters,
        ...link?.counters,
        ...edge.kernel?.counters,
        ...flowLogs,
      },
      threads: threads.map(({ cpuSeconds, loop }) => ({ cpuSeconds, ...loop })),
    };
  };
  const app = new Hono();
  app.get("/healthz", () => (edge.canServe ? new Response("ok\n") : new Response("no endpoint answers\n", { status: 503 })));
  app.get("/flows", async (context) => {
    const limit = Math.min(FLOWS_MAX, Number(context.req.query("limit") ?? 100) || 100);
    return context.json(await edge.flows(limit));
  });
  app.route(
    "/",
    pages({
      families: async () => [
        ...processFamilies(facts(), EDGE_INSTANCE),
        ...edgeFamilies(await edge.observe(), edge, flowLogs, link),
        ...dnsFamilies(names),
      ],
      status,
    }),
  );
  return app;
}
