/**
 * Port overrides of an endpoint group: listener port → port of its endpoints. A listener port once, and of the listener; an endpoint port that no listener of the
 * accelerator has, and that no other listener port leads to. Source: reference/aws-live.md section 2.
 */
import type { Database } from "../store/database.ts";
import type { EndpointGroupRow } from "../store/schema.ts";
import type { AcceleratorContext } from "./context.ts";
import { invalidArgument, limitExceeded } from "./exceptions.ts";
import { type PortOverride, settingsOf } from "./group-row.ts";
import { listenersOf, rangesOf } from "./listener-row.ts";
import { within } from "./port-range.ts";

interface Given {
  readonly ListenerPort?: number | undefined;
  readonly EndpointPort?: number | undefined;
}

/** For the group `row`, stored or about to be. @throws ServiceError */
export async function checkedOverrides(
  trx: Database,
  { quotas }: AcceleratorContext,
  row: Pick<EndpointGroupRow, "id" | "accelerator_id" | "listener_id">,
  given: readonly Given[],
): Promise<PortOverride[]> {
  if (given.length === 0) return [];
  if (given.length > quotas.portOverrides) throw limitExceeded(`an endpoint group has at most ${quotas.portOverrides} port overrides`);
  const listeners = await listenersOf(trx, row.accelerator_id);
  const own = rangesOf(listeners.find(({ id }) => id === row.listener_id)!);
  const taken = listeners.flatMap(rangesOf);
  const overrides = given.map(({ ListenerPort, EndpointPort }) => {
    if (ListenerPort === undefined || EndpointPort === undefined)
      throw invalidArgument("a port override needs ListenerPort and EndpointPort");
    if (!within(own, ListenerPort)) throw invalidArgument(`listener port ${ListenerPort} of a port override is not one of the listener's`);
    if (within(taken, EndpointPort))
      throw invalidArgument(`endpoint port ${EndpointPort} of a port override lies in a listener's port range of this accelerator`);
    return { ListenerPort, EndpointPort };
  });
  if (new Set(overrides.map(({ ListenerPort }) => ListenerPort)).size < overrides.length)
    throw invalidArgument("a listener port is overridden twice");
  const groups = await trx.selectFrom("endpoint_groups").selectAll().where("accelerator_id", "=", row.accelerator_id).execute();
  const all = [...overrides, ...groups.filter(({ id }) => id !== row.id).flatMap((group) => settingsOf(group).overrides)];
  const clash = overrides.find((one) =>
    all.some((other) => other.EndpointPort === one.EndpointPort && other.ListenerPort !== one.ListenerPort),
  );
  if (clash !== undefined) throw invalidArgument(`two listener ports are overridden to endpoint port ${clash.EndpointPort}`);
  return overrides;
}
