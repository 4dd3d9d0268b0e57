/** IVS's API of an installation, as an HTTP application. */
import type { Hono } from "hono";
import type { Log } from "../../host/log.ts";
import { Audit } from "../audit.ts";
import { restJson } from "../aws/rest-json.ts";
import { SignatureCheck } from "../aws/signature.ts";
import type { Credentials } from "../credentials.ts";
import type { IvsContext } from "./context.ts";
import { ivsOperations } from "./operations.ts";

/** `now`: Unix ms, by which signatures are judged. */
export function ivsApi(context: IvsContext, credentials: Credentials, log: Log, now = context.now): Hono {
  const secretOf = async (id: string): Promise<string | undefined> => (await credentials.identity(id))?.secret;
  return restJson({
    operations: ivsOperations,
    context,
    signatures: new SignatureCheck("ivs", secretOf),
    credentials,
    audit: new Audit(context.database),
    log,
    now,
  });
}
