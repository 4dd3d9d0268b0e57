/** What was on the air: GetStreamSession, ListStreamSessions. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { notFound, validation } from "../aws/service-error.ts";
import type { StreamSessionRow } from "../store/schema.ts";
import { channelOf } from "./channel-row.ts";
import type { IvsContext } from "./context.ts";
import * as shapes from "./shapes.ts";

/** Events shown of a session, the newest first. */
const EVENTS_MAX = 500;

export const streamSessionOperations = {
  GetStreamSession: operation({
    input: z.object({ channelArn: shapes.arn("channel"), streamId: shapes.streamId.optional() }),
    role: "read-only",
    async run(context: IvsContext, { channelArn, streamId }) {
      const { id } = await channelOf(context.database, context, channelArn);
      let query = context.database
        .selectFrom("stream_sessions")
        .selectAll()
        .where("channel_id", "=", id)
        .orderBy("start_at", "desc")
        .limit(1);
      if (streamId !== undefined) query = query.where("id", "=", streamId);
      const row = await query.executeTakeFirst();
      if (row === undefined) throw notFound(`Stream session of ${channelArn} not found`);
      const events = await context.database
        .selectFrom("stream_events")
        .selectAll()
        .where("session_id", "=", row.id)
        .orderBy("id", "desc")
        .limit(EVENTS_MAX)
        .execute();
      const truncatedEvents = events.map(({ name, type, at, code }) => ({
        name,
        type,
        eventTime: time(at),
        ...(code === "" ? {} : { code }),
      }));
      return {
        streamSession: {
          ...times(row),
          channel: parsed(row.channel),
          ...ingest(row),
          recordingConfiguration: (parsed(row.recording) as { configuration?: object } | undefined)?.configuration,
          truncatedEvents,
        },
      };
    },
  }),
  ListStreamSessions: operation({
    input: z.object({ ...shapes.paging, channelArn: shapes.arn("channel") }),
    role: "read-only",
    async run(context: IvsContext, { channelArn, nextToken, maxResults = 100 }) {
      const { id } = await channelOf(context.database, context, channelArn);
      const before = nextToken === undefined ? Number.MAX_SAFE_INTEGER : Number(nextToken);
      if (!Number.isSafeInteger(before)) throw validation("nextToken is not one that was given");
      const rows = await context.database
        .selectFrom("stream_sessions")
        .selectAll()
        .where("channel_id", "=", id)
        .where("start_at", "<", before)
        .orderBy("start_at", "desc")
        .limit(maxResults + 1)
        .execute();
      const listed = rows.slice(0, maxResults);
      const more = rows.length > maxResults ? { nextToken: String(listed.at(-1)!.start_at) } : {};
      return { streamSessions: listed.map((row) => ({ ...times(row), hasErrorEvent: row.has_error_event === 1 })), ...more };
    },
  }),
};

function times({ id, start_at, end_at }: StreamSessionRow) {
  return { streamId: id, startTime: time(start_at), ...(end_at === 0 ? {} : { endTime: time(end_at) }) };
}

function time(at: number): string {
  return new Date(at).toISOString();
}

function parsed(json: string): unknown {
  return json === "" ? undefined : JSON.parse(json);
}

interface Ingest {
  readonly video?: object;
  readonly audio?: object;
  /** Of multitrack video the pictures beside the first. */
  readonly others?: readonly object[];
}

function ingest(row: StreamSessionRow) {
  if (row.ingest === "") return {};
  const { others = [], ...ingestConfiguration } = JSON.parse(row.ingest) as Ingest;
  const { video, audio } = ingestConfiguration;
  const ingestConfigurations = {
    videoConfigurations: video === undefined ? [] : [video, ...others],
    audioConfigurations: audio === undefined ? [] : [audio],
  };
  return { ingestConfiguration, ingestConfigurations };
}
