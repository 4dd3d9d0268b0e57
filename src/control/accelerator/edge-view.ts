/**
 * What is stored, as edges are to serve it: the whole configuration at a revision (accelerate/edge-config.ts).
 *
 * Addresses of an own range that is not advertised are left out: edges announce what they serve. A listener of custom routing becomes one for each protocol;
 * a run of its ports that lead to ports in a row of one address, all of them allowed, becomes a route.
 */
import type {
  AcceleratorConfig,
  EdgeConfigInput,
  EndpointConfig,
  GroupConfig,
  ListenerConfig,
  Route,
} from "../../accelerate/edge-config.ts";
import { type Database, revisionOf } from "../store/database.ts";
import type { AcceleratorRow, EndpointGroupRow, EndpointRow, ListenerRow } from "../store/schema.ts";
import type { Tags } from "../tags.ts";
import { dnsName } from "./accelerator-view.ts";
import { arnOf } from "./arn.ts";
import { contains, parseCidr } from "./cidr.ts";
import type { AcceleratorContext } from "./context.ts";
import { Destinations, parseSubnet, type TransportProtocol } from "./custom-routing/destination.ts";
import { destinationsOf } from "./custom-routing/endpoint-groups.ts";
import { spansOf } from "./custom-routing/endpoints.ts";
import { Allowed, portsOf } from "./custom-routing/port-block.ts";
import { parseEndpointId } from "./endpoint-id.ts";
import { settingsOf } from "./group-row.ts";
import { rangesOf } from "./listener-row.ts";
import { groupSettingsOf, policyOf } from "./tag-settings.ts";

type Input = NonNullable<EdgeConfigInput["accelerators"]>[number];
type Context = Pick<AcceleratorContext, "database" | "account" | "domain">;

/** The number that grows with every change of what edges are to serve. */
export function acceleratorRevision(database: Database): Promise<number> {
  return revisionOf(database, "accelerator");
}

/** Read until nothing changed meanwhile; after some tries, what was read is told under the older number, and what is newer follows. */
const TRIES = 5;

export async function edgeView(context: Context): Promise<EdgeConfigInput> {
  for (let left = TRIES; ; left--) {
    const revision = await acceleratorRevision(context.database);
    const accelerators = await compile(context);
    if (left <= 1 || (await acceleratorRevision(context.database)) === revision) return { revision, accelerators };
  }
}

async function compile(context: Context): Promise<Input[]> {
  const { database } = context;
  const [rows, addresses, listeners, groups, endpoints, tagRows, cidrs] = await Promise.all([
    database.selectFrom("accelerators").selectAll().orderBy("created_at").orderBy("id").execute(),
    database.selectFrom("accelerator_addresses").selectAll().orderBy("position").execute(),
    database.selectFrom("listeners").selectAll().orderBy("created_at").orderBy("id").execute(),
    database.selectFrom("endpoint_groups").selectAll().orderBy("created_at").orderBy("id").execute(),
    database.selectFrom("endpoints").selectAll().orderBy("position").execute(),
    database.selectFrom("tags").selectAll().where("arn", "like", "arn:aws:globalaccelerator:%").execute(),
    database.selectFrom("byoip_cidrs").select(["id", "state"]).execute(),
  ]);
  const silent = cidrs.filter(({ state }) => state !== "ADVERTISING").map(({ id }) => parseCidr(id)!);
  const tags = new Map<string, Tags>();
  for (const { arn, key, value } of tagRows) tags.set(arn, { ...tags.get(arn), [key]: value });
  const stored: Stored = {
    listeners: groupBy(listeners, ({ accelerator_id }) => accelerator_id),
    groups: groupBy(groups, ({ accelerator_id, listener_id }) => `${accelerator_id} ${listener_id}`),
    endpoints: groupBy(endpoints, ({ group_id }) => group_id),
    tagsOf: (parts) => tags.get(arnOf(context.account, parts)) ?? {},
  };
  const addressesOf = groupBy(addresses, ({ accelerator_id }) => accelerator_id);
  return rows.flatMap((row) => {
    const own = (addressesOf.get(row.id) ?? [])
      .map(({ address }) => address)
      .filter((address) => !silent.some((range) => contains(range, address)));
    return own.length === 0 ? [] : [acceleratorView(context, stored, row, own)];
  });
}

/** Map.groupBy, which the package's oldest library does not promise. */
function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

interface Stored {
  readonly listeners: ReadonlyMap<string, readonly ListenerRow[]>;
  /** By accelerator and listener. */
  readonly groups: ReadonlyMap<string, readonly EndpointGroupRow[]>;
  readonly endpoints: ReadonlyMap<string, readonly EndpointRow[]>;
  tagsOf(parts: { readonly accelerator: string; readonly listener?: string; readonly group?: string }): Tags;
}

