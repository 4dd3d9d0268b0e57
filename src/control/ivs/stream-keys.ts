/** Stream keys: CreateStreamKey, GetStreamKey, BatchGetStreamKey, ListStreamKeys, DeleteStreamKey. A channel has one; a new one is had by deleting the old. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { parseToken } from "../aws/paging.ts";
import { quotaExceeded } from "../aws/service-error.ts";
import { randomId } from "../random-id.ts";
import { changed, type Database } from "../store/database.ts";
import type { StreamKeyRow } from "../store/schema.ts";
import { setTags, type Tags, tagsOf } from "../tags.ts";
import { arnOf } from "./arn.ts";
import { channelOf } from "./channel-row.ts";
import type { IvsContext } from "./context.ts";
import { afterwards, Resources } from "./resources.ts";
import * as shapes from "./shapes.ts";

const rows = new Resources("stream-key", "stream_keys", "Stream Key");

export const streamKeyOperations = {
  CreateStreamKey: operation({
    input: z.object({ channelArn: shapes.arn("channel"), tags: shapes.tags.optional() }),
    role: "operator",
    resource: ({ channelArn }) => channelArn,
    run: (context: IvsContext, { channelArn, tags = {} }) =>
      context.database
        .transaction()
        .execute(async (trx) => {
          const { id } = await channelOf(trx, context, channelArn);
          if ((await streamKeyOf(trx, id)) !== undefined) throw quotaExceeded("a channel has one stream key; delete it first");
          const streamKey = await createStreamKey(trx, context, id, tags);
          await changed(trx);
          return { streamKey };
        })
        .then(afterwards(context)),
  }),
  // It shows a secret: who only looks may not.
  GetStreamKey: operation({
    input: z.object({ arn: shapes.arn("stream-key") }),
    role: "operator",
    resource: ({ arn }) => arn,
    async run(context: IvsContext, { arn }) {
      const row = await rows.byArn(context.database, context, arn);
      return { streamKey: view(context, row, await tagsOf(context.database, arn)) };
    },
  }),
  BatchGetStreamKey: operation({
    input: z.object({ arns: shapes.batch(shapes.arn("stream-key"), 50) }),
    role: "operator",
    async run(context: IvsContext, { arns }) {
      const { entries, errors } = await rows.batch(context, arns);
      return { streamKeys: entries.map(({ row, tags }) => view(context, row, tags)), errors };
    },
  }),
  ListStreamKeys: operation({
    input: z.object({
      ...shapes.paging,
      channelArn: shapes.arn("channel"),
      maxResults: shapes.paging.maxResults.pipe(z.number().max(50, "Member must have value less than or equal to 50").optional()),
    }),
    role: "read-only",
    async run(context: IvsContext, { channelArn, nextToken }) {
      const { id } = await channelOf(context.database, context, channelArn);
      const row = parseToken(nextToken) === undefined ? await streamKeyOf(context.database, id) : undefined;
      if (row === undefined) return { streamKeys: [] };
      const arn = arnOf(context.place, "stream-key", row.id);
      return { streamKeys: [{ arn, channelArn, tags: await tagsOf(context.database, arn) }] };
    },
  }),
  DeleteStreamKey: operation({
    input: z.object({ arn: shapes.arn("stream-key") }),
    role: "operator",
    status: 204,
    resource: ({ arn }) => arn,
    run: (context: IvsContext, { arn }) => rows.delete(context, arn),
  }),
};

export function streamKeyOf(database: Database, channelId: string): Promise<StreamKeyRow | undefined> {
  return database.selectFrom("stream_keys").selectAll().where("channel_id", "=", channelId).executeTakeFirst();
}

export async function createStreamKey(database: Database, context: IvsContext, channelId: string, tags: Tags) {
  const { place, seal } = context;
  const id = randomId(12);
  const value = `sk_${place.region}_${randomId(24)}`;
  const row: StreamKeyRow = { id, channel_id: channelId, value_sealed: seal.seal(keyPurpose(id), value), created_at: context.now() };
  await database.insertInto("stream_keys").values(row).execute();
  await setTags(database, arnOf(place, "stream-key", id), tags);
  return view(context, row, tags);
}

export function keyPurpose(id: string): string {
  return `stream-key/${id}`;
}

function view({ place, seal }: IvsContext, row: StreamKeyRow, tags: Tags) {
  return {
    arn: arnOf(place, "stream-key", row.id),
    channelArn: arnOf(place, "channel", row.channel_id),
    value: seal.open(keyPurpose(row.id), row.value_sealed),
    tags,
  };
}
