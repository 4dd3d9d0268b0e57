/** A standard endpoint group and its endpoints as operations show them. */
import type { Database } from "../store/database.ts";
import type { EndpointGroupRow, EndpointRow, ListenerRow } from "../store/schema.ts";
import { arnOf } from "./arn.ts";
import { type AcceleratorContext, type HealthState, healthKey } from "./context.ts";
import { endpointsOf, settingsOf } from "./group-row.ts";
import { rangesOf } from "./listener-row.ts";

/** Groups of one listener; health is asked of the edges once. */
export async function groupViews(
  database: Database,
  context: AcceleratorContext,
  listener: ListenerRow,
  rows: readonly EndpointGroupRow[],
): Promise<object[]> {
  const ids = rows.map(({ id }) => id);
  const endpoints = await endpointsOf(database, ids);
  const health = await context.edges.health(ids);
  return rows.map((row) => {
    const { dial, checkPort, checkProtocol, checkPath, interval, threshold, overrides } = settingsOf(row);
    return {
      EndpointGroupArn: groupArn(context, row),
      EndpointGroupRegion: row.region,
      EndpointDescriptions: endpoints.get(row.id)!.map((endpoint) => endpointView(endpoint, health)),
      TrafficDialPercentage: dial,
      HealthCheckPort: checkPort ?? rangesOf(listener)[0]!.FromPort,
      HealthCheckProtocol: checkProtocol,
      ...(checkPath === undefined ? {} : { HealthCheckPath: checkPath }),
      HealthCheckIntervalSeconds: interval,
      ThresholdCount: threshold,
      PortOverrides: overrides,
    };
  });
}

/** Of endpoints of one group. */
export async function endpointViews(context: AcceleratorContext, group: string, rows: readonly EndpointRow[]): Promise<object[]> {
  const health = await context.edges.health([group]);
  return rows.map((row) => endpointView(row, health));
}

export function groupArn({ account }: Pick<AcceleratorContext, "account">, row: EndpointGroupRow): string {
  return arnOf(account, { accelerator: row.accelerator_id, listener: row.listener_id, group: row.id });
}

function endpointView(row: EndpointRow, health: ReadonlyMap<string, HealthState>): object {
  return {
    EndpointId: row.endpoint_id,
    Weight: row.weight,
    HealthState: health.get(healthKey(row.group_id, row.endpoint_id)) ?? "INITIAL",
    ClientIPPreservationEnabled: row.client_ip_preservation === 1,
  };
}
