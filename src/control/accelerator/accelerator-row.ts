/** Accelerators of one kind as they are stored: found by ARN, counted, listed. */
import type { Database } from "../store/database.ts";
import type { AcceleratorRow } from "../store/schema.ts";
import { acceleratorOf } from "./arn.ts";
import type { AcceleratorContext } from "./context.ts";
import { acceleratorNotFound } from "./exceptions.ts";

/** Those of the other kind are not there for an operation. */
export type Kind = "standard" | "custom";

/** @throws ServiceError when there is none of this kind */
export async function acceleratorRow(
  database: Database,
  { account }: Pick<AcceleratorContext, "account">,
  kind: Kind,
  arn: string,
): Promise<AcceleratorRow> {
  const { accelerator } = acceleratorOf(account, arn);
  const row = await database
    .selectFrom("accelerators")
    .selectAll()
    .where("id", "=", accelerator)
    .where("kind", "=", kind)
    .executeTakeFirst();
  if (row === undefined) throw acceleratorNotFound(`there is no accelerator ${arn}`);
  return row;
}

export async function countAccelerators(database: Database, kind: Kind): Promise<number> {
  const query = database
    .selectFrom("accelerators")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("kind", "=", kind);
  return Number((await query.executeTakeFirstOrThrow()).n);
}
