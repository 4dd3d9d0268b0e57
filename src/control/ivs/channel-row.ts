/** A channel's row by its ARN, and what follows when one was changed. */
import { notFound } from "../aws/service-error.ts";
import type { Database } from "../store/database.ts";
import type { ChannelRow } from "../store/schema.ts";
import { idOf } from "./arn.ts";
import type { IvsContext } from "./context.ts";

/** @throws ServiceError when there is no such channel */
export async function channelOf(database: Database, { place }: IvsContext, arn: string): Promise<ChannelRow> {
  const id = idOf(place, "channel", arn);
  const row = id === undefined ? undefined : await database.selectFrom("channels").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound(`Channel: ${arn} not found`);
  return row;
}

/** Tells the origin once the transaction is through. */
export function afterwards(context: IvsContext): <Result>(result: Result) => Promise<Result> {
  return async (result) => {
    await context.live.changed();
    return result;
  };
}
