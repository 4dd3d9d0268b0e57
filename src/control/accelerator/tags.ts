/** Tags of accelerators, listeners and endpoint groups: TagResource, UntagResource, ListTagsForResource. Some are settings (tag-settings.ts). */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import type { Database } from "../store/database.ts";
import { setTags, TAGS_MAX, tagsOf } from "../tags.ts";
import { type ArnParts, levelOf, parseArn } from "./arn.ts";
import { change, touch } from "./change.ts";
import type { AcceleratorContext } from "./context.ts";
import { acceleratorNotFound, attachmentNotFound, endpointGroupNotFound, invalidArgument, listenerNotFound } from "./exceptions.ts";
import * as shapes from "./shapes.ts";
import { checkedTags, tagList } from "./tag-list.ts";

const resource = ({ ResourceArn }: { readonly ResourceArn: string }): string => ResourceArn;

export const tagOperations = {
  ListTagsForResource: operation({
    input: z.strictObject({ ResourceArn: shapes.resourceArn }),
    role: "read-only",
    async run(context: AcceleratorContext, { ResourceArn }) {
      await existing(context.database, context, ResourceArn);
      return { Tags: tagList(await tagsOf(context.database, ResourceArn)) };
    },
  }),
  TagResource: operation({
    input: z.strictObject({ ResourceArn: shapes.resourceArn, Tags: shapes.tagList }),
    role: "admin",
    resource,
    run: (context: AcceleratorContext, { ResourceArn, Tags }) =>
      change(context, async (now) => {
        const parts = await existing(now.trx, context, ResourceArn);
        const given = checkedTags(Tags, levelOf(parts));
        const all = { ...(await tagsOf(now.trx, ResourceArn)), ...given };
        if (Object.keys(all).length > TAGS_MAX) throw invalidArgument(`a resource has at most ${TAGS_MAX} tags`);
        await setTags(now.trx, ResourceArn, given);
        await touch(now, parts.accelerator);
        return {};
      }),
  }),
  UntagResource: operation({
    input: z.strictObject({ ResourceArn: shapes.resourceArn, TagKeys: shapes.listOf(shapes.text(128, 1), 200) }),
    role: "admin",
    resource,
    run: (context: AcceleratorContext, { ResourceArn, TagKeys }) =>
      change(context, async (now) => {
        const { accelerator } = await existing(now.trx, context, ResourceArn);
        if (TagKeys.length > 0) await now.trx.deleteFrom("tags").where("arn", "=", ResourceArn).where("key", "in", TagKeys).execute();
        await touch(now, accelerator);
        return {};
      }),
  }),
};

/** @throws ServiceError when there is no such resource */
async function existing(database: Database, { account }: AcceleratorContext, arn: string): Promise<ArnParts> {
  if (/^arn:aws:globalaccelerator::\d{12}:attachment\//.test(arn)) throw attachmentNotFound(`there is no cross-account attachment ${arn}`);
  if (!arn.startsWith("arn:")) throw invalidArgument(`'${arn}' is not an ARN`);
  const parts = parseArn(account, arn);
  if (parts === undefined) throw acceleratorNotFound(`there is no resource ${arn}`);
  const { accelerator, listener = "", group = "" } = parts;
  if (group !== "") {
    const query = database.selectFrom("endpoint_groups").select("id").where("id", "=", group);
    const found = await query.where("accelerator_id", "=", accelerator).where("listener_id", "=", listener).executeTakeFirst();
    if (found === undefined) throw endpointGroupNotFound(`there is no endpoint group ${arn}`);
  } else if (listener !== "") {
    const query = database.selectFrom("listeners").select("id").where("id", "=", listener).where("accelerator_id", "=", accelerator);
    if ((await query.executeTakeFirst()) === undefined) throw listenerNotFound(`there is no listener ${arn}`);
  } else {
    const query = database.selectFrom("accelerators").select("id").where("id", "=", accelerator);
    if ((await query.executeTakeFirst()) === undefined) throw acceleratorNotFound(`there is no accelerator ${arn}`);
  }
  return parts;
}
