/** A channel's row by its ARN. */
import type { Database } from "../store/database.ts";
import type { ChannelRow } from "../store/schema.ts";
import type { IvsContext } from "./context.ts";
import { Resources } from "./resources.ts";

export const channelRows = new Resources("channel", "channels", "Channel");

/** @throws ServiceError when there is no such channel */
export function channelOf(database: Database, context: IvsContext, arn: string): Promise<ChannelRow> {
  return channelRows.byArn(database, context, arn);
}
