/** Global Accelerator's API of an installation, as an HTTP application. */
import type { Hono } from "hono";
import type { Log } from "../../host/log.ts";
import { Audit } from "../audit.ts";
import { json11 } from "../aws/json-1-1.ts";
import { RequestCounts } from "../aws/request-counts.ts";
import type { Service } from "../aws/service.ts";
import { SignatureCheck } from "../aws/signature.ts";
import { type Credentials, secretOf } from "../credentials.ts";
import type { AcceleratorContext } from "./context.ts";
import { internalServiceError, invalidArgument } from "./exceptions.ts";
import { globalAcceleratorOperations } from "./operations.ts";

export interface AcceleratorService extends Service<AcceleratorContext> {
  readonly counts: RequestCounts;
  readonly signatures: SignatureCheck;
}

export function acceleratorService(context: AcceleratorContext, credentials: Credentials, log: Log): AcceleratorService {
  return {
    operations: globalAcceleratorOperations,
    context,
    credentials,
    audit: new Audit(context.database),
    log,
    counts: new RequestCounts(),
    signatures: new SignatureCheck("globalaccelerator", secretOf(credentials)),
    now: context.now,
  };
}

/** `now`: Unix ms, by which signatures are judged. */
export function acceleratorApi(service: AcceleratorService, now = service.now): Hono {
  const { signatures } = service;
  const names = { target: "GlobalAccelerator_V20180706", invalid: invalidArgument, internal: internalServiceError };
  return json11({ ...service, now }, { signatures, ...names });
}
