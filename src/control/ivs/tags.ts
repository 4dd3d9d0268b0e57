/** Tags: TagResource, UntagResource, ListTagsForResource. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { notFound, validation } from "../aws/service-error.ts";
import { changed } from "../store/database.ts";
import { setTags, TAGS_MAX, tagsOf } from "../tags.ts";
import { idOf, type Kind } from "./arn.ts";
import type { IvsContext } from "./context.ts";
import { anyArn, batch, tagKey, tags } from "./shapes.ts";

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
