/** IVS's API of an installation, as an HTTP application. */
import type { Hono } from "hono";
import type { Log } from "../../host/log.ts";
import { Audit } from "../audit.ts";
import { restJson } from "../aws/rest-json.ts";
import type { Service } from "../aws/service.ts";
import { SignatureCheck } from "../aws/signature.ts";
import { type Credentials, secretOf } from "../credentials.ts";
import type { IvsContext } from "./context.ts";
import { ivsOperations } from "./operations.ts";

export function ivsService(context: IvsContext, credentials: Credentials, log: Log, now = context.now): Service<IvsContext> {
  return { operations: ivsOperations, context, credentials, audit: new Audit(context.database), log, now };
}

/** `now`: Unix ms, by which signatures are judged. */
export function ivsApi(context: IvsContext, credentials: Credentials, log: Log, now = context.now): Hono {
  return restJson(ivsService(context, credentials, log, now), new SignatureCheck("ivs", secretOf(credentials)));
}
