/** The metric families of a live origin: its channels, its encoders, and who waits. */
import type { ChannelStatus, Status } from "../live/status.ts";
import type { Family, Sample } from "./exposition.ts";
import { snake } from "./snake.ts";

/** Counters of a channel that have a family of their own; the others are events. */
const named = new Set(["bytes", "units", "streams"]);

export function liveFamilies({ channels, ingest }: Status): Family[] {
  const each = (of: (channel: ChannelStatus) => number): Sample[] =>
    channels.map((channel) => ({ labels: { channel: channel.name }, value: of(channel) }));
  return [
    {
      name: "longhaul_live_on_air",
      type: "gauge",
      help: "Whether an encoder publishes to the channel.",
      samples: each(({ live }) => Number(live)),
    },
    {
      name: "longhaul_live_media_bytes",
      type: "counter",
      unit: "bytes",
      help: "Media received.",
      samples: each(({ counters }) => counters.bytes ?? 0),
    },
    {
      name: "longhaul_live_units",
      type: "counter",
      help: "Frames of video and audio received.",
      samples: each(({ counters }) => counters.units ?? 0),
    },
    {
      name: "longhaul_live_publications",
      type: "counter",
      help: "Times an encoder began to publish.",
      samples: each(({ counters }) => counters.streams ?? 0),
    },
    {
      name: "longhaul_live_late_seconds",
      type: "gauge",
      unit: "seconds",
      help: "How much later than the fastest frame of the stream the last one came.",
      samples: each(({ lateMs }) => lateMs / 1000),
    },
    {
      name: "longhaul_live_last_part_timestamp_seconds",
      type: "gauge",
      unit: "seconds",
      help: "When the last part was made, Unix time; 0 before the first.",
      samples: each(({ lastPart }) => lastPart / 1000),
    },
    {
      name: "longhaul_live_waiting_requests",
      type: "gauge",
      help: "Requests that wait for the next part.",
      samples: each(({ waiting }) => waiting),
    },
    {
      name: "longhaul_live_held_bytes",
      type: "gauge",
      unit: "bytes",
      help: "Memory that the channel's media takes.",
      samples: each(({ bytesHeld }) => bytesHeld),
    },
    {
      name: "longhaul_live_events",
      type: "counter",
      help: "Whatever else a channel counts.",
      samples: channels.flatMap(({ name: channel, counters }) =>
        Object.entries(counters)
          .filter(([event]) => !named.has(event))
          .map(([event, value]) => ({ labels: { channel, event: snake(event) }, value })),
      ),
    },
    { name: "longhaul_live_encoders", type: "gauge", help: "Encoders connected.", samples: [{ value: ingest.connections }] },
    { name: "longhaul_live_accepted_encoders", type: "counter", help: "Connections of encoders.", samples: [{ value: ingest.accepted }] },
    {
      name: "longhaul_live_refused_encoders",
      type: "counter",
      help: "Encoders refused, by why.",
      samples: Object.entries(ingest.refused).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    ...(ingest.srt === undefined ? [] : srtFamilies(ingest.srt)),
  ];
}

function srtFamilies({ connections, counters }: NonNullable<Status["ingest"]["srt"]>): Family[] {
  return [
    { name: "longhaul_live_srt_encoders", type: "gauge", help: "Encoders connected by SRT.", samples: [{ value: connections }] },
    {
      name: "longhaul_live_srt_events",
      type: "counter",
      help: "Calls by SRT, and datagrams that were dropped, by why.",
      samples: Object.entries(counters).map(([event, value]) => ({ labels: { event: snake(event) }, value })),
    },
  ];
}
