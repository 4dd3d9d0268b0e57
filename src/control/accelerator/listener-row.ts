/** Listeners of accelerators of one kind as they are stored: found by ARN; their ranges. */
import type { Database } from "../store/database.ts";
import type { ListenerRow } from "../store/schema.ts";
import type { Kind } from "./accelerator-row.ts";
import { listenerOf } from "./arn.ts";
import type { AcceleratorContext } from "./context.ts";
import { limitExceeded, listenerNotFound } from "./exceptions.ts";
import type { PortRange } from "./port-range.ts";

/** @throws ServiceError when there is none at an accelerator of this kind */
export async function listenerRow(
  database: Database,
  { account }: Pick<AcceleratorContext, "account">,
  kind: Kind,
  arn: string,
): Promise<ListenerRow> {
  const { accelerator, listener } = listenerOf(account, arn);
  const row = await database
    .selectFrom("listeners")
    .innerJoin("accelerators", "accelerators.id", "listeners.accelerator_id")
    .selectAll("listeners")
    .where("listeners.id", "=", listener)
    .where("accelerators.id", "=", accelerator)
    .where("accelerators.kind", "=", kind)
    .executeTakeFirst();
  if (row === undefined) throw listenerNotFound(`there is no listener ${arn}`);
  return row;
}

/** All of an accelerator. */
export function listenersOf(database: Database, accelerator: string): Promise<ListenerRow[]> {
  return database
    .selectFrom("listeners")
    .selectAll()
    .where("accelerator_id", "=", accelerator)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

export const rangesOf = ({ port_ranges }: Pick<ListenerRow, "port_ranges">): PortRange[] => JSON.parse(port_ranges) as PortRange[];

/** @throws ServiceError when the accelerator has as many as are allowed */
export async function checkListenerQuota(trx: Database, { quotas }: AcceleratorContext, accelerator: string): Promise<void> {
  if ((await listenersOf(trx, accelerator)).length >= quotas.listeners)
    throw limitExceeded(`the accelerator has ${quotas.listeners} listeners, as many as are allowed`);
}

/** With its tags; groups must be gone. */
export async function deleteListener(trx: Database, { id, accelerator_id }: ListenerRow, arn: string): Promise<void> {
  await trx.deleteFrom("listeners").where("id", "=", id).where("accelerator_id", "=", accelerator_id).execute();
  await trx.deleteFrom("tags").where("arn", "=", arn).execute();
}
