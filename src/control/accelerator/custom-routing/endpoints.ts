/**
 * Subnets of custom routing and what may be reached in them: AddCustomRoutingEndpoints, RemoveCustomRoutingEndpoints, AllowCustomRoutingTraffic,
 * DenyCustomRoutingTraffic. Nothing may be reached until it is allowed.
 */
import { z } from "zod";
import { operation } from "../../aws/operation.ts";
import type { EndpointGroupRow, EndpointRow } from "../../store/schema.ts";
import { arnOf } from "../arn.ts";
import { type Change, change, touch } from "../change.ts";
import { overlap } from "../cidr.ts";
import type { AcceleratorContext } from "../context.ts";
import { conflicting, denied, endpointAlreadyExists, endpointNotFound, invalidArgument, limitExceeded } from "../exceptions.ts";
import { endpointsOf, groupRow, groupRowsOf } from "../group-row.ts";
import { listenerRow, rangesOf } from "../listener-row.ts";
import * as shapes from "../shapes.ts";
import { Destinations, parseSubnet } from "./destination.ts";
import { destinationsOf } from "./endpoint-groups.ts";
import { Allowed, allocate, type Span } from "./port-block.ts";

const traffic = {
  EndpointGroupArn: shapes.arn,
  EndpointId: shapes.generic,
  DestinationAddresses: shapes.listOf(shapes.text(45), 100).optional(),
  DestinationPorts: shapes.listOf(shapes.port, 100).optional(),
};
type Traffic = z.output<z.ZodObject<typeof traffic>>;

export const customRoutingEndpointOperations = {
  AddCustomRoutingEndpoints: operation({
    input: z.strictObject({
      EndpointConfigurations: shapes.listOf(
        z.strictObject({ EndpointId: shapes.generic.optional(), AttachmentArn: shapes.generic.optional() }),
        20,
        1,
      ),
      EndpointGroupArn: shapes.arn,
    }),
    role: "admin",
    resource: ({ EndpointGroupArn }) => EndpointGroupArn,
    run: (context: AcceleratorContext, { EndpointConfigurations, EndpointGroupArn }) =>
      change(context, async (now) => {
        const group = await groupRow(now.trx, context, "custom", EndpointGroupArn);
        const ids = EndpointConfigurations.map(({ EndpointId, AttachmentArn }) => {
          if (EndpointId === undefined) throw invalidArgument("an endpoint needs an EndpointId");
          if (AttachmentArn !== undefined) throw denied("there are no cross-account attachments in this installation");
          return EndpointId;
        });
        for (const id of ids) await add(now, context, group, id);
        await touch(now, group.accelerator_id);
        return { EndpointDescriptions: ids.map((EndpointId) => ({ EndpointId })), EndpointGroupArn };
      }),
  }),
  RemoveCustomRoutingEndpoints: operation({
    input: z.strictObject({ EndpointIds: shapes.listOf(shapes.generic, shapes.UNLIMITED), EndpointGroupArn: shapes.arn }),
    role: "admin",
    resource: ({ EndpointGroupArn }) => EndpointGroupArn,
    run: (context: AcceleratorContext, { EndpointIds, EndpointGroupArn }) =>
      change(context, async (now) => {
        const group = await groupRow(now.trx, context, "custom", EndpointGroupArn);
        for (const id of EndpointIds) {
          const query = now.trx.deleteFrom("endpoints").where("group_id", "=", group.id).where("endpoint_id", "=", id);
          if ((await query.executeTakeFirst()).numDeletedRows === 0n) throw endpointNotFound(`the endpoint group has no subnet '${id}'`);
        }
        await touch(now, group.accelerator_id);
        return undefined;
      }),
  }),
  AllowCustomRoutingTraffic: operation({
    input: z.strictObject({ ...traffic, AllowAllTrafficToEndpoint: shapes.flag.optional() }),
    role: "operator",
    resource: ({ EndpointGroupArn }) => EndpointGroupArn,
    run: (context: AcceleratorContext, { AllowAllTrafficToEndpoint: all = false, ...input }) => permit(context, input, all, true),
  }),
  DenyCustomRoutingTraffic: operation({
    input: z.strictObject({ ...traffic, DenyAllTrafficToEndpoint: shapes.flag.optional() }),
    role: "operator",
    resource: ({ EndpointGroupArn }) => EndpointGroupArn,
    run: (context: AcceleratorContext, { DenyAllTrafficToEndpoint: all = false, ...input }) => permit(context, input, all, false),
  }),
};

