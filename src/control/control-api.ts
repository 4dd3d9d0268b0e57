/**
 * What a control process serves, as one HTTP application:
 *
 *   POST /                        Global Accelerator's API (JSON 1.1)
 *   POST /<Operation>, /tags/…    IVS's, where a live origin is in the process (REST-JSON)
 *   GET  /healthz                 200 while the store answers
 *   /console/…                    what the console's page asks (console/console-api.ts), and the page itself
 */
import { Hono } from "hono";
import { sql } from "kysely";
import type { Database } from "./store/database.ts";

export interface ControlParts {
  readonly database: Database;
  readonly accelerator: Hono;
  readonly ivs?: Hono;
  readonly console?: Hono;
  /** What people see who open the address in a browser. */
  readonly page?: Hono;
}

export function controlApi({ database, accelerator, ivs, console, page }: ControlParts): Hono {
  const app = new Hono();
  app.get("/healthz", async () =>
    (await answers(database)) ? new Response("ok\n") : new Response("the store does not answer\n", { status: 503 }),
  );
  app.post("/", (context) => accelerator.fetch(context.req.raw));
  if (console !== undefined) app.route("/", console);
  if (page !== undefined) app.route("/", page);
  if (ivs !== undefined) app.all("*", (context) => ivs.fetch(context.req.raw));
  return app;
}

export async function answers(database: Database): Promise<boolean> {
  return sql`select 1`.execute(database).then(
    () => true,
    () => false,
  );
}
