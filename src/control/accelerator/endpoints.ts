/** Endpoints of standard endpoint groups: AddEndpoints, RemoveEndpoints, and how the list of a whole group is replaced. */
import { z } from "zod";
import { WEIGHT_DEFAULT } from "../../accelerate/edge-config.ts";
import { operation } from "../aws/operation.ts";
import type { EndpointRow } from "../store/schema.ts";
import { type Change, change, touch } from "./change.ts";
import type { AcceleratorContext } from "./context.ts";
import { parseEndpointId } from "./endpoint-id.ts";
import { denied, invalidArgument, limitExceeded } from "./exceptions.ts";
import { endpointsOf, groupRow } from "./group-row.ts";
import { endpointViews } from "./group-view.ts";
import * as shapes from "./shapes.ts";

const resource = ({ EndpointGroupArn }: { readonly EndpointGroupArn: string }): string => EndpointGroupArn;

export const endpointOperations = {
  AddEndpoints: operation({
    input: z.strictObject({ EndpointConfigurations: shapes.endpointConfigurations, EndpointGroupArn: shapes.arn }),
    role: "operator",
    resource,
    async run(context: AcceleratorContext, { EndpointConfigurations, EndpointGroupArn }) {
      const added = await change(context, async (now) => {
        const group = await groupRow(now.trx, context, "standard", EndpointGroupArn);
        const before = (await endpointsOf(now.trx, [group.id])).get(group.id)!;
        const given = endpointRows(group.id, EndpointConfigurations, (before.at(-1)?.position ?? -1) + 1);
        // One that is there already keeps its place and takes what was given: who asks again after an answer was lost is not told of an error.
        const known = new Map(before.map((row) => [row.endpoint_id, row.position]));
        const rows = given.map((row) => ({ ...row, position: known.get(row.endpoint_id) ?? row.position }));
        const all = [...before.filter(({ endpoint_id }) => !rows.some((row) => row.endpoint_id === endpoint_id)), ...rows];
        await replaceEndpoints(now, context, group.id, all);
        await touch(now, group.accelerator_id);
        return rows;
      });
      const descriptions = added.length === 0 ? [] : await endpointViews(context, added[0]!.group_id, added);
      return { EndpointDescriptions: descriptions, EndpointGroupArn };
    },
  }),
  RemoveEndpoints: operation({
    input: z.strictObject({
      EndpointIdentifiers: shapes.listOf(
        z.strictObject({ EndpointId: shapes.generic, ClientIPPreservationEnabled: shapes.flag.optional() }),
        10,
        1,
      ),
      EndpointGroupArn: shapes.arn,
    }),
    role: "operator",
    resource,
    run: (context: AcceleratorContext, { EndpointIdentifiers, EndpointGroupArn }) =>
      change(context, async (now) => {
        const group = await groupRow(now.trx, context, "standard", EndpointGroupArn);
        const before = (await endpointsOf(now.trx, [group.id])).get(group.id)!;
        for (const { EndpointId, ClientIPPreservationEnabled: kept } of EndpointIdentifiers) {
          const there = before.some(
            (row) => row.endpoint_id === EndpointId && (kept === undefined || kept === (row.client_ip_preservation === 1)),
          );
          if (!there) throw invalidArgument(`the endpoint group has no endpoint '${EndpointId}'`);
        }
        const ids = EndpointIdentifiers.map(({ EndpointId }) => EndpointId);
        await now.trx.deleteFrom("endpoints").where("group_id", "=", group.id).where("endpoint_id", "in", ids).execute();
        await touch(now, group.accelerator_id);
        return undefined;
      }),
  }),
};

/** As they will be stored, from `position` on. @throws ServiceError when one is no endpoint, or is given twice */
export function endpointRows(group: string, given: readonly shapes.EndpointConfiguration[], position = 0): EndpointRow[] {
  const rows = given.map(({ EndpointId, Weight, ClientIPPreservationEnabled, AttachmentArn }, i) => {
    if (EndpointId === undefined) throw invalidArgument("an endpoint needs an EndpointId");
    if (AttachmentArn !== undefined) throw denied("there are no cross-account attachments in this installation");
    parseEndpointId(EndpointId);
    return {
      group_id: group,
      endpoint_id: EndpointId,
      position: position + i,
      weight: Weight ?? WEIGHT_DEFAULT,
      client_ip_preservation: Number(ClientIPPreservationEnabled ?? false),
      ports: "",
      allowed: "",
    };
  });
  const ids = rows.map(({ endpoint_id }) => endpoint_id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw invalidArgument(`the endpoint '${twice}' is given twice`);
  return rows;
}

/** The group has these and no others. @throws ServiceError when they are too many */
export async function replaceEndpoints(
  { trx }: Change,
  { quotas }: AcceleratorContext,
  group: string,
  rows: readonly EndpointRow[],
): Promise<void> {
  if (rows.length > quotas.endpoints) throw limitExceeded(`an endpoint group has at most ${quotas.endpoints} endpoints`);
  await trx.deleteFrom("endpoints").where("group_id", "=", group).execute();
  if (rows.length > 0) await trx.insertInto("endpoints").values(rows).execute();
}