/** A subnet gets its block of the listener's ports. @throws ServiceError when there are too few left */
async function add({ trx }: Change, context: AcceleratorContext, group: EndpointGroupRow, id: string): Promise<void> {
  const listenerArn = arnOf(context.account, { accelerator: group.accelerator_id, listener: group.listener_id });
  const listener = await listenerRow(trx, context, "custom", listenerArn);
  const subnet = parseSubnet(id);
  const groups = await groupRowsOf(trx, listener);
  const all = await endpointsOf(
    trx,
    groups.map((row) => row.id),
  );
  const own = all.get(group.id)!;
  if (own.some(({ endpoint_id }) => endpoint_id === id)) throw endpointAlreadyExists(`the endpoint group has the subnet ${id}`);
  const other = own.find(({ endpoint_id }) => overlap(parseSubnet(endpoint_id), subnet));
  if (other !== undefined) throw conflicting(`${id} overlaps ${other.endpoint_id}, which the endpoint group has`);
  if (own.length >= context.quotas.endpoints) throw limitExceeded(`an endpoint group has at most ${context.quotas.endpoints} subnets`);
  const { count } = new Destinations(subnet, destinationsOf(group));
  const taken = [...all.values()].flat().flatMap(spansOf);
  const spans = allocate(rangesOf(listener), taken, count);
  if (spans === undefined) throw limitExceeded(`${id} has ${count} destinations; the listener has not so many ports left`);
  const row: EndpointRow = {
    group_id: group.id,
    endpoint_id: id,
    position: (own.at(-1)?.position ?? -1) + 1,
    weight: 0,
    client_ip_preservation: 0,
    ports: JSON.stringify(spans),
    allowed: "",
  };
  await trx.insertInto("endpoints").values(row).execute();
}

function permit(context: AcceleratorContext, input: Traffic, all: boolean, allow: boolean): Promise<undefined> {
  const { DestinationAddresses: addresses, DestinationPorts: ports } = input;
  return change(context, async (now) => {
    const group = await groupRow(now.trx, context, "custom", input.EndpointGroupArn);
    const query = now.trx.selectFrom("endpoints").selectAll().where("group_id", "=", group.id).where("endpoint_id", "=", input.EndpointId);
    const row = await query.executeTakeFirst();
    if (row === undefined) throw invalidArgument(`the endpoint group has no subnet '${input.EndpointId}'`);
    if (all && (addresses !== undefined || ports !== undefined))
      throw invalidArgument("addresses and ports cannot be named together with all traffic");
    if (!all && (addresses ?? []).length === 0)
      throw invalidArgument("DestinationAddresses must name at least one address, or all traffic");
    const destinations = new Destinations(parseSubnet(row.endpoint_id), destinationsOf(group));
    const allowed = new Allowed(destinations.count, row.allowed);
    if (all) allowed.setAll(allow);
    else for (const index of indexes(destinations, addresses!, ports)) allowed.set(index, allow);
    await now.trx
      .updateTable("endpoints")
      .set({ allowed: allowed.text })
      .where("group_id", "=", group.id)
      .where("endpoint_id", "=", row.endpoint_id)
      .execute();
    await touch(now, group.accelerator_id);
    return undefined;
  });
}

/** Of destinations that are named: each address with each port, all ports if none is. @throws ServiceError for what the subnet or the group has not */
function indexes(destinations: Destinations, addresses: readonly string[], ports: readonly number[] | undefined): number[] {
  const named = ports === undefined || ports.length === 0 ? destinations.ports : ports;
  return addresses.flatMap((address) => {
    const host = destinations.host(address);
    if (host === undefined) throw invalidArgument(`${address} is no destination of the subnet`);
    return named.map((port) => {
      const index = destinations.portIndex(port);
      if (index === undefined) throw invalidArgument(`port ${port} is not one of the endpoint group's destinations`);
      return host * destinations.ports.length + index;
    });
  });
}

/** Listener ports of a subnet. */
export const spansOf = ({ ports }: Pick<EndpointRow, "ports">): Span[] => JSON.parse(ports) as Span[];
