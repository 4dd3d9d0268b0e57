/**
 * Accelerators of both kinds: Create, Describe, Update, Delete and List, each for Accelerator and for CustomRoutingAccelerator.
 * The two differ in their names, their quotas and in that custom routing has IPv4 only.
 */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { randomId } from "../random-id.ts";
import type { AcceleratorRow } from "../store/schema.ts";
import { dropTags, setTags } from "../tags.ts";
import { acceleratorRow, countAccelerators, type Kind } from "./accelerator-row.ts";
import { acceleratorViews } from "./accelerator-view.ts";
import { assignAddresses, dropAddresses } from "./addresses.ts";
import { arnOf } from "./arn.ts";
import { type Change, change } from "./change.ts";
import type { AcceleratorContext } from "./context.ts";
import { acceleratorNotDisabled, associatedListenerFound, conflicting, invalidArgument, limitExceeded } from "./exceptions.ts";
import { once } from "./idempotency.ts";
import { described } from "./made.ts";
import { pageOf } from "./paging.ts";
import * as shapes from "./shapes.ts";
import { checkedTags } from "./tag-list.ts";

const HEX = "0123456789abcdef";

const createInput = z.strictObject({
  Name: shapes.generic,
  IpAddressType: shapes.ipAddressType.optional(),
  IpAddresses: shapes.ipAddresses.optional(),
  Enabled: shapes.flag.optional(),
  IdempotencyToken: shapes.idempotencyToken,
  Tags: shapes.tagList.optional(),
});
const updateInput = z.strictObject({
  AcceleratorArn: shapes.arn,
  Name: shapes.generic.optional(),
  IpAddressType: shapes.ipAddressType.optional(),
  IpAddresses: shapes.ipAddresses.optional(),
  Enabled: shapes.flag.optional(),
});
const arnInput = z.strictObject({ AcceleratorArn: shapes.arn });
const resource = ({ AcceleratorArn }: { readonly AcceleratorArn: string }): string => AcceleratorArn;

function operationsOf(kind: Kind) {
  const one = async (context: AcceleratorContext, arn: string) => {
    const row = await acceleratorRow(context.database, context, kind, arn);
    return { Accelerator: (await acceleratorViews(context.database, context, [row]))[0] };
  };
  return {
    create: operation({
      input: createInput,
      role: "admin",
      resource: ({ Name }) => Name,
      async run(context: AcceleratorContext, input) {
        const made = await change(context, (now) =>
          once(now.trx, context, `create ${kind} accelerator`, input, () => create(now, context, kind, input)),
        );
        return described(made, (arn) => one(context, arn));
      },
    }),
    describe: operation({
      input: arnInput,
      role: "read-only",
      run: (context: AcceleratorContext, { AcceleratorArn }) => one(context, AcceleratorArn),
    }),
    update: operation({
      input: updateInput,
      role: "admin",
      resource,
      async run(context: AcceleratorContext, input) {
        await change(context, (now) => update(now, context, kind, input));
        return one(context, input.AcceleratorArn);
      },
    }),
    delete: operation({
      input: arnInput,
      role: "admin",
      resource,
      async run(context: AcceleratorContext, { AcceleratorArn }) {
        await change(context, (now) => remove(now, context, kind, AcceleratorArn));
        return undefined;
      },
    }),
    list: operation({
      input: z.strictObject(shapes.paging),
      role: "read-only",
      async run(context: AcceleratorContext, paging) {
        const { rows, ...rest } = await pageOf(context.database.selectFrom("accelerators").selectAll().where("kind", "=", kind), paging);
        return { Accelerators: await acceleratorViews(context.database, context, rows), ...rest };
      },
    }),
  };
}

