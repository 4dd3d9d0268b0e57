/**
 * Which listener port leads where: ListCustomRoutingPortMappings (of an accelerator, or of one endpoint group), ListCustomRoutingPortMappingsByDestination (of an
 * address, in whatever accelerators have its subnet). In pages of up to 20,000, by subnet in the order of groups, then by listener port; a page's token is the
 * place of what follows, and stays right while subnets come and go.
 */
import { z } from "zod";
import { operation } from "../../aws/operation.ts";
import type { Database } from "../../store/database.ts";
import type { EndpointGroupRow, EndpointRow } from "../../store/schema.ts";
import { acceleratorRow } from "../accelerator-row.ts";
import { addressesOf } from "../accelerator-view.ts";
import { arnOf } from "../arn.ts";
import { canonical } from "../cidr.ts";
import type { AcceleratorContext } from "../context.ts";
import { endpointGroupNotFound, endpointNotFound, invalidArgument, invalidNextToken } from "../exceptions.ts";
import { endpointsOf, groupRow } from "../group-row.ts";
import { groupArn } from "../group-view.ts";
import * as shapes from "../shapes.ts";
import { Destinations, parseSubnet } from "./destination.ts";
import { destinationsOf } from "./endpoint-groups.ts";
import { spansOf } from "./endpoints.ts";
import { Allowed, portsOf } from "./port-block.ts";

export const portMappingOperations = {
  ListCustomRoutingPortMappings: operation({
    input: z.strictObject({ AcceleratorArn: shapes.arn, EndpointGroupArn: shapes.arn.optional(), ...shapes.mappingPaging }),
    role: "read-only",
    async run(context: AcceleratorContext, { AcceleratorArn, EndpointGroupArn, MaxResults = shapes.PAGE_DEFAULT, NextToken }) {
      const { database } = context;
      const { id } = await acceleratorRow(database, context, "custom", AcceleratorArn);
      const groups =
        EndpointGroupArn === undefined ? await groupsOf(database, id) : [await groupOfAccelerator(database, context, id, EndpointGroupArn)];
      const mapped = await subnetsOf(database, groups);
      const { items, NextToken: next } = slice(mapped, MaxResults, NextToken);
      const PortMappings = items.flatMap(({ subnet, first, count }) => mappings(context, subnet, first, count));
      return { PortMappings, ...next };
    },
  }),
  ListCustomRoutingPortMappingsByDestination: operation({
    input: z.strictObject({ EndpointId: shapes.generic, DestinationAddress: shapes.generic, ...shapes.mappingPaging }),
    role: "read-only",
    async run(context: AcceleratorContext, { EndpointId, DestinationAddress, MaxResults = shapes.PAGE_DEFAULT, NextToken }) {
      const { database } = context;
      const groups = await groupsWith(database, EndpointId);
      if (groups.length === 0) throw endpointNotFound(`there is no subnet '${EndpointId}'`);
      const subnets = (await subnetsOf(database, groups)).filter(({ row }) => row.endpoint_id === EndpointId);
      const host = subnets[0]!.destinations.host(canonical(DestinationAddress));
      if (host === undefined) throw invalidArgument(`${DestinationAddress} is no destination of ${EndpointId}`);
      const own = subnets.map((subnet) => {
        const ports = subnet.destinations.ports.length;
        return { ...subnet, first: host * ports, count: ports };
      });
      const { items, NextToken: next } = slice(own, MaxResults, NextToken);
      const addresses = await addressesOf(database, [...new Set(groups.map(({ accelerator_id }) => accelerator_id))]);
      const DestinationPortMappings = items.flatMap(({ subnet, first, count }) =>
        byDestination(context, subnet, first, count, addresses.get(subnet.group.accelerator_id)!),
      );
      return { DestinationPortMappings, ...next };
    },
  }),
};

interface Subnet {
  readonly group: EndpointGroupRow;
  readonly row: EndpointRow;
  readonly destinations: Destinations;
  /** The destinations that are listed. */
  readonly first: number;
  readonly count: number;
}

interface Slice {
  readonly subnet: Subnet;
  readonly first: number;
  readonly count: number;
}

