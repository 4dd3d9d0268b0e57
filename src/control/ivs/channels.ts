/** Channels: CreateChannel, GetChannel, BatchGetChannel, ListChannels, UpdateChannel, DeleteChannel. A channel on the air is not changed (409). */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { conflict, notFound, quotaExceeded, validation } from "../aws/service-error.ts";
import { randomId } from "../random-id.ts";
import { changed, type Database } from "../store/database.ts";
import type { ChannelRow } from "../store/schema.ts";
import { dropTags, setTags, tagsOf } from "../tags.ts";
import { arnOf, idOf } from "./arn.ts";
import { channelOf, channelRows } from "./channel-row.ts";
import { channelSummary, channelView, passphrasePurpose } from "./channel-view.ts";
import type { IvsContext } from "./context.ts";
import { afterwards } from "./resources.ts";
import * as shapes from "./shapes.ts";
import { createStreamKey, streamKeyOf } from "./stream-keys.ts";

const settings = {
  name: shapes.name.optional(),
  latencyMode: shapes.latencyMode.optional(),
  type: shapes.channelType.optional(),
  authorized: z.boolean("Member must be true or false").optional(),
  recordingConfigurationArn: shapes.arnOrNone("recording-configuration").optional(),
  insecureIngest: z.boolean("Member must be true or false").optional(),
  preset: shapes.preset.optional(),
  playbackRestrictionPolicyArn: shapes.arnOrNone("playback-restriction-policy").optional(),
  multitrackInputConfiguration: shapes.multitrack.optional(),
  containerFormat: shapes.containerFormat.optional(),
  adConfigurationArn: shapes.arnOrNone("ad-configuration").optional(),
};
type Settings = z.output<z.ZodObject<typeof settings>>;

export const channelOperations = {
  CreateChannel: operation({
    input: z.object({ ...settings, tags: shapes.tags.optional() }),
    role: "admin",
    resource: ({ name = "" }) => name,
    run: (context: IvsContext, { tags = {}, ...given }) =>
      context.database
        .transaction()
        .execute(async (trx) => {
          await checkQuota(trx, context);
          const id = randomId(12);
          const blank: ChannelRow = {
            ...defaults,
            id,
            srt_passphrase_sealed: context.seal.seal(passphrasePurpose(id), randomId(40)),
            created_at: context.now(),
          };
          const row = await settled(trx, context, blank, given);
          await trx.insertInto("channels").values(row).execute();
          const arn = arnOf(context.place, "channel", id);
          await setTags(trx, arn, tags);
          const streamKey = await createStreamKey(trx, context, id, {});
          await changed(trx);
          return { channel: channelView(context, row, tags), streamKey };
        })
        .then(afterwards(context)),
  }),
  GetChannel: operation({
    input: z.object({ arn: shapes.arn("channel") }),
    role: "read-only",
    async run(context: IvsContext, { arn }) {
      const row = await channelOf(context.database, context, arn);
      return { channel: channelView(context, row, await tagsOf(context.database, arn)) };
    },
  }),
  BatchGetChannel: operation({
    input: z.object({ arns: shapes.batch(shapes.arn("channel"), 50) }),
    role: "read-only",
    async run(context: IvsContext, { arns }) {
      const { entries, errors } = await channelRows.batch(context, arns);
      return { channels: entries.map(({ row, tags }) => channelView(context, row, tags)), errors };
    },
  }),
  ListChannels: operation({
    input: z.object({
      ...shapes.paging,
      filterByName: shapes.name.optional(),
      filterByRecordingConfigurationArn: shapes.arnOrNone("recording-configuration").optional(),
      filterByPlaybackRestrictionPolicyArn: shapes.arnOrNone("playback-restriction-policy").optional(),
      filterByAdConfigurationArn: shapes.arnOrNone("ad-configuration").optional(),
    }),
    role: "read-only",
    async run(context: IvsContext, input) {
      const {
        maxResults = 100,
        filterByName,
        filterByRecordingConfigurationArn: recording,
        filterByPlaybackRestrictionPolicyArn: policy,
      } = input;
      if ([filterByName, recording, policy, input.filterByAdConfigurationArn].filter((filter) => filter !== undefined).length > 1)
        throw conflict("only one filter can be given");
      if ((input.filterByAdConfigurationArn ?? "") !== "") return { channels: [] };
      const where = {
        ...(filterByName === undefined ? {} : { name: filterByName }),
        ...(recording === undefined ? {} : { recording_configuration: recording }),
        ...(policy === undefined ? {} : { playback_restriction_policy: policy }),
      };
      const { entries, nextToken } = await channelRows.page(context, { nextToken: input.nextToken, maxResults }, where);
      return { channels: entries.map(({ row, tags }) => channelSummary(context, row, tags)), nextToken };
    },
  }),
  UpdateChannel: operation({
    input: z.object({ ...settings, arn: shapes.arn("channel") }),
    role: "admin",
    resource: ({ arn }) => arn,
    run: (context: IvsContext, { arn, ...given }) =>
      context.database
        .transaction()
        .execute(async (trx) => {
          const before = await channelOf(trx, context, arn);
          mustBeOffline(context, before.id);
          const row = await settled(trx, context, before, given);
          await trx.updateTable("channels").set(row).where("id", "=", row.id).execute();
          await changed(trx);
          return { channel: channelView(context, row, await tagsOf(trx, arn)) };
        })
        .then(afterwards(context)),
  }),
  DeleteChannel: operation({
    input: z.object({ arn: shapes.arn("channel") }),
    role: "admin",
    status: 204,
    resource: ({ arn }) => arn,
    run: (context: IvsContext, { arn }) =>
      channelRows.delete(context, arn, async (trx, { id }) => {
        mustBeOffline(context, id);
        const key = await streamKeyOf(trx, id);
        if (key !== undefined) await dropTags(trx, arnOf(context.place, "stream-key", key.id));
        await trx.deleteFrom("stream_keys").where("channel_id", "=", id).execute();
        await trx.deleteFrom("viewer_revocations").where("channel_id", "=", id).execute();
      }),
  }),
};

