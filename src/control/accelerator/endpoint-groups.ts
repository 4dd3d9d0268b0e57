/** Endpoint groups of standard accelerators: CreateEndpointGroup, DescribeEndpointGroup, UpdateEndpointGroup, DeleteEndpointGroup, ListEndpointGroups. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { randomId } from "../random-id.ts";
import type { EndpointGroupRow } from "../store/schema.ts";
import { arnOf } from "./arn.ts";
import { type Change, change, touch } from "./change.ts";
import type { AcceleratorContext } from "./context.ts";
import { endpointRows, replaceEndpoints } from "./endpoints.ts";
import { checkGroupQuota, deleteGroup, type GroupSettings, groupRow, settingsOf } from "./group-row.ts";
import { groupArn, groupViews } from "./group-view.ts";
import { once } from "./idempotency.ts";
import { listenerRow } from "./listener-row.ts";
import { described } from "./made.ts";
import { pageOf } from "./paging.ts";
import { checkedOverrides } from "./port-overrides.ts";
import * as shapes from "./shapes.ts";

const HEX = "0123456789abcdef";

const createInput = z.strictObject({
  ListenerArn: shapes.arn,
  EndpointGroupRegion: shapes.generic,
  ...shapes.groupSettings,
  IdempotencyToken: shapes.idempotencyToken,
});
const updateInput = z.strictObject({ EndpointGroupArn: shapes.arn, ...shapes.groupSettings });
type Given = z.output<z.ZodObject<typeof shapes.groupSettings>>;
const arnInput = z.strictObject({ EndpointGroupArn: shapes.arn });
const resource = ({ EndpointGroupArn }: { readonly EndpointGroupArn: string }): string => EndpointGroupArn;

const DEFAULTS: GroupSettings = { dial: 100, checkProtocol: "TCP", interval: 30, threshold: 3, overrides: [] };

async function one(context: AcceleratorContext, arn: string) {
  const row = await groupRow(context.database, context, "standard", arn);
  const listener = await listenerRow(context.database, context, "standard", listenerArn(context, row));
  return { EndpointGroup: (await groupViews(context.database, context, listener, [row]))[0] };
}

export const endpointGroupOperations = {
  CreateEndpointGroup: operation({
    input: createInput,
    role: "admin",
    resource: ({ ListenerArn }) => ListenerArn,
    async run(context: AcceleratorContext, input) {
      const made = await change(context, (now) =>
        once(now.trx, context, "create endpoint group", input, () => create(now, context, input)),
      );
      return described(made, (arn) => one(context, arn));
    },
  }),
  DescribeEndpointGroup: operation({
    input: arnInput,
    role: "read-only",
    run: (context: AcceleratorContext, { EndpointGroupArn }) => one(context, EndpointGroupArn),
  }),
  UpdateEndpointGroup: operation({
    input: updateInput,
    role: "operator",
    resource,
    async run(context: AcceleratorContext, input) {
      await change(context, async (now) => {
        const row = await groupRow(now.trx, context, "standard", input.EndpointGroupArn);
        const settings = await settled(now, context, row, settingsOf(row), input);
        await now.trx.updateTable("endpoint_groups").set({ settings }).where("id", "=", row.id).execute();
        if (input.EndpointConfigurations !== undefined)
          await replaceEndpoints(now, context, row.id, endpointRows(row.id, input.EndpointConfigurations));
        await touch(now, row.accelerator_id);
      });
      return one(context, input.EndpointGroupArn);
    },
  }),
  DeleteEndpointGroup: operation({
    input: arnInput,
    role: "admin",
    resource,
    run: (context: AcceleratorContext, { EndpointGroupArn }) =>
      change(context, async (now) => {
        const row = await groupRow(now.trx, context, "standard", EndpointGroupArn);
        await deleteGroup(now.trx, row, EndpointGroupArn);
        await touch(now, row.accelerator_id);
        return undefined;
      }),
  }),
  ListEndpointGroups: operation({
    input: z.strictObject({ ListenerArn: shapes.arn, ...shapes.paging }),
    role: "read-only",
    async run(context: AcceleratorContext, { ListenerArn, ...paging }) {
      const { database } = context;
      const listener = await listenerRow(database, context, "standard", ListenerArn);
      const query = database.selectFrom("endpoint_groups").selectAll().where("accelerator_id", "=", listener.accelerator_id);
      const { rows, ...rest } = await pageOf(query.where("listener_id", "=", listener.id), paging);
      return { EndpointGroups: await groupViews(database, context, listener, rows), ...rest };
    },
  }),
};

async function create(now: Change, context: AcceleratorContext, input: z.output<typeof createInput>): Promise<string> {
  const listener = await listenerRow(now.trx, context, "standard", input.ListenerArn);
  await checkGroupQuota(now.trx, context, listener, input.EndpointGroupRegion);
  const blank: EndpointGroupRow = {
    id: randomId(12, HEX),
    accelerator_id: listener.accelerator_id,
    listener_id: listener.id,
    region: input.EndpointGroupRegion,
    settings: "",
    created_at: now.at,
  };
  const row = { ...blank, settings: await settled(now, context, blank, DEFAULTS, input) };
  await now.trx.insertInto("endpoint_groups").values(row).execute();
  await replaceEndpoints(now, context, row.id, endpointRows(row.id, input.EndpointConfigurations ?? []));
  await touch(now, row.accelerator_id);
  return groupArn(context, row);
}

/** Settings with what was given put in, as they are stored. HTTP asks for a path, "/" if none is named. @throws ServiceError */
async function settled(
  { trx }: Change,
  context: AcceleratorContext,
  row: EndpointGroupRow,
  before: GroupSettings,
  given: Given,
): Promise<string> {
  const checkPort = given.HealthCheckPort ?? before.checkPort;
  const checkProtocol = given.HealthCheckProtocol ?? before.checkProtocol;
  const checkPath = given.HealthCheckPath ?? before.checkPath ?? (checkProtocol === "TCP" ? undefined : "/");
  const settings: GroupSettings = {
    dial: given.TrafficDialPercentage ?? before.dial,
    ...(checkPort === undefined ? {} : { checkPort }),
    checkProtocol,
    ...(checkPath === undefined ? {} : { checkPath }),
    interval: given.HealthCheckIntervalSeconds ?? before.interval,
    threshold: given.ThresholdCount ?? before.threshold,
    overrides: given.PortOverrides === undefined ? before.overrides : await checkedOverrides(trx, context, row, given.PortOverrides),
  };
  return JSON.stringify(settings);
}

function listenerArn({ account }: AcceleratorContext, row: EndpointGroupRow): string {
  return arnOf(account, { accelerator: row.accelerator_id, listener: row.listener_id });
}
