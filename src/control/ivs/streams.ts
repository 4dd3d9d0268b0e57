/** What is on the air: GetStream, ListStreams, StopStream, PutMetadata. */
import { z } from "zod";
import { operation } from "../aws/operation.ts";
import { ServiceError, throttling, validation } from "../aws/service-error.ts";
import { arnOf } from "./arn.ts";
import { channelOf } from "./channel-row.ts";
import { playbackUrl } from "./channel-view.ts";
import type { IvsContext } from "./context.ts";
import type { LiveStream } from "./live-service.ts";
import { MetadataBudget } from "./metadata-budget.ts";
import * as shapes from "./shapes.ts";

/** Bytes of a text put into a stream. */
const METADATA_BYTES_MAX = 1024;
const channelArn = shapes.arn("channel");
const budget = new MetadataBudget();

export const streamOperations = {
  GetStream: operation({
    input: z.object({ channelArn }),
    role: "read-only",
    async run(context: IvsContext, input) {
      const { id } = await channelOf(context.database, context, input.channelArn);
      return { stream: { ...view(context, onTheAir(context, id)), playbackUrl: playbackUrl(context, id) } };
    },
  }),
  ListStreams: operation({
    input: z.object({ ...shapes.paging, filterBy: z.object({ health: shapes.health.optional() }).optional() }),
    role: "read-only",
    run(context: IvsContext, { filterBy, nextToken = "", maxResults = 100 }) {
      const streams = context.live
        .streams()
        .filter(({ health }) => filterBy?.health === undefined || health === filterBy.health)
        .toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1))
        .filter(({ streamId }) => streamId > nextToken);
      const listed = streams.slice(0, maxResults);
      const more = streams.length > listed.length ? { nextToken: listed.at(-1)!.streamId } : {};
      return { streams: listed.map((stream) => view(context, stream)), ...more };
    },
  }),
  StopStream: operation({
    input: z.object({ channelArn }),
    role: "operator",
    resource: (input) => input.channelArn,
    async run(context: IvsContext, input) {
      const { id } = await channelOf(context.database, context, input.channelArn);
      onTheAir(context, id);
      context.live.stop(id);
      return {};
    },
  }),
  PutMetadata: operation({
    input: z.object({ channelArn, metadata: z.string().min(1, "Member must have length greater than or equal to 1") }),
    role: "operator",
    status: 204,
    resource: (input) => input.channelArn,
    async run(context: IvsContext, { channelArn: arn, metadata }) {
      if (Buffer.byteLength(metadata) > METADATA_BYTES_MAX) throw validation(`metadata is longer than ${METADATA_BYTES_MAX} bytes`);
      const { id } = await channelOf(context.database, context, arn);
      onTheAir(context, id);
      if (!budget.take(id, context.now())) throw throttling("more metadata than 5 a second for a channel, or 155 for all");
      context.live.putMetadata(id, metadata);
      return undefined;
    },
  }),
};

/** @throws ServiceError when the channel is off the air */
function onTheAir({ live }: IvsContext, id: string): LiveStream {
  const stream = live.stream(id);
  if (stream === undefined) throw new ServiceError("ChannelNotBroadcasting", 404, "the channel is not broadcasting");
  return stream;
}

function view({ place }: IvsContext, { channelId, streamId, startedAt, health, viewers }: LiveStream) {
  return {
    channelArn: arnOf(place, "channel", channelId),
    streamId,
    state: "LIVE",
    health,
    viewerCount: viewers,
    startTime: new Date(startedAt).toISOString(),
  };
}
