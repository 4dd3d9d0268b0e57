/**
 * Listeners of custom routing: CreateCustomRoutingListener, DescribeCustomRoutingListener, UpdateCustomRoutingListener, DeleteCustomRoutingListener,
 * ListCustomRoutingListeners. Ranges of at least 16 ports, which only grow.
 */
import { z } from "zod";
import { operation } from "../../aws/operation.ts";
import { randomId } from "../../random-id.ts";
import type { ListenerRow } from "../../store/schema.ts";
import { acceleratorRow } from "../accelerator-row.ts";
import { arnOf } from "../arn.ts";
import { type Change, change, touch } from "../change.ts";
import type { AcceleratorContext } from "../context.ts";
import { associatedEndpointGroupFound, invalidPortRange } from "../exceptions.ts";
import { groupRowsOf } from "../group-row.ts";
import { once } from "../idempotency.ts";
import { checkListenerQuota, deleteListener, listenerRow, listenersOf, rangesOf } from "../listener-row.ts";
import { described } from "../made.ts";
import { pageOf } from "../paging.ts";
import { checkedRanges, overlaps, type PortRange, shown } from "../port-range.ts";
import * as shapes from "../shapes.ts";

const PORTS_LEAST = 16;
const HEX = "0123456789abcdef";

const createInput = z.strictObject({
  AcceleratorArn: shapes.arn,
  PortRanges: shapes.portRanges,
  IdempotencyToken: shapes.idempotencyToken,
});
const arnInput = z.strictObject({ ListenerArn: shapes.arn });

async function one(context: AcceleratorContext, arn: string) {
  return { Listener: view(context, await listenerRow(context.database, context, "custom", arn)) };
}

export const customRoutingListenerOperations = {
  CreateCustomRoutingListener: operation({
    input: createInput,
    role: "admin",
    resource: ({ AcceleratorArn }) => AcceleratorArn,
    async run(context: AcceleratorContext, input) {
      const made = await change(context, (now) =>
        once(now.trx, context, "create custom routing listener", input, () => create(now, context, input)),
      );
      return described(made, (arn) => one(context, arn));
    },
  }),
  DescribeCustomRoutingListener: operation({
    input: arnInput,
    role: "read-only",
    run: (context: AcceleratorContext, { ListenerArn }) => one(context, ListenerArn),
  }),
  UpdateCustomRoutingListener: operation({
    input: z.strictObject({ ListenerArn: shapes.arn, PortRanges: shapes.portRanges }),
    role: "admin",
    resource: ({ ListenerArn }) => ListenerArn,
    async run(context: AcceleratorContext, { ListenerArn, PortRanges }) {
      await change(context, async (now) => {
        const row = await listenerRow(now.trx, context, "custom", ListenerArn);
        const ranges = checkedLong(PortRanges);
        const lost = rangesOf(row).find((old) => !ranges.some((range) => range.FromPort <= old.FromPort && range.ToPort >= old.ToPort));
        if (lost !== undefined) throw invalidPortRange(`port range ${shown(lost)} can grow, not shrink`);
        await checkUnique(now, row, ranges);
        await now.trx
          .updateTable("listeners")
          .set({ port_ranges: JSON.stringify(ranges) })
          .where("id", "=", row.id)
          .where("accelerator_id", "=", row.accelerator_id)
          .execute();
        await touch(now, row.accelerator_id);
      });
      return one(context, ListenerArn);
    },
  }),
  DeleteCustomRoutingListener: operation({
    input: arnInput,
    role: "admin",
    resource: ({ ListenerArn }) => ListenerArn,
    run: (context: AcceleratorContext, { ListenerArn }) =>
      change(context, async (now) => {
        const row = await listenerRow(now.trx, context, "custom", ListenerArn);
        if ((await groupRowsOf(now.trx, row)).length > 0)
          throw associatedEndpointGroupFound("the listener has endpoint groups; delete them first");
        await deleteListener(now.trx, row, ListenerArn);
        await touch(now, row.accelerator_id);
        return undefined;
      }),
  }),
  ListCustomRoutingListeners: operation({
    input: z.strictObject({ AcceleratorArn: shapes.arn, ...shapes.paging }),
    role: "read-only",
    async run(context: AcceleratorContext, { AcceleratorArn, ...paging }) {
      const { id } = await acceleratorRow(context.database, context, "custom", AcceleratorArn);
      const { rows, ...rest } = await pageOf(context.database.selectFrom("listeners").selectAll().where("accelerator_id", "=", id), paging);
      return { Listeners: rows.map((row) => view(context, row)), ...rest };
    },
  }),
};

async function create(now: Change, context: AcceleratorContext, input: z.output<typeof createInput>): Promise<string> {
  const { id: accelerator_id } = await acceleratorRow(now.trx, context, "custom", input.AcceleratorArn);
  const ranges = checkedLong(input.PortRanges);
  await checkListenerQuota(now.trx, context, accelerator_id);
  const row: ListenerRow = {
    id: randomId(8, HEX),
    accelerator_id,
    protocol: "",
    affinity: "",
    port_ranges: JSON.stringify(ranges),
    created_at: now.at,
  };
  await checkUnique(now, row, ranges);
  await now.trx.insertInto("listeners").values(row).execute();
  await touch(now, accelerator_id);
  return arnOf(context.account, { accelerator: accelerator_id, listener: row.id });
}

function checkedLong(given: Parameters<typeof checkedRanges>[0]): PortRange[] {
  const ranges = checkedRanges(given);
  const short = ranges.find(({ FromPort, ToPort }) => ToPort - FromPort + 1 < PORTS_LEAST);
  if (short !== undefined)
    throw invalidPortRange(`a port range of custom routing has at least ${PORTS_LEAST} ports; ${shown(short)} has fewer`);
  return ranges;
}

async function checkUnique({ trx }: Change, { id, accelerator_id }: ListenerRow, ranges: readonly PortRange[]): Promise<void> {
  for (const other of await listenersOf(trx, accelerator_id)) {
    const taken = other.id === id ? undefined : rangesOf(other).find((range) => ranges.some((own) => overlaps(own, range)));
    if (taken !== undefined) throw invalidPortRange(`another listener of the accelerator has ports of ${shown(taken)}`);
  }
}

function view({ account }: AcceleratorContext, row: ListenerRow): object {
  return { ListenerArn: arnOf(account, { accelerator: row.accelerator_id, listener: row.id }), PortRanges: rangesOf(row) };
}