function mustBeOffline({ live }: IvsContext, id: string): void {
  if (live.stream(id) !== undefined) throw conflict("the channel is live; stop its stream first");
}

const defaults = {
  name: "",
  type: "STANDARD",
  latency_mode: "LOW",
  preset: "",
  authorized: 0,
  insecure_ingest: 0,
  container_format: "TS",
  multitrack: "",
  recording_configuration: "",
  playback_restriction_policy: "",
};

/** The row with what was given put in. @throws ServiceError when it names what is not there, or does not go together */
async function settled(database: Database, { place }: IvsContext, row: ChannelRow, given: Settings): Promise<ChannelRow> {
  const type = given.type ?? row.type;
  const advanced = type.startsWith("ADVANCED");
  if (!advanced && (given.preset ?? "") !== "")
    throw validation(`preset is for the types ADVANCED_SD and ADVANCED_HD; this channel is ${type}`);
  if ((given.adConfigurationArn ?? "") !== "") throw validation("ad configurations are not offered");
  const multitrack = given.multitrackInputConfiguration === undefined ? row.multitrack : JSON.stringify(given.multitrackInputConfiguration);
  const container = given.containerFormat ?? row.container_format;
  checkMultitrack(multitrack, type, container);
  const recording = given.recordingConfigurationArn ?? row.recording_configuration;
  if (recording !== "" && recording !== row.recording_configuration)
    await mustBeThere(database, "recording_configurations", idOf(place, "recording-configuration", recording), recording);
  const policy = given.playbackRestrictionPolicyArn ?? row.playback_restriction_policy;
  if (policy !== "" && policy !== row.playback_restriction_policy)
    await mustBeThere(database, "playback_restriction_policies", idOf(place, "playback-restriction-policy", policy), policy);
  const preset = given.preset ?? (type === row.type ? row.preset : "");
  return {
    ...row,
    name: given.name ?? row.name,
    type,
    latency_mode: given.latencyMode ?? row.latency_mode,
    preset: advanced ? preset || "HIGHER_BANDWIDTH_DELIVERY" : "",
    authorized: Number(given.authorized ?? row.authorized === 1),
    insecure_ingest: Number(given.insecureIngest ?? row.insecure_ingest === 1),
    container_format: container,
    multitrack,
    recording_configuration: recording,
    playback_restriction_policy: policy,
  };
}

/** `stored`: MultitrackInputConfiguration as JSON, or empty. */
function checkMultitrack(stored: string, type: string, container: string): void {
  const { enabled, policy, maximumResolution }: Partial<z.output<typeof shapes.multitrack>> = stored === "" ? {} : JSON.parse(stored);
  if (enabled !== true) return;
  if (type !== "STANDARD" || container !== "FRAGMENTED_MP4")
    throw validation("multitrack input needs the type STANDARD and the container format FRAGMENTED_MP4");
  if (policy === undefined || maximumResolution === undefined)
    throw validation("multitrack input that is enabled needs policy and maximumResolution");
}

async function mustBeThere(
  database: Database,
  table: "recording_configurations" | "playback_restriction_policies",
  id: string | undefined,
  arn: string,
): Promise<void> {
  const row = id === undefined ? undefined : await database.selectFrom(table).select("id").where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound(`Resource: ${arn} not found`);
}

async function checkQuota(database: Database, { quotas }: IvsContext): Promise<void> {
  const { n } = await database
    .selectFrom("channels")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .executeTakeFirstOrThrow();
  if (Number(n) >= quotas.channels) throw quotaExceeded(`there are ${quotas.channels} channels, as many as are allowed`);
}
