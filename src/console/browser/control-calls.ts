/** What the page asks of its control process. Who is signed in, the browser's cookie says; no script sees a secret once it was sent. */
import type { ConsoleEdges } from "../../control/console/console-api.ts";
import type { Session } from "../../control/console/sessions.ts";
import type { IngestHealthView } from "../../control/live/ingest-health.ts";

/** Nobody is signed in, or not any more. */
export class SignedOut extends Error {}

/** What no other site's page can send. */
export const ours = { "x-longhaul-console": "1" } as const;

async function ask(method: string, path: string, body?: object): Promise<Response> {
  const response = await fetch(path, {
    method,
    headers: { ...ours, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    cache: "no-store",
  });
  if (response.ok) return response;
  const problem = response.headers.get("content-type")?.includes("json")
    ? ((await response.json()) as { __type?: string; code?: string; message: string })
    : undefined;
  if (response.status === 401 || (problem?.__type ?? problem?.code) === "MissingAuthenticationTokenException")
    throw new SignedOut(problem?.message ?? "signed out");
  throw new Error(problem?.message ?? `the server answers ${response.status}`);
}

export async function session(): Promise<Session> {
  return (await (await ask("GET", "/console/session")).json()) as Session;
}

export async function signIn(accessKeyId: string, secretAccessKey: string): Promise<void> {
  await ask("POST", "/console/session", { accessKeyId, secretAccessKey });
}

export async function signOut(): Promise<void> {
  await ask("DELETE", "/console/session");
}

export async function edges(): Promise<ConsoleEdges> {
  return (await (await ask("GET", "/console/edges")).json()) as ConsoleEdges;
}

/** An operation of Global Accelerator's API. */
export async function call<Answer>(operation: string, input: object): Promise<Answer> {
  return (await (await ask("POST", `/console/api/${operation}`, input)).json()) as Answer;
}

/** An operation of IVS's API. */
export async function ivsCall<Answer>(operation: string, input: object): Promise<Answer> {
  const response = await ask("POST", `/console/ivs/${operation}`, input);
  return (response.status === 204 ? {} : await response.json()) as Answer;
}

export async function ingestHealth(channelId: string): Promise<IngestHealthView> {
  return (await (await ask("GET", `/console/ingest/${channelId}`)).json()) as IngestHealthView;
}
