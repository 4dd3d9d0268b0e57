/** Viewers who are sent away: StartViewerSessionRevocation, BatchStartViewerSessionRevocation. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { ServiceError } from "../aws/service-error.ts";
import { changed } from "../store/database.ts";
import { channelOf } from "./channel-row.ts";
import type { IvsContext } from "./context.ts";
import * as shapes from "./shapes.ts";

const session = z.object({
  channelArn: shapes.arn("channel"),
  viewerId: shapes.viewerId,
  viewerSessionVersionsLessThanOrEqualTo: z.int().min(0, "Member must have value greater than or equal to 0").default(0),
});
type Session = z.output<typeof session>;

export const viewerSessionOperations = {
  StartViewerSessionRevocation: operation({
    input: session,
    role: "operator",
    resource: ({ channelArn }) => channelArn,
    async run(context: IvsContext, input) {
      await revoke(context, input);
      return {};
    },
  }),
  BatchStartViewerSessionRevocation: operation({
    input: z.object({ viewerSessions: shapes.batch(session, 20) }),
    role: "operator",
    resource: ({ viewerSessions }) => viewerSessions.map(({ channelArn }) => channelArn).join(" "),
    async run(context: IvsContext, { viewerSessions }) {
      const errors = [];
      for (const input of viewerSessions) {
        try {
          await revoke(context, input);
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          errors.push({ channelArn: input.channelArn, viewerId: input.viewerId, code: error.code, message: error.message });
        }
      }
      return { errors };
    },
  }),
};

async function revoke(
  context: IvsContext,
  { channelArn, viewerId, viewerSessionVersionsLessThanOrEqualTo: version }: Session,
): Promise<void> {
  const { id } = await channelOf(context.database, context, channelArn);
  await context.database.transaction().execute(async (trx) => {
    const known = await trx
      .selectFrom("viewer_revocations")
      .select("version")
      .where("channel_id", "=", id)
      .where("viewer_id", "=", viewerId)
      .executeTakeFirst();
    const row = { channel_id: id, viewer_id: viewerId, version: Math.max(version, known?.version ?? 0), at: context.now() };
    await trx
      .insertInto("viewer_revocations")
      .values(row)
      .onConflict((on) => on.columns(["channel_id", "viewer_id"]).doUpdateSet({ version: row.version, at: row.at }))
      .execute();
    await changed(trx);
  });
  context.live.revoke(id, viewerId, version);
}