async function create(
  { trx, revision, at }: Change,
  context: AcceleratorContext,
  kind: Kind,
  { Name, IpAddressType = "IPV4", IpAddresses = [], Enabled = true, Tags = [] }: z.output<typeof createInput>,
): Promise<string> {
  const most = kind === "standard" ? context.quotas.accelerators : context.quotas.customRoutingAccelerators;
  if ((await countAccelerators(trx, kind)) >= most)
    throw limitExceeded(`there are ${most} accelerators of this kind, as many as are allowed`);
  const row: AcceleratorRow = {
    id: crypto.randomUUID(),
    kind,
    name: checkedName(Name),
    ip_address_type: checkedType(kind, IpAddressType),
    enabled: Number(Enabled),
    dns: randomId(16, HEX),
    flow_logs: 0,
    flow_logs_bucket: "",
    flow_logs_prefix: "",
    revision,
    created_at: at,
    modified_at: at,
  };
  await trx.insertInto("accelerators").values(row).execute();
  await assignAddresses(trx, context, row.id, 4, IpAddresses);
  if (IpAddressType === "DUAL_STACK") await assignAddresses(trx, context, row.id, 6);
  const arn = arnOf(context.account, { accelerator: row.id });
  await setTags(trx, arn, checkedTags(Tags, "accelerator"));
  return arn;
}

async function update(
  { trx, revision, at }: Change,
  context: AcceleratorContext,
  kind: Kind,
  { AcceleratorArn, Name, IpAddressType, IpAddresses, Enabled }: z.output<typeof updateInput>,
): Promise<void> {
  const row = await acceleratorRow(trx, context, kind, AcceleratorArn);
  if (IpAddresses !== undefined && IpAddressType !== undefined)
    throw conflicting("IpAddresses and IpAddressType cannot be changed together; change one after the other");
  const type = checkedType(kind, IpAddressType ?? row.ip_address_type);
  if (type !== row.ip_address_type) {
    if (type === "DUAL_STACK") await assignAddresses(trx, context, row.id, 6);
    else await dropAddresses(trx, row.id, 6);
  }
  if (IpAddresses !== undefined) {
    if (IpAddresses.length === 0) throw invalidArgument("IpAddresses must name at least one address");
    await dropAddresses(trx, row.id, 4);
    await assignAddresses(trx, context, row.id, 4, IpAddresses);
  }
  await trx
    .updateTable("accelerators")
    .set({
      name: Name === undefined ? row.name : checkedName(Name),
      ip_address_type: type,
      enabled: Enabled === undefined ? row.enabled : Number(Enabled),
      revision,
      modified_at: at,
    })
    .where("id", "=", row.id)
    .execute();
}

async function remove({ trx }: Change, context: AcceleratorContext, kind: Kind, arn: string): Promise<void> {
  const { id, enabled } = await acceleratorRow(trx, context, kind, arn);
  if (enabled === 1) throw acceleratorNotDisabled("the accelerator is enabled; disable it first");
  const listener = await trx.selectFrom("listeners").select("id").where("accelerator_id", "=", id).executeTakeFirst();
  if (listener !== undefined) throw associatedListenerFound("the accelerator has listeners; delete them first");
  await trx.deleteFrom("accelerator_addresses").where("accelerator_id", "=", id).execute();
  await trx.deleteFrom("accelerators").where("id", "=", id).execute();
  await dropTags(trx, arn);
}

function checkedName(name: string): string {
  if (/^(?![.-])[A-Za-z0-9.-]{1,64}(?<![.-])$/.test(name)) return name;
  throw invalidArgument(
    `'${name}' is no name of an accelerator: 1 to 64 letters, digits, periods and hyphens are, the last two not at its ends`,
  );
}

function checkedType(kind: Kind, type: string): string {
  if (kind === "custom" && type !== "IPV4") throw invalidArgument("a custom routing accelerator has IPv4 addresses only");
  return type;
}

const standard = operationsOf("standard");
const custom = operationsOf("custom");

export const acceleratorOperations = {
  CreateAccelerator: standard.create,
  DescribeAccelerator: standard.describe,
  UpdateAccelerator: standard.update,
  DeleteAccelerator: standard.delete,
  ListAccelerators: standard.list,
  CreateCustomRoutingAccelerator: custom.create,
  DescribeCustomRoutingAccelerator: custom.describe,
  UpdateCustomRoutingAccelerator: custom.update,
  DeleteCustomRoutingAccelerator: custom.delete,
  ListCustomRoutingAccelerators: custom.list,
};
