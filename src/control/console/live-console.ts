/** What the console's page asks of a live origin in the same process, for who is signed in (console-api.ts has the addresses). */
import type { Context, Hono } from "hono";
import type { Status } from "../../live/status.ts";
import { parseBody, readBody } from "../aws/body.ts";
import { restJsonProtocol } from "../aws/rest-json.ts";
import { answer, type Service } from "../aws/service.ts";
import { ServiceError, validation } from "../aws/service-error.ts";
import type { IvsContext } from "../ivs/context.ts";
import type { IngestHealthView } from "../live/ingest-health.ts";
import type { Session } from "./sessions.ts";

export interface LiveConsole {
  readonly service: Service<IvsContext>;
  readonly status: () => Status;
  /** Undefined: there is no such channel. */
  readonly ingestHealth: (channelId: string) => IngestHealthView | undefined;
  /** Playlists and media without a gate. */
  readonly preview: Hono;
}

export function mountLive(app: Hono, live: LiveConsole, signedIn: (context: Context) => Promise<Session | undefined>): void {
  const door = async (context: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    if ((await signedIn(context)) === undefined) return new Response("nobody is signed in\n", { status: 401 });
    await next();
    // For this page only, whatever playlists and media allow to others.
    context.res.headers.delete("access-control-allow-origin");
    return undefined;
  };
  for (const path of ["/console/status", "/console/ingest/*", "/console/preview/*"]) app.use(path, door);
  app.post("/console/ivs/:operation", (context) =>
    answer(live.service, restJsonProtocol, context.req.param("operation"), async () => {
      const session = await signedIn(context);
      if (session === undefined) throw new ServiceError("MissingAuthenticationTokenException", 403, "nobody is signed in");
      const body = await readBody(context.req.raw, validation);
      return { accessKey: session.accessKey, input: () => parseBody(body) };
    }),
  );
  app.get("/console/status", (context) => context.json(live.status()));
  app.get("/console/ingest/:channel", (context) => {
    const health = live.ingestHealth(context.req.param("channel"));
    return health === undefined ? new Response("no such channel\n", { status: 404 }) : context.json(health);
  });
  app.route("/console/preview", live.preview);
}
