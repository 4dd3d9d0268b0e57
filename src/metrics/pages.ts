/**
 * What is served to those who watch, as an HTTP application without a socket.
 *
 *   GET /metrics    Prometheus text, or OpenMetrics if the Accept header names it (exposition.ts)
 *   GET /status     JSON; of a tunnel that of status.ts, where ?session=KEY adds the streams of one session
 *   GET /healthz    200 "ok" while what is watched answers, else 503
 */
import { Hono } from "hono";
import { contentTypes, expose, type Family, formatFor } from "./exposition.ts";

/** Both answer undefined while there is no answer to be had. */
export interface Watched {
  families(): Promise<readonly Family[] | undefined>;
  status(session: string | undefined): Promise<object | undefined>;
}

export function pages(watched: Watched): Hono {
  const app = new Hono();
  app.use("/*", async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
  });
  app.get("/metrics", async (context) => {
    const families = await watched.families();
    if (families === undefined) return unavailable();
    const format = formatFor(context.req.header("accept") ?? "");
    return new Response(expose(families, format), { headers: { "content-type": contentTypes[format] } });
  });
  app.get("/status", async (context) => {
    const status = await watched.status(context.req.query("session"));
    return status === undefined ? unavailable() : context.json(status);
  });
  app.get("/healthz", async () => ((await watched.status(undefined)) === undefined ? unavailable() : new Response("ok\n")));
  app.get("/", () => new Response("longhaul: /metrics, /status and /healthz are here\n"));
  return app;
}

function unavailable(): Response {
  return new Response("what is watched does not answer\n", { status: 503 });
}
