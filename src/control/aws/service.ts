/**
 * A request to an AWS API, whatever the wire protocol: its sender is known and has the role, its input is checked, it is done, and what changes something is put
 * into the audit log.
 *
 *   rest-json.ts, json-1-1.ts ──▶ answer ──▶ operation
 */
import type { Log } from "../../host/log.ts";
import type { Audit } from "../audit.ts";
import { type Credentials, includes } from "../credentials.ts";
import { checkInput, type Operation } from "./operation.ts";
import type { RequestCounts } from "./request-counts.ts";
import { accessDenied, ServiceError } from "./service-error.ts";

export interface Service<Context> {
  readonly operations: Readonly<Record<string, Operation<Context>>>;
  readonly context: Context;
  readonly credentials: Credentials;
  readonly audit: Audit;
  readonly log: Log;
  readonly counts?: RequestCounts;
  /** Unix ms. */
  readonly now: () => number;
}

/** What a wire protocol, and the API that speaks it, says in its own words. */
export interface Protocol {
  invalid(message: string): ServiceError;
  internal(): ServiceError;
  unknownOperation(message: string): ServiceError;
  success(result: object | undefined, operation: Pick<Operation<never>, "status">): Response;
  failure(error: ServiceError): Response;
}

/** Who asks, and what for: read once it is known who asks. */
export interface Asked {
  readonly accessKey: string;
  input(): unknown;
}

/** `ask` tells who it is. @throws nothing: whatever goes wrong is an answer */
export async function answer<Context>(
  { operations, context, credentials, audit, log, counts, now }: Service<Context>,
  protocol: Protocol,
  name: string,
  ask: () => Promise<Asked>,
): Promise<Response> {
  const requestId = crypto.randomUUID();
  let accessKey = "";
  let resource = "";
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  let response: Response;
  let outcome = "ok";
  try {
    const asked = await ask();
    accessKey = asked.accessKey;
    if (operation === undefined) throw protocol.unknownOperation(`${name} is not an operation`);
    const role = (await credentials.identity(accessKey))?.role;
    if (role === undefined || !includes(role, operation.role))
      throw accessDenied(`${name} needs the role ${operation.role}; this access key is ${role}`);
    const input = checkInput(operation.input, asked.input(), protocol.invalid) as never;
    resource = operation.resource?.(input) ?? "";
    response = protocol.success(await operation.run(context, input), operation);
  } catch (error) {
    const known = error instanceof ServiceError ? error : protocol.internal();
    if (known !== error) log.error({ operation: name, requestId, error: (error as Error).stack }, "an operation failed inside");
    outcome = known.code;
    response = protocol.failure(known);
  }
  counts?.add(operation === undefined ? "unknown" : name, outcome);
  // Whoever only looks leaves no trace; who was refused does.
  if (accessKey !== "" && (operation?.role !== "read-only" || outcome === "AccessDeniedException"))
    await audit.add({ at: now(), accessKey, operation: name.slice(0, NAME_MAX), resource, outcome });
  response.headers.set("x-amzn-requestid", requestId);
  return response;
}

/** Of a name that is no operation's, so much is kept. */
const NAME_MAX = 100;
