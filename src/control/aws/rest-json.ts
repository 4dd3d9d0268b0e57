/**
 * An API that speaks AWS's REST-JSON, as an HTTP application without a socket:
 *
 *   POST /<Operation>  {…}          →  200 {…}, 204, or an error with its name in x-amzn-ErrorType
 *   GET|POST|DELETE /tags/<arn>     the three operations of tags
 *
 * Every request is signed (signature.ts), its sender has a role, what changes something is put into the audit log. Bodies are limited to 64 KiB.
 * Source: reference/aws-live.md 1.1; an error's body carries its sentence under both names that clients look for.
 */
import { Hono } from "hono";
import type { Log } from "../../host/log.ts";
import type { Audit } from "../audit.ts";
import { type Credentials, includes } from "../credentials.ts";
import { checkInput, type Operation } from "./operation.ts";
import { accessDenied, internal, ServiceError, validation } from "./service-error.ts";
import type { SignatureCheck } from "./signature.ts";

export const BODY_BYTES_MAX = 65_536;

export interface RestJsonOptions<Context> {
  readonly operations: Readonly<Record<string, Operation<Context>>>;
  readonly context: Context;
  readonly signatures: SignatureCheck;
  readonly credentials: Credentials;
  readonly audit: Audit;
  readonly log: Log;
  /** Unix ms. */
  readonly now: () => number;
}

export function restJson<Context>(options: RestJsonOptions<Context>): Hono {
  const app = new Hono();
  const tagOperations: Readonly<Record<string, string>> = { GET: "ListTagsForResource", POST: "TagResource", DELETE: "UntagResource" };
  app.post("/:operation", (context) => answer(options, context.req.raw, context.req.param("operation")));
  app.on(["GET", "POST", "DELETE"], "/tags/:arn{.+}", (context) => answer(options, context.req.raw, tagOperations[context.req.method]!));
  app.notFound(() => errorResponse(new ServiceError("UnknownOperationException", 404, "no such operation")));
  return app;
}

async function answer<Context>(options: RestJsonOptions<Context>, request: Request, name: string): Promise<Response> {
  const { operations, context, signatures, credentials, audit, log, now } = options;
  const requestId = crypto.randomUUID();
  let accessKey = "";
  let resource = "";
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  let response: Response;
  let outcome = "ok";
  try {
    const url = new URL(request.url);
    const body = await bodyOf(request);
    ({ accessKey } = await signatures.signer({ method: request.method, url, headers: request.headers, body }, now()));
    if (operation === undefined) throw new ServiceError("UnknownOperationException", 404, `${name} is not an operation`);
    const role = (await credentials.identity(accessKey))?.role;
    if (role === undefined || !includes(role, operation.role))
      throw accessDenied(`${name} needs the role ${operation.role}; this access key is ${role}`);
    const input = checkInput(operation.input, inputOf(url, body)) as never;
    resource = operation.resource?.(input) ?? "";
    const result = await operation.run(context, input);
    response = operation.status === 204 ? new Response(null, { status: 204 }) : Response.json(result ?? {});
  } catch (error) {
    const known = error instanceof ServiceError ? error : internal();
    if (known !== error) log.error({ operation: name, requestId, error: (error as Error).stack }, "an operation failed inside");
    outcome = known.code;
    response = errorResponse(known);
  }
  // Whoever only looks leaves no trace; who was refused does.
  if (accessKey !== "" && (operation?.role !== "read-only" || outcome === "AccessDeniedException"))
    await audit.add({ at: now(), accessKey, operation: name, resource, outcome });
  response.headers.set("x-amzn-requestid", requestId);
  return response;
}

/** @throws ServiceError when it is too long */
async function bodyOf(request: Request): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX)
    throw validation(`the body is longer than ${BODY_BYTES_MAX} bytes`);
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw validation(`the body is longer than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Members of the body, and those of a tag operation that stand in the address. */
function inputOf(url: URL, body: string): unknown {
  const given = parse(body);
  if (!url.pathname.startsWith("/tags/")) return given;
  const tagKeys = url.searchParams.getAll("tagKeys");
  return { ...given, resourceArn: decodeURIComponent(url.pathname.slice("/tags/".length)), ...(tagKeys.length === 0 ? {} : { tagKeys }) };
}

function parse(body: string): object {
  if (body === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new ServiceError("SerializationException", 400, "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ServiceError("SerializationException", 400, "the body is not an object");
  return value;
}

function errorResponse({ code, status, message }: ServiceError): Response {
  return Response.json({ code, message, exceptionMessage: message }, { status, headers: { "x-amzn-errortype": code } });
}
