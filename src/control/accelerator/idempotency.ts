/**
 * Tokens of Create operations: a call that comes again with the same token and the same input is answered with what the first one made; with another input it is
 * refused. Kept for a day, and at most 10,000 of them: what a client repeats, it repeats within minutes.
 */
import { createHash } from "node:crypto";
import type { Database } from "../store/database.ts";
import type { AcceleratorContext } from "./context.ts";
import { invalidArgument } from "./exceptions.ts";

const DAY_MS = 86_400_000;
const TOKENS_MAX = 10_000;

export interface Tokened {
  readonly IdempotencyToken: string;
}

/** Within a change: the ARN of what this token made, or what `make` makes now. @throws ServiceError when it stood for something else */
export async function once(
  trx: Database,
  { now }: Pick<AcceleratorContext, "now">,
  operation: string,
  { IdempotencyToken: token, ...input }: Tokened,
  make: () => Promise<string>,
): Promise<{ readonly arn: string; readonly again: boolean }> {
  const at = now();
  await sweep(trx, at);
  const digest = createHash("sha256").update(stable(input)).digest("hex");
  const known = await trx
    .selectFrom("idempotency_tokens")
    .selectAll()
    .where("operation", "=", operation)
    .where("token", "=", token)
    .executeTakeFirst();
  if (known !== undefined) {
    if (known.digest === digest) return { arn: known.resource, again: true };
    throw invalidArgument("the idempotency token was used before, with other parameters");
  }
  const arn = await make();
  await trx.insertInto("idempotency_tokens").values({ operation, token, digest, resource: arn, at }).execute();
  return { arn, again: false };
}

async function sweep(trx: Database, at: number): Promise<void> {
  const beyond = await trx
    .selectFrom("idempotency_tokens")
    .select("at")
    .orderBy("at", "desc")
    .offset(TOKENS_MAX)
    .limit(1)
    .executeTakeFirst();
  const oldest = Math.max(at - DAY_MS, beyond?.at ?? 0);
  await trx.deleteFrom("idempotency_tokens").where("at", "<", oldest).execute();
}

/** The same text for the same members in any order. */
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${stable(member)}`)
    .join()}}`;
}
