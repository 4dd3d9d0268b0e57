/** Global Accelerator's API of an installation, as an HTTP application. */
import type { Hono } from "hono";
import type { Log } from "../../host/log.ts";
import { Audit } from "../audit.ts";
import { json11 } from "../aws/json-1-1.ts";
import type { Service } from "../aws/service.ts";
import { SignatureCheck } from "../aws/signature.ts";
import { type Credentials, secretOf } from "../credentials.ts";
import type { AcceleratorContext } from "./context.ts";
import { internalServiceError, invalidArgument } from "./exceptions.ts";
import { globalAcceleratorOperations } from "./operations.ts";

export function acceleratorService(context: AcceleratorContext, credentials: Credentials, log: Log): Service<AcceleratorContext> {
  return { operations: globalAcceleratorOperations, context, credentials, audit: new Audit(context.database), log, now: context.now };
}

/** `now`: Unix ms, by which signatures are judged. */
export function acceleratorApi(service: Service<AcceleratorContext>, now = service.now): Hono {
  const signatures = new SignatureCheck("globalaccelerator", secretOf(service.credentials));
  return json11(
    { ...service, now },
    { signatures, target: "GlobalAccelerator_V20180706", invalid: invalidArgument, internal: internalServiceError },
  );
}
