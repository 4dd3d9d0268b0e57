/** Listeners of standard accelerators: CreateListener, DescribeListener, UpdateListener, DeleteListener, ListListeners. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { randomId } from "../random-id.ts";
import type { ListenerRow } from "../store/schema.ts";
import { acceleratorRow } from "./accelerator-row.ts";
import { arnOf } from "./arn.ts";
import { type Change, change, touch } from "./change.ts";
import type { AcceleratorContext } from "./context.ts";
import { associatedEndpointGroupFound, invalidPortRange } from "./exceptions.ts";
import { groupRowsOf, settingsOf } from "./group-row.ts";
import { once } from "./idempotency.ts";
import { checkListenerQuota, deleteListener, listenerRow, listenersOf, rangesOf } from "./listener-row.ts";
import { described } from "./made.ts";
import { pageOf } from "./paging.ts";
import { checkedRanges, overlaps, type PortRange, shown, within } from "./port-range.ts";
import * as shapes from "./shapes.ts";

const HEX = "0123456789abcdef";

const createInput = z.strictObject({
  AcceleratorArn: shapes.arn,
  PortRanges: shapes.portRanges,
  Protocol: shapes.protocol,
  ClientAffinity: shapes.clientAffinity.optional(),
  IdempotencyToken: shapes.idempotencyToken,
});
const updateInput = z.strictObject({
  ListenerArn: shapes.arn,
  PortRanges: shapes.portRanges.optional(),
  Protocol: shapes.protocol.optional(),
  ClientAffinity: shapes.clientAffinity.optional(),
});
const arnInput = z.strictObject({ ListenerArn: shapes.arn });
const resource = ({ ListenerArn }: { readonly ListenerArn: string }): string => ListenerArn;

async function one(context: AcceleratorContext, arn: string) {
  return { Listener: view(context, await listenerRow(context.database, context, "standard", arn)) };
}

export const listenerOperations = {
  CreateListener: operation({
    input: createInput,
    role: "admin",
    resource: ({ AcceleratorArn }) => AcceleratorArn,
    async run(context: AcceleratorContext, input) {
      const made = await change(context, (now) => once(now.trx, context, "create listener", input, () => create(now, context, input)));
      return described(made, (arn) => one(context, arn));
    },
  }),
  DescribeListener: operation({
    input: arnInput,
    role: "read-only",
    run: (context: AcceleratorContext, { ListenerArn }) => one(context, ListenerArn),
  }),
  UpdateListener: operation({
    input: updateInput,
    role: "admin",
    resource,
    async run(context: AcceleratorContext, input) {
      await change(context, (now) => update(now, context, input));
      return one(context, input.ListenerArn);
    },
  }),
  DeleteListener: operation({
    input: arnInput,
    role: "admin",
    resource,
    run: (context: AcceleratorContext, { ListenerArn }) =>
      change(context, async (now) => {
        const row = await listenerRow(now.trx, context, "standard", ListenerArn);
        if ((await groupRowsOf(now.trx, row)).length > 0)
          throw associatedEndpointGroupFound("the listener has endpoint groups; delete them first");
        await deleteListener(now.trx, row, ListenerArn);
        await touch(now, row.accelerator_id);
        return undefined;
      }),
  }),
  ListListeners: operation({
    input: z.strictObject({ AcceleratorArn: shapes.arn, ...shapes.paging }),
    role: "read-only",
    async run(context: AcceleratorContext, { AcceleratorArn, ...paging }) {
      const { id } = await acceleratorRow(context.database, context, "standard", AcceleratorArn);
      const { rows, ...rest } = await pageOf(context.database.selectFrom("listeners").selectAll().where("accelerator_id", "=", id), paging);
      return { Listeners: rows.map((row) => view(context, row)), ...rest };
    },
  }),
};

async function create(now: Change, context: AcceleratorContext, input: z.output<typeof createInput>): Promise<string> {
  const { trx, at } = now;
  const { id: accelerator_id } = await acceleratorRow(trx, context, "standard", input.AcceleratorArn);
  const ranges = checkedRanges(input.PortRanges);
  await checkListenerQuota(trx, context, accelerator_id);
  const row: ListenerRow = {
    id: randomId(8, HEX),
    accelerator_id,
    protocol: input.Protocol,
    affinity: input.ClientAffinity ?? "NONE",
    port_ranges: JSON.stringify(ranges),
    created_at: at,
  };
  await checkUnique(now, row, ranges);
  await trx.insertInto("listeners").values(row).execute();
  await touch(now, accelerator_id);
  return arnOf(context.account, { accelerator: accelerator_id, listener: row.id });
}

async function update(now: Change, context: AcceleratorContext, input: z.output<typeof updateInput>): Promise<void> {
  const before = await listenerRow(now.trx, context, "standard", input.ListenerArn);
  const ranges = input.PortRanges === undefined ? rangesOf(before) : checkedRanges(input.PortRanges);
  const row: ListenerRow = {
    ...before,
    protocol: input.Protocol ?? before.protocol,
    affinity: input.ClientAffinity ?? before.affinity,
    port_ranges: JSON.stringify(ranges),
  };
  await checkUnique(now, row, ranges);
  const stranded = (await groupRowsOf(now.trx, row))
    .flatMap((group) => settingsOf(group).overrides)
    .find(({ ListenerPort }) => !within(ranges, ListenerPort));
  if (stranded !== undefined)
    throw invalidPortRange(`an endpoint group overrides listener port ${stranded.ListenerPort}, which these port ranges leave out`);
  await now.trx
    .updateTable("listeners")
    .set({ protocol: row.protocol, affinity: row.affinity, port_ranges: row.port_ranges })
    .where("id", "=", row.id)
    .where("accelerator_id", "=", row.accelerator_id)
    .execute();
  await touch(now, row.accelerator_id);
}

/** No other listener of the accelerator has one of these ports for the protocol, and no port override leads to one. */
async function checkUnique({ trx }: Change, { id, accelerator_id, protocol }: ListenerRow, ranges: readonly PortRange[]): Promise<void> {
  for (const other of await listenersOf(trx, accelerator_id)) {
    if (other.id === id || other.protocol !== protocol) continue;
    const taken = rangesOf(other).find((range) => ranges.some((own) => overlaps(own, range)));
    if (taken !== undefined) throw invalidPortRange(`another listener of the accelerator has ports of ${shown(taken)} for ${protocol}`);
  }
  const groups = await trx.selectFrom("endpoint_groups").selectAll().where("accelerator_id", "=", accelerator_id).execute();
  const override = groups.flatMap((group) => settingsOf(group).overrides).find(({ EndpointPort }) => within(ranges, EndpointPort));
  if (override !== undefined)
    throw invalidPortRange(`port ${override.EndpointPort} is where a port override of the accelerator leads; a listener cannot have it`);
}

function view({ account }: AcceleratorContext, row: ListenerRow): object {
  return {
    ListenerArn: arnOf(account, { accelerator: row.accelerator_id, listener: row.id }),
    PortRanges: rangesOf(row),
    Protocol: row.protocol,
    ClientAffinity: row.affinity,
  };
}
