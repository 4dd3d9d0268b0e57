/** IVS's API of an installation, as an HTTP application. */
import type { Hono } from "hono";
import type { Log } from "../../host/log.ts";
import { Audit } from "../audit.ts";
import { restJson } from "../aws/rest-json.ts";
import { SignatureCheck } from "../aws/signature.ts";
import { type Credentials, secretOf } from "../credentials.ts";
import type { IvsContext } from "./context.ts";
import { ivsOperations } from "./operations.ts";

/** `now`: Unix ms, by which signatures are judged. */
export function ivsApi(context: IvsContext, credentials: Credentials, log: Log, now = context.now): Hono {
  const service = { operations: ivsOperations, context, credentials, audit: new Audit(context.database), log, now };
  return restJson(service, new SignatureCheck("ivs", secretOf(credentials)));
}
