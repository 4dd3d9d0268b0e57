/**
 * What is served to those who watch, as an HTTP application without a socket.
 *
 *   GET /metrics    Prometheus text, or OpenMetrics if the Accept header names it (exposition.ts)
 *   GET /status     JSON (status.ts); ?session=KEY adds the streams of one session
 *   GET /healthz    200 "ok" while the workers answer, else 503
 */
import { Hono } from "hono";
import { contentTypes, expose, formatFor } from "./exposition.ts";
import { families } from "./families.ts";
import type { Observer } from "./observer.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { statusOf } from "./status.ts";

export interface PagesOptions {
  readonly observer: Observer;
  readonly facts: () => ProcessFacts;
  /** Unix ms. */
  readonly wallClock: () => number;
  /** Sessions that get series of their own in /metrics. */
  readonly seriesMax: number;
}

export function pages({ observer, facts, wallClock, seriesMax }: PagesOptions): Hono {
  const app = new Hono();
  app.use("/*", async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
  });
  app.get("/metrics", async (context) => {
    const observation = await observer.observe();
    if (observation === undefined) return unavailable();
    const format = formatFor(context.req.header("accept") ?? "");
    return new Response(expose(families(observation, facts(), seriesMax), format), { headers: { "content-type": contentTypes[format] } });
  });
  app.get("/status", async (context) => {
    const observation = await observer.observe(context.req.query("session"));
    return observation === undefined ? unavailable() : context.json(statusOf(observation, facts(), wallClock()));
  });
  app.get("/healthz", async () => ((await observer.observe()) === undefined ? unavailable() : new Response("ok\n")));
  app.get("/", () => new Response("longhaul: /metrics, /status and /healthz are here\n"));
  return app;
}

function unavailable(): Response {
  return new Response("the tunnel does not answer\n", { status: 503 });
}
