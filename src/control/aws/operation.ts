/** An operation of an AWS API: what it takes, who may call it, what it does. */
import type { z } from "zod";
import type { Role } from "../credentials.ts";
import type { ServiceError } from "./service-error.ts";

export interface Operation<Context, Input = never> {
  readonly input: z.ZodType<Input>;
  readonly role: Role;
  /** Default 200; 204 answers nothing. */
  readonly status?: 200 | 204;
  /** What it was about, for the audit log. */
  resource?(input: NoInfer<Input>): string;
  run(context: Context, input: Input): Promise<object | undefined> | object | undefined;
}

/** With the type of its input inferred from the schema. */
export function operation<Context, Input>(definition: Operation<Context, Input>): Operation<Context> {
  return definition as unknown as Operation<Context>;
}

/** @throws ServiceError, as `invalid` makes it, with AWS's sentence for all that is wrong */
export function checkInput<Input>(schema: z.ZodType<Input>, given: unknown, invalid: (message: string) => ServiceError): Input {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw invalid(sentence(result.error.issues));
}

function sentence(issues: readonly z.core.$ZodIssue[]): string {
  const count = issues.length === 1 ? "1 validation error" : `${issues.length} validation errors`;
  const details = issues.map(
    ({ path, message }) => `Value at '${path.map(String).join(".") || "body"}' failed to satisfy constraint: ${message}`,
  );
  return `${count} detected: ${details.join("; ")}`.slice(0, MESSAGE_MAX);
}

const MESSAGE_MAX = 1000;
