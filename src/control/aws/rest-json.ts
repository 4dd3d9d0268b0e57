/**
 * An API that speaks AWS's REST-JSON, as an HTTP application without a socket:
 *
 *   POST /<Operation>  {…}          →  200 {…}, 204, or an error with its name in x-amzn-ErrorType
 *   GET|POST|DELETE /tags/<arn>     the three operations of tags
 *
 * Every request is signed (signature.ts). Source: reference/aws-live.md 1.1; an error's body carries its sentence under both names that clients look for.
 */
import { Hono } from "hono";
import { parseBody, readBody } from "./body.ts";
import { answer, type Protocol, type Service } from "./service.ts";
import { internal, ServiceError, validation } from "./service-error.ts";
import type { SignatureCheck } from "./signature.ts";

export function restJson<Context>(service: Service<Context>, signatures: SignatureCheck): Hono {
  const app = new Hono();
  const respond = (request: Request, name: string): Promise<Response> =>
    answer(service, restJsonProtocol, name, async () => {
      const url = new URL(request.url);
      const body = await readBody(request, validation);
      const { accessKey } = await signatures.signer({ method: request.method, url, headers: request.headers, body }, service.now());
      return { accessKey, input: () => inputOf(url, body) };
    });
  const tagOperations: Readonly<Record<string, string>> = { GET: "ListTagsForResource", POST: "TagResource", DELETE: "UntagResource" };
  app.post("/:operation", (context) => respond(context.req.raw, context.req.param("operation")));
  app.on(["GET", "POST", "DELETE"], "/tags/:arn{.+}", (context) => respond(context.req.raw, tagOperations[context.req.method]!));
  app.notFound(() => restJsonProtocol.failure(restJsonProtocol.unknownOperation("no such operation")));
  return app;
}

/** How errors and answers are said. */
export const restJsonProtocol: Protocol = {
  invalid: validation,
  internal,
  unknownOperation: (message) => new ServiceError("UnknownOperationException", 404, message),
  success: (result, { status }) => (status === 204 ? new Response(null, { status }) : Response.json(result ?? {})),
  failure: ({ code, status, message }) =>
    Response.json({ code, message, exceptionMessage: message }, { status, headers: { "x-amzn-errortype": code } }),
};

/** Members of the body, and those of a tag operation that stand in the address. */
function inputOf(url: URL, body: string): unknown {
  const given = parseBody(body);
  if (!url.pathname.startsWith("/tags/")) return given;
  const tagKeys = url.searchParams.getAll("tagKeys");
  return { ...given, resourceArn: decodeURIComponent(url.pathname.slice("/tags/".length)), ...(tagKeys.length === 0 ? {} : { tagKeys }) };
}
