/**
 * Recording configurations: CreateRecordingConfiguration, GetRecordingConfiguration, ListRecordingConfigurations, DeleteRecordingConfiguration. A bucket is a folder of the
 * recordings' directory, or of an S3-compatible store, whichever the origin was told to write to.
 */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { validation } from "../aws/service-error.ts";
import { Configurations } from "./configurations.ts";
import type { IvsContext } from "./context.ts";
import * as shapes from "./shapes.ts";

const bucketName = z.string().regex(/^[a-z0-9][a-z0-9-.]{1,61}[a-z0-9]$/, "Member must be a bucket's name: 3 to 63 of a-z, 0-9, - and .");
const settings = {
  destinationConfiguration: z.object({ s3: z.object({ bucketName }) }),
  thumbnailConfiguration: z
    .object({
      recordingMode: shapes.oneOf(["DISABLED", "INTERVAL"]).default("INTERVAL"),
      targetIntervalSeconds: z
        .int()
        .min(1, "Member must have value greater than or equal to 1")
        .max(60, "Member must have value less than or equal to 60")
        .default(60),
      resolution: shapes.resolutionOrLowest.optional(),
      storage: z.array(shapes.oneOf(["SEQUENTIAL", "LATEST"])).default(["SEQUENTIAL"]),
    })
    .default({ recordingMode: "INTERVAL", targetIntervalSeconds: 60, storage: ["SEQUENTIAL"] }),
  recordingReconnectWindowSeconds: z
    .int()
    .min(0, "Member must have value greater than or equal to 0")
    .max(300, "Member must have value less than or equal to 300")
    .default(0),
  renditionConfiguration: z
    .object({
      renditionSelection: shapes.oneOf(["ALL", "NONE", "CUSTOM"]).default("ALL"),
      renditions: z.array(shapes.resolutionOrLowest).default([]),
    })
    .default({ renditionSelection: "ALL", renditions: [] }),
};

export type RecordingSettings = z.output<z.ZodObject<typeof settings>> & { readonly state: "CREATING" | "CREATE_FAILED" | "ACTIVE" };

const configurations = new Configurations<RecordingSettings>("recording-configuration");
const arn = shapes.arn("recording-configuration");

export const recordingConfigurationOperations = {
  CreateRecordingConfiguration: operation({
    input: z.object({ ...settings, name: shapes.name.optional(), tags: shapes.tags.optional() }),
    role: "admin",
    resource: ({ name = "" }) => name,
    async run(context: IvsContext, { name, tags, ...given }) {
      const { renditionSelection, renditions } = given.renditionConfiguration;
      if ((renditionSelection === "CUSTOM") !== renditions.length > 0)
        throw validation("renditions are named when, and only when, renditionSelection is CUSTOM");
      return { recordingConfiguration: await configurations.create(context, { name, tags }, { ...given, state: "ACTIVE" }) };
    },
  }),
  GetRecordingConfiguration: operation({
    input: z.object({ arn }),
    role: "read-only",
    run: async (context: IvsContext, input) => ({ recordingConfiguration: await configurations.get(context, input.arn) }),
  }),
  ListRecordingConfigurations: operation({
    input: z.object(shapes.paging),
    role: "read-only",
    async run(context: IvsContext, { nextToken, maxResults = 100 }) {
      const { rows, nextToken: next } = await configurations.list(context, nextToken, maxResults);
      const recordingConfigurations = rows.map(({ arn: own, name, destinationConfiguration, state, tags }) => ({
        arn: own,
        name,
        destinationConfiguration,
        state,
        tags,
      }));
      return { recordingConfigurations, nextToken: next };
    },
  }),
  DeleteRecordingConfiguration: operation({
    input: z.object({ arn }),
    role: "admin",
    status: 204,
    resource: (input) => input.arn,
    run: (context: IvsContext, input) => configurations.delete(context, input.arn),
  }),
};