/** Of all that is listed, a page. The token names group, subnet, and how many destinations of it have been told. */
function slice(subnets: readonly Subnet[], most: number, token: string | undefined): { items: Slice[]; NextToken: { NextToken?: string } } {
  const place = token === undefined || token === "" ? undefined : Buffer.from(token, "base64url").toString("latin1").split(" ");
  if (place !== undefined && (place.length !== 3 || !/^\d{1,5}$/.test(place[2]!)))
    throw invalidNextToken("the token is not one that was given");
  const [group, endpoint, told] = place ?? [];
  const at = place === undefined ? 0 : subnets.findIndex(({ row }) => row.group_id === group && row.endpoint_id === endpoint);
  if (at < 0) throw invalidNextToken("the subnet at which the list was to go on has been removed; begin again");
  const items: Slice[] = [];
  let left = most;
  for (const [i, subnet] of subnets.slice(at).entries()) {
    const done = i === 0 ? Number(told ?? 0) : 0;
    const count = Math.min(left, subnet.count - done);
    if (count > 0) items.push({ subnet, first: subnet.first + done, count });
    left -= count;
    const more = done + count < subnet.count ? done + count : undefined;
    if (left === 0 && (more !== undefined || at + i + 1 < subnets.length)) {
      const { row } = more === undefined ? subnets[at + i + 1]! : subnet;
      const NextToken = Buffer.from(`${row.group_id} ${row.endpoint_id} ${more ?? 0}`, "latin1").toString("base64url");
      return { items, NextToken: { NextToken } };
    }
  }
  return { items, NextToken: {} };
}

function mappings(context: AcceleratorContext, { group, row, destinations }: Subnet, first: number, count: number): object[] {
  const allowed = new Allowed(destinations.count, row.allowed);
  const EndpointGroupArn = groupArn(context, group);
  return [...portsOf(spansOf(row), first, count)].map((AcceleratorPort, i) => {
    const { address, port, protocols } = destinations.at(first + i);
    return {
      AcceleratorPort,
      EndpointGroupArn,
      EndpointId: row.endpoint_id,
      DestinationSocketAddress: { IpAddress: address, Port: port },
      Protocols: protocols,
      DestinationTrafficState: allowed.has(first + i) ? "ALLOW" : "DENY",
    };
  });
}

function byDestination(
  context: AcceleratorContext,
  { group, row, destinations }: Subnet,
  first: number,
  count: number,
  addresses: readonly string[],
): object[] {
  const allowed = new Allowed(destinations.count, row.allowed);
  return [...portsOf(spansOf(row), first, count)].map((listenerPort, i) => {
    const { address, port } = destinations.at(first + i);
    return {
      AcceleratorArn: arnOf(context.account, { accelerator: group.accelerator_id }),
      AcceleratorSocketAddresses: addresses.map((IpAddress) => ({ IpAddress, Port: listenerPort })),
      EndpointGroupArn: groupArn(context, group),
      EndpointId: row.endpoint_id,
      EndpointGroupRegion: group.region,
      DestinationSocketAddress: { IpAddress: address, Port: port },
      IpAddressType: "IPV4",
      DestinationTrafficState: allowed.has(first + i) ? "ALLOW" : "DENY",
    };
  });
}

function groupsOf(database: Database, accelerator: string): Promise<EndpointGroupRow[]> {
  const query = database.selectFrom("endpoint_groups").selectAll().where("accelerator_id", "=", accelerator);
  return query.orderBy("created_at").orderBy("id").execute();
}

/** Groups of custom routing that have the subnet. */
function groupsWith(database: Database, endpointId: string): Promise<EndpointGroupRow[]> {
  return database
    .selectFrom("endpoint_groups")
    .innerJoin("endpoints", "endpoints.group_id", "endpoint_groups.id")
    .innerJoin("accelerators", "accelerators.id", "endpoint_groups.accelerator_id")
    .selectAll("endpoint_groups")
    .where("endpoints.endpoint_id", "=", endpointId)
    .where("accelerators.kind", "=", "custom")
    .orderBy("endpoint_groups.created_at")
    .orderBy("endpoint_groups.id")
    .execute();
}

async function groupOfAccelerator(
  database: Database,
  context: AcceleratorContext,
  accelerator: string,
  arn: string,
): Promise<EndpointGroupRow> {
  const group = await groupRow(database, context, "custom", arn);
  if (group.accelerator_id !== accelerator) throw endpointGroupNotFound(`the accelerator has no endpoint group ${arn}`);
  return group;
}

async function subnetsOf(database: Database, groups: readonly EndpointGroupRow[]): Promise<Subnet[]> {
  const endpoints = await endpointsOf(
    database,
    groups.map(({ id }) => id),
  );
  return groups.flatMap((group) =>
    endpoints.get(group.id)!.map((row) => {
      const destinations = new Destinations(parseSubnet(row.endpoint_id), destinationsOf(group));
      return { group, row, destinations, first: 0, count: destinations.count };
    }),
  );
}
