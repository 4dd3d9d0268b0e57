/**
 * An API that speaks AWS's JSON 1.1, as an HTTP application without a socket:
 *
 *   POST /   X-Amz-Target: <Service>_V<date>.<Operation>   {…}    →  200 {…}, or 400 {"__type": "…Exception", "Message": "…"}
 *
 * Every request is signed (signature.ts). Times are seconds, as numbers; a member that is null is one that is not given. Source: reference/aws-live.md 1.1; an
 * error carries its sentence under both names that clients look for, and its type in the header, too.
 *
 * Deviation: a member that the operation does not know is refused by name (AWS passes over it): what was asked for is done, or it is said that it is not.
 */
import { Hono } from "hono";
import { parseBody, readBody } from "./body.ts";
import { answer, type Protocol, type Service } from "./service.ts";
import { ServiceError } from "./service-error.ts";
import type { SignatureCheck } from "./signature.ts";

const TYPE = "application/x-amz-json-1.1";

export interface Json11Options {
  readonly signatures: SignatureCheck;
  /** "GlobalAccelerator_V20180706", what stands before the operation in X-Amz-Target. */
  readonly target: string;
  /** What this API calls an input that is wrong, and its own failure. */
  readonly invalid: (message: string) => ServiceError;
  readonly internal: () => ServiceError;
}

export function json11Protocol(invalid: Json11Options["invalid"], internal: Json11Options["internal"]): Protocol {
  return {
    invalid,
    internal,
    unknownOperation: (message) => new ServiceError("UnknownOperationException", 400, message),
    success: (result) => new Response(JSON.stringify(result ?? {}), { headers: { "content-type": TYPE } }),
    failure,
  };
}

export function json11<Context>(service: Service<Context>, { signatures, target, invalid, internal }: Json11Options): Hono {
  const protocol = json11Protocol(invalid, internal);
  return new Hono().post("/", ({ req: { raw: request } }) => {
    const [prefix, name = "", ...more] = (request.headers.get("x-amz-target") ?? "").split(".");
    return answer(service, protocol, prefix === target && more.length === 0 ? name : "", async () => {
      const body = await readBody(request, invalid);
      const url = new URL(request.url);
      const { accessKey } = await signatures.signer({ method: request.method, url, headers: request.headers, body }, service.now());
      return { accessKey, input: () => withoutNulls(parseBody(body)) };
    });
  });
}

function failure({ code, status, message }: ServiceError): Response {
  return new Response(JSON.stringify({ __type: code, Message: message, message }), {
    status: status < 500 ? 400 : status,
    headers: { "content-type": TYPE, "x-amzn-errortype": code },
  });
}

/** `value` without members that are null, at any depth. @throws ServiceError when it is nested deeper than any input of an operation */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEPTH_MAX) throw new ServiceError("SerializationException", 400, "the body is nested too deeply");
  if (Array.isArray(value)) return value.map((element) => withoutNulls(element, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member, depth + 1)]),
  );
}

const DEPTH_MAX = 10;
