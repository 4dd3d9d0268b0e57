/** Bodies of requests: at most 64 KiB, and a JSON object. */
import { ServiceError } from "./service-error.ts";

export const BODY_BYTES_MAX = 65_536;

/** @throws ServiceError, as `refuse` makes it, when it is too long */
export async function readBody(request: Request, refuse: (message: string) => ServiceError): Promise<string> {
  const tooLong = (): ServiceError => refuse(`the body is longer than ${BODY_BYTES_MAX} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) throw tooLong();
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Nothing at all is an object without members. @throws ServiceError */
export function parseBody(body: string): object {
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
