/** Endpoint groups of accelerators of one kind as they are stored: found by ARN, with their settings and their endpoints. */
import type { Database } from "../store/database.ts";
import type { EndpointGroupRow, EndpointRow, ListenerRow } from "../store/schema.ts";
import type { Kind } from "./accelerator-row.ts";
import { groupOf } from "./arn.ts";
import type { AcceleratorContext } from "./context.ts";
import { endpointGroupAlreadyExists, endpointGroupNotFound, invalidArgument, limitExceeded } from "./exceptions.ts";

/** Of a standard endpoint group. */
export interface GroupSettings {
  readonly dial: number;
  /** Without one: the first port of the listener, or an endpoint's own. */
  readonly checkPort?: number;
  readonly checkProtocol: string;
  readonly checkPath?: string;
  readonly interval: number;
  readonly threshold: number;
  readonly overrides: readonly PortOverride[];
}

export interface PortOverride {
  readonly ListenerPort: number;
  readonly EndpointPort: number;
}

export const settingsOf = ({ settings }: Pick<EndpointGroupRow, "settings">): GroupSettings => JSON.parse(settings) as GroupSettings;

/** @throws ServiceError when there is none at an accelerator of this kind */
export async function groupRow(
  database: Database,
  { account }: Pick<AcceleratorContext, "account">,
  kind: Kind,
  arn: string,
): Promise<EndpointGroupRow> {
  const { accelerator, listener, group } = groupOf(account, arn);
  const row = await database
    .selectFrom("endpoint_groups")
    .innerJoin("accelerators", "accelerators.id", "endpoint_groups.accelerator_id")
    .selectAll("endpoint_groups")
    .where("endpoint_groups.id", "=", group)
    .where("endpoint_groups.accelerator_id", "=", accelerator)
    .where("endpoint_groups.listener_id", "=", listener)
    .where("accelerators.kind", "=", kind)
    .executeTakeFirst();
  if (row === undefined) throw endpointGroupNotFound(`there is no endpoint group ${arn}`);
  return row;
}

/** All of a listener. */
export function groupRowsOf(
  database: Database,
  { id, accelerator_id }: Pick<ListenerRow, "id" | "accelerator_id">,
): Promise<EndpointGroupRow[]> {
  return database
    .selectFrom("endpoint_groups")
    .selectAll()
    .where("accelerator_id", "=", accelerator_id)
    .where("listener_id", "=", id)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

/** Endpoints of each group, in the order in which they were added. */
export async function endpointsOf(database: Database, groups: readonly string[]): Promise<Map<string, EndpointRow[]>> {
  const found = new Map<string, EndpointRow[]>(groups.map((id) => [id, []]));
  if (groups.length === 0) return found;
  const rows = await database.selectFrom("endpoints").selectAll().where("group_id", "in", groups).orderBy("position").execute();
  for (const row of rows) found.get(row.group_id)!.push(row);
  return found;
}

/** A listener has one group for a region, an accelerator 42 in all. @throws ServiceError */
export async function checkGroupQuota(trx: Database, { quotas }: AcceleratorContext, listener: ListenerRow, region: string): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(region))
    throw invalidArgument(`'${region}' is no region: a name of up to 64 letters, digits, periods, hyphens and underscores is`);
  const rows = await trx.selectFrom("endpoint_groups").selectAll().where("accelerator_id", "=", listener.accelerator_id).execute();
  if (rows.some((row) => row.listener_id === listener.id && row.region === region))
    throw endpointGroupAlreadyExists(`the listener has an endpoint group in ${region}`);
  if (rows.length >= quotas.endpointGroups)
    throw limitExceeded(`the accelerator has ${quotas.endpointGroups} endpoint groups, as many as are allowed`);
}

/** With its endpoints and tags. */
export async function deleteGroup(trx: Database, { id }: EndpointGroupRow, arn: string): Promise<void> {
  await trx.deleteFrom("endpoints").where("group_id", "=", id).execute();
  await trx.deleteFrom("endpoint_groups").where("id", "=", id).execute();
  await trx.deleteFrom("tags").where("arn", "=", arn).execute();
}