function acceleratorView(context: Context, stored: Stored, row: AcceleratorRow, addresses: readonly string[]): Input {
  const listeners = stored.listeners.get(row.id) ?? [];
  return {
    id: row.id,
    name: row.name,
    dnsName: dnsName(context, row),
    enabled: row.enabled === 1,
    addresses: [...addresses],
    ...(row.flow_logs === 1 ? { flowLogs: { bucket: row.flow_logs_bucket, prefix: row.flow_logs_prefix, account: context.account } } : {}),
    policy: policyOf(stored.tagsOf({ accelerator: row.id })) as AcceleratorConfig["policy"],
    listeners: listeners.flatMap((listener) =>
      row.kind === "standard" ? [standardListener(stored, listener)] : routingListeners(stored, listener),
    ),
  };
}

function standardListener(stored: Stored, listener: ListenerRow): ListenerConfig {
  const ranges = rangesOf(listener);
  const groups = stored.groups.get(`${listener.accelerator_id} ${listener.id}`) ?? [];
  return {
    id: listener.id,
    protocol: listener.protocol as ListenerConfig["protocol"],
    ports: ranges.map(({ FromPort, ToPort }) => ({ from: FromPort, to: ToPort })),
    affinity: listener.affinity as ListenerConfig["affinity"],
    groups: groups.map((group) => groupView(stored, group, ranges[0]!.FromPort)),
    routes: [],
  };
}

function groupView(stored: Stored, row: EndpointGroupRow, firstPort: number): GroupConfig {
  const settings = settingsOf(row);
  const { check, client, tunnel } = groupSettingsOf(
    stored.tagsOf({ accelerator: row.accelerator_id, listener: row.listener_id, group: row.id }),
  );
  return {
    id: row.id,
    region: row.region,
    dial: settings.dial,
    check: {
      protocol: settings.checkProtocol as GroupConfig["check"]["protocol"],
      port: settings.checkPort ?? firstPort,
      path: settings.checkPath ?? "/",
      payload: "",
      intervalMs: settings.interval * 1000,
      threshold: settings.threshold,
      ...check,
    },
    ...(tunnel === undefined ? {} : { tunnel }),
    overrides: settings.overrides.map(({ ListenerPort, EndpointPort }) => ({ listener: ListenerPort, endpoint: EndpointPort })),
    endpoints: (stored.endpoints.get(row.id) ?? []).map((endpoint) => endpointView(endpoint, settings.checkPort === undefined, client)),
  };
}

/** `ownCheck`: where its group names no port to check, one that has a port of its own is asked there. */
function endpointView(row: EndpointRow, ownCheck: boolean, client: "proxy" | "transparent" = "proxy"): EndpointConfig {
  const { host, port } = parseEndpointId(row.endpoint_id);
  return {
    id: row.endpoint_id,
    host,
    ...(port === undefined ? {} : { port, ...(ownCheck ? { checkPort: port } : {}) }),
    weight: row.weight,
    client: row.client_ip_preservation === 1 ? client : "none",
  };
}

function routingListeners(stored: Stored, listener: ListenerRow): ListenerConfig[] {
  const groups = stored.groups.get(`${listener.accelerator_id} ${listener.id}`) ?? [];
  const routes = groups.flatMap((group) => (stored.endpoints.get(group.id) ?? []).flatMap((row) => routesOf(group, row)));
  const ports = rangesOf(listener).map(({ FromPort, ToPort }) => ({ from: FromPort, to: ToPort }));
  return (["TCP", "UDP"] as const).flatMap((protocol) => {
    const own = routes.filter(({ protocols }) => protocols.includes(protocol));
    return own.length === 0
      ? []
      : [{ id: `${listener.id}-${protocol.toLowerCase()}`, protocol, ports, affinity: "NONE" as const, groups: [], routes: own }];
  });
}

/** Of one subnet, what is allowed. */
function routesOf(group: EndpointGroupRow, row: EndpointRow): Route[] {
  if (row.allowed === "") return [];
  const destinations = new Destinations(parseSubnet(row.endpoint_id), destinationsOf(group));
  const allowed = new Allowed(destinations.count, row.allowed);
  const routes: { first: number; count: number; address: string; port: number; protocols: TransportProtocol[] }[] = [];
  let index = 0;
  for (const listenerPort of portsOf(spansOf(row))) {
    const at = index++;
    if (!allowed.has(at)) continue;
    const { address, port, protocols } = destinations.at(at);
    const last = routes.at(-1);
    const goesOn =
      last !== undefined &&
      last.address === address &&
      last.first + last.count === listenerPort &&
      last.port + last.count === port &&
      last.protocols.join() === protocols.join();
    if (goesOn) last.count++;
    else routes.push({ first: listenerPort, count: 1, address, port, protocols: [...protocols] });
  }
  return routes;
}
