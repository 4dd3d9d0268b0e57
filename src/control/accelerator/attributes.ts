/** Attributes of accelerators of both kinds: where flow logs go. DescribeAcceleratorAttributes, UpdateAcceleratorAttributes and those of custom routing. */
import { z } from "zod";
import { flowLogs } from "../../accelerate/edge-config.ts";
import { operation } from "../aws/operation.ts";
import type { AcceleratorRow } from "../store/schema.ts";
import { acceleratorRow, type Kind } from "./accelerator-row.ts";
import { type Change, change, touch } from "./change.ts";
import type { AcceleratorContext } from "./context.ts";
import { invalidArgument } from "./exceptions.ts";
import * as shapes from "./shapes.ts";

const updateInput = z.strictObject({
  AcceleratorArn: shapes.arn,
  FlowLogsEnabled: shapes.flag.optional(),
  FlowLogsS3Bucket: shapes.generic.optional(),
  FlowLogsS3Prefix: shapes.generic.optional(),
});

function operationsOf(kind: Kind) {
  const view = async (context: AcceleratorContext, arn: string) => attributesOf(await acceleratorRow(context.database, context, kind, arn));
  return {
    describe: operation({
      input: z.strictObject({ AcceleratorArn: shapes.arn }),
      role: "read-only",
      run: (context: AcceleratorContext, { AcceleratorArn }) => view(context, AcceleratorArn),
    }),
    update: operation({
      input: updateInput,
      role: "admin",
      resource: ({ AcceleratorArn }) => AcceleratorArn,
      async run(context: AcceleratorContext, input) {
        await change(context, (now) => update(now, context, kind, input));
        return view(context, input.AcceleratorArn);
      },
    }),
  };
}

async function update(now: Change, context: AcceleratorContext, kind: Kind, input: z.output<typeof updateInput>): Promise<void> {
  const row = await acceleratorRow(now.trx, context, kind, input.AcceleratorArn);
  const flow_logs = Number(input.FlowLogsEnabled ?? row.flow_logs === 1);
  const flow_logs_bucket = input.FlowLogsS3Bucket ?? row.flow_logs_bucket;
  const flow_logs_prefix = input.FlowLogsS3Prefix ?? row.flow_logs_prefix;
  if (flow_logs === 1 && (flow_logs_bucket === "" || flow_logs_prefix === ""))
    throw invalidArgument("flow logs need FlowLogsS3Bucket and FlowLogsS3Prefix");
  const place = flowLogs.safeParse({ bucket: flow_logs_bucket, prefix: flow_logs_prefix });
  if (flow_logs === 1 && !place.success)
    throw invalidArgument(
      `FlowLogsS3${place.error.issues[0]!.path[0] === "bucket" ? "Bucket" : "Prefix"} is not one that an edge can write to`,
    );
  await now.trx.updateTable("accelerators").set({ flow_logs, flow_logs_bucket, flow_logs_prefix }).where("id", "=", row.id).execute();
  await touch(now, row.id);
}

function attributesOf({ flow_logs, flow_logs_bucket, flow_logs_prefix }: AcceleratorRow): object {
  return {
    AcceleratorAttributes: {
      FlowLogsEnabled: flow_logs === 1,
      ...(flow_logs_bucket === "" ? {} : { FlowLogsS3Bucket: flow_logs_bucket }),
      ...(flow_logs_prefix === "" ? {} : { FlowLogsS3Prefix: flow_logs_prefix }),
    },
  };
}

const standard = operationsOf("standard");
const custom = operationsOf("custom");

export const attributeOperations = {
  DescribeAcceleratorAttributes: standard.describe,
  UpdateAcceleratorAttributes: standard.update,
  DescribeCustomRoutingAcceleratorAttributes: custom.describe,
  UpdateCustomRoutingAcceleratorAttributes: custom.update,
};
