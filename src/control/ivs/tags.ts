/** Tags of resources: TagResource, UntagResource, ListTagsForResource, and what the others keep and show of them. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { notFound, validation } from "../aws/service-error.ts";
import type { Database } from "../store/database.ts";
import { changed } from "../store/database.ts";
import { idOf, type Kind } from "./arn.ts";
import type { IvsContext } from "./context.ts";
import { anyArn, batch, tagKey, tags } from "./shapes.ts";

const TAGS_MAX = 50;

export type Tags = Record<string, string>;

export async function tagsOf(database: Database, arn: string): Promise<Tags> {
  return (await tagsOfMany(database, [arn])).get(arn) ?? {};
}

export async function tagsOfMany(database: Database, arns: readonly string[]): Promise<Map<string, Tags>> {
  const found = new Map<string, Tags>();
  if (arns.length === 0) return found;
  for (const { arn, key, value } of await database.selectFrom("tags").selectAll().where("arn", "in", arns).orderBy("key").execute()) {
    const map = found.get(arn) ?? {};
    map[key] = value;
    found.set(arn, map);
  }
  return found;
}

export async function setTags(database: Database, arn: string, given: Tags = {}): Promise<void> {
  const rows = Object.entries(given).map(([key, value]) => ({ arn, key, value }));
  if (rows.length === 0) return;
  await database
    .insertInto("tags")
    .values(rows)
    .onConflict((on) => on.columns(["arn", "key"]).doUpdateSet((eb) => ({ value: eb.ref("excluded.value") })))
    .execute();
}

export async function dropTags(database: Database, arn: string): Promise<void> {
  await database.deleteFrom("tags").where("arn", "=", arn).execute();
}

const tables = {
  channel: "channels",
  "stream-key": "stream_keys",
  "playback-key": "playback_key_pairs",
  "recording-configuration": "recording_configurations",
  "playback-restriction-policy": "playback_restriction_policies",
} as const;

/** @throws ServiceError when there is no such resource */
async function mustExist({ database, place }: IvsContext, arn: string): Promise<void> {
  for (const [kind, table] of Object.entries(tables)) {
    const id = idOf(place, kind as Kind, arn);
    if (id === undefined) continue;
    if ((await database.selectFrom(table).select("id").where("id", "=", id).executeTakeFirst()) !== undefined) return;
  }
  throw notFound(`Resource: ${arn} not found`);
}

const resourceArn = anyArn;

export const tagOperations = {
  ListTagsForResource: operation({
    input: z.object({ resourceArn }),
    role: "read-only",
    async run(context: IvsContext, { resourceArn: arn }) {
      await mustExist(context, arn);
      return { tags: await tagsOf(context.database, arn) };
    },
  }),
  TagResource: operation({
    input: z.object({ resourceArn, tags }),
    role: "admin",
    resource: ({ resourceArn: arn }) => arn,
    async run(context: IvsContext, { resourceArn: arn, tags: given }) {
      await mustExist(context, arn);
      await context.database.transaction().execute(async (trx) => {
        const all = { ...(await tagsOf(trx, arn)), ...given };
        if (Object.keys(all).length > TAGS_MAX) throw validation(`a resource has at most ${TAGS_MAX} tags`);
        await setTags(trx, arn, given);
        await changed(trx);
      });
      return {};
    },
  }),
  UntagResource: operation({
    input: z.object({ resourceArn, tagKeys: batch(tagKey, TAGS_MAX) }),
    role: "admin",
    resource: ({ resourceArn: arn }) => arn,
    async run(context: IvsContext, { resourceArn: arn, tagKeys }) {
      await mustExist(context, arn);
      await context.database.deleteFrom("tags").where("arn", "=", arn).where("key", "in", tagKeys).execute();
      return {};
    },
  }),
};
