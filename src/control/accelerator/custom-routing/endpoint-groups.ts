/**
 * Endpoint groups of custom routing: CreateCustomRoutingEndpointGroup, DescribeCustomRoutingEndpointGroup, DeleteCustomRoutingEndpointGroup,
 * ListCustomRoutingEndpointGroups. What their destinations are is said once: it decides the mapping of ports, which never changes.
 */
import { z } from "zod";
import { operation } from "../../aws/operation.ts";
import { randomId } from "../../random-id.ts";
import type { Database } from "../../store/database.ts";
import type { EndpointGroupRow } from "../../store/schema.ts";
import { type Change, change, touch } from "../change.ts";
import type { AcceleratorContext } from "../context.ts";
import { invalidPortRange } from "../exceptions.ts";
import { checkGroupQuota, deleteGroup, endpointsOf, groupRow } from "../group-row.ts";
import { groupArn } from "../group-view.ts";
import { once } from "../idempotency.ts";
import { listenerRow } from "../listener-row.ts";
import { described } from "../made.ts";
import { pageOf } from "../paging.ts";
import { overlaps, shown } from "../port-range.ts";
import * as shapes from "../shapes.ts";
import type { DestinationConfiguration } from "./destination.ts";

const HEX = "0123456789abcdef";

const createInput = z.strictObject({
  ListenerArn: shapes.arn,
  EndpointGroupRegion: shapes.generic,
  DestinationConfigurations: shapes.listOf(
    z.strictObject({ FromPort: shapes.port, ToPort: shapes.port, Protocols: shapes.listOf(shapes.protocol, 2, 1) }),
    100,
    1,
  ),
  IdempotencyToken: shapes.idempotencyToken,
});
const arnInput = z.strictObject({ EndpointGroupArn: shapes.arn });

async function one(context: AcceleratorContext, arn: string) {
  const row = await groupRow(context.database, context, "custom", arn);
  return { EndpointGroup: (await views(context.database, context, [row]))[0] };
}

export const customRoutingEndpointGroupOperations = {
  CreateCustomRoutingEndpointGroup: operation({
    input: createInput,
    role: "admin",
    resource: ({ ListenerArn }) => ListenerArn,
    async run(context: AcceleratorContext, input) {
      const made = await change(context, (now) =>
        once(now.trx, context, "create custom routing endpoint group", input, () => create(now, context, input)),
      );
      return described(made, (arn) => one(context, arn));
    },
  }),
  DescribeCustomRoutingEndpointGroup: operation({
    input: arnInput,
    role: "read-only",
    run: (context: AcceleratorContext, { EndpointGroupArn }) => one(context, EndpointGroupArn),
  }),
  DeleteCustomRoutingEndpointGroup: operation({
    input: arnInput,
    role: "admin",
    resource: ({ EndpointGroupArn }) => EndpointGroupArn,
    run: (context: AcceleratorContext, { EndpointGroupArn }) =>
      change(context, async (now) => {
        const row = await groupRow(now.trx, context, "custom", EndpointGroupArn);
        await deleteGroup(now.trx, row, EndpointGroupArn);
        await touch(now, row.accelerator_id);
        return undefined;
      }),
  }),
  ListCustomRoutingEndpointGroups: operation({
    input: z.strictObject({ ListenerArn: shapes.arn, ...shapes.paging }),
    role: "read-only",
    async run(context: AcceleratorContext, { ListenerArn, ...paging }) {
      const { database } = context;
      const listener = await listenerRow(database, context, "custom", ListenerArn);
      const query = database.selectFrom("endpoint_groups").selectAll().where("accelerator_id", "=", listener.accelerator_id);
      const { rows, ...rest } = await pageOf(query.where("listener_id", "=", listener.id), paging);
      return { EndpointGroups: await views(database, context, rows), ...rest };
    },
  }),
};

export const destinationsOf = ({ settings }: Pick<EndpointGroupRow, "settings">): DestinationConfiguration[] =>
  (JSON.parse(settings) as { readonly destinations: DestinationConfiguration[] }).destinations;

async function create(now: Change, context: AcceleratorContext, input: z.output<typeof createInput>): Promise<string> {
  const listener = await listenerRow(now.trx, context, "custom", input.ListenerArn);
  const destinations = checkedDestinations(input.DestinationConfigurations);
  await checkGroupQuota(now.trx, context, listener, input.EndpointGroupRegion);
  const row: EndpointGroupRow = {
    id: randomId(12, HEX),
    accelerator_id: listener.accelerator_id,
    listener_id: listener.id,
    region: input.EndpointGroupRegion,
    settings: JSON.stringify({ destinations }),
    created_at: now.at,
  };
  await now.trx.insertInto("endpoint_groups").values(row).execute();
  await touch(now, row.accelerator_id);
  return groupArn(context, row);
}

/** Ranges in order, of which none has a port and a protocol of another. */
function checkedDestinations(given: readonly DestinationConfiguration[]): readonly DestinationConfiguration[] {
  given.forEach((one, i) => {
    if (one.FromPort > one.ToPort) throw invalidPortRange(`${one.FromPort}-${one.ToPort} is no port range: it begins after its end`);
    const other = given
      .slice(0, i)
      .find((earlier) => overlaps(earlier, one) && earlier.Protocols.some((protocol) => one.Protocols.includes(protocol)));
    if (other !== undefined) throw invalidPortRange(`destination port ranges ${shown(other)} and ${shown(one)} overlap`);
  });
  return given;
}

async function views(database: Database, context: AcceleratorContext, rows: readonly EndpointGroupRow[]): Promise<object[]> {
  const endpoints = await endpointsOf(
    database,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    EndpointGroupArn: groupArn(context, row),
    EndpointGroupRegion: row.region,
    DestinationDescriptions: destinationsOf(row),
    EndpointDescriptions: endpoints.get(row.id)!.map(({ endpoint_id }) => ({ EndpointId: endpoint_id })),
  }));
}
