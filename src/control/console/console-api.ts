/**
 * What the console's page asks, for who is signed in:
 *
 *   POST   /console/session           {accessKeyId, secretAccessKey} ─► a cookie that no script reads
 *   GET    /console/session           who is signed in, or 401
 *   DELETE /console/session           nobody any more
 *   POST   /console/api/<Operation>   Global Accelerator's operations: checked, allowed and put into the audit log as signed requests are
 *   GET    /console/edges             edges that have joined, and the revision they should have
 *
 * and where a live origin is in the process (live-console.ts):
 *
 *   POST   /console/ivs/<Operation>   IVS's operations, likewise
 *   GET    /console/status            what is on the air (live/status.ts)
 *   GET    /console/ingest/<channel>  how its ingest did over the last ten minutes
 *   GET    /console/preview/live/…    playlists and media (live/delivery.ts), of private channels, too
 *
 * A request must carry x-longhaul-console: no other site's page can send that. The cookie is for this site's own requests only (SameSite=Strict).
 */
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import type { AcceleratorService } from "../accelerator/api.ts";
import { acceleratorRevision } from "../accelerator/edge-view.ts";
import { internalServiceError, invalidArgument } from "../accelerator/exceptions.ts";
import { parseBody, readBody } from "../aws/body.ts";
import { json11Protocol, withoutNulls } from "../aws/json-1-1.ts";
import { answer } from "../aws/service.ts";
import { ServiceError } from "../aws/service-error.ts";
import { EdgeRegistry } from "../edges/registry.ts";
import { type LiveConsole, mountLive } from "./live-console.ts";
import { SESSION_SECONDS, type Sessions } from "./sessions.ts";

const COOKIE = "longhaul-session";
const login = z.strictObject({ accessKeyId: z.string().max(128), secretAccessKey: z.string().max(128) });

/** As the page gets it. */
export interface ConsoleEdges {
  readonly now: number;
  readonly revision: number;
  readonly edges: Awaited<ReturnType<EdgeRegistry["list"]>>;
}

export function consoleApi(service: AcceleratorService, sessions: Sessions, live?: LiveConsole): Hono {
  const protocol = json11Protocol(invalidArgument, internalServiceError);
  const registry = new EdgeRegistry(service.context.database);
  const signedIn = (context: Context) => sessions.session(getCookie(context, COOKIE), service.now());
  const options = ({ req }: Context) =>
    ({
      path: "/console",
      httpOnly: true,
      sameSite: "Strict",
      secure: new URL(req.url).protocol === "https:" || req.header("x-forwarded-proto") === "https",
    }) as const;
  const app = new Hono();
  app.use("/console/*", async (context, next) => {
    if (context.req.header("x-longhaul-console") === undefined) return new Response("for the console's page only\n", { status: 403 });
    await next();
    context.header("cache-control", "no-store");
    return undefined;
  });
  app.post("/console/session", async (context) => {
    const given = await readBody(context.req.raw, invalidArgument).then(
      (body) => login.safeParse(parseBody(body)).data,
      () => undefined,
    );
    const cookie = given === undefined ? undefined : await sessions.begin(given.accessKeyId, given.secretAccessKey, service.now());
    if (cookie === undefined) return new Response("no such access key, or another secret\n", { status: 401 });
    await service.audit.add({ at: service.now(), accessKey: given!.accessKeyId, operation: "ConsoleSignIn", resource: "", outcome: "ok" });
    setCookie(context, COOKIE, cookie, { ...options(context), maxAge: SESSION_SECONDS });
    return context.body(null, 204);
  });
  app.get("/console/session", async (context) => {
    const session = await signedIn(context);
    return session === undefined ? new Response("nobody is signed in\n", { status: 401 }) : context.json(session);
  });
  app.delete("/console/session", (context) => {
    deleteCookie(context, COOKIE, options(context));
    return context.body(null, 204);
  });
  app.post("/console/api/:operation", (context) =>
    answer(service, protocol, context.req.param("operation"), async () => {
      const session = await signedIn(context);
      if (session === undefined) throw new ServiceError("MissingAuthenticationTokenException", 403, "nobody is signed in");
      const body = await readBody(context.req.raw, invalidArgument);
      return { accessKey: session.accessKey, input: () => withoutNulls(parseBody(body)) };
    }),
  );
  app.get("/console/edges", async (context) => {
    if ((await signedIn(context)) === undefined) return new Response("nobody is signed in\n", { status: 401 });
    const [revision, edges] = await Promise.all([acceleratorRevision(service.context.database), registry.list()]);
    return context.json({ now: service.now(), revision, edges } satisfies ConsoleEdges);
  });
  if (live !== undefined) mountLive(app, live, signedIn);
  return app;
}
