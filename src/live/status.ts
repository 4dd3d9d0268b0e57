/**
 * The state of the origin as JSON: what the page and any monitor read. Times on the wall are Unix milliseconds of the server's clock, which `now` lets
 * a reader compare with its own.
 */
import type { Track } from "../media/unit.ts";
import type { Channel } from "./channel.ts";
import type { Source } from "./delivery.ts";

export interface Status {
  readonly now: number;
  readonly channels: readonly ChannelStatus[];
  readonly ingest: {
    /** TCP port on which encoders publish. */
    readonly port: number;
    readonly connections: number;
    readonly accepted: number;
    readonly refused: Readonly<Record<string, number>>;
    /** UDP port for SRT, where it is served, and who calls there. */
    readonly srt?: { readonly port: number; readonly connections: number; readonly counters: Readonly<Record<string, number>> };
  };
  /** Whatever the composition adds; see `Extra` in link-figures.ts for what the page shows. */
  readonly extra?: unknown;
}

export interface ChannelStatus {
  readonly name: string;
  /** The multivariant playlist's address. */
  readonly url: string;
  readonly live: boolean;
  /** When the stream began; 0 while offline. */
  readonly since: number;
  readonly tracks: readonly TrackStatus[];
  /** Media received, bits per second over the last three seconds. */
  readonly bitsPerSecond: number;
  readonly lastArrival: number;
  /** How much later than the fastest unit of the stream the last one came, ms. */
  readonly lateMs: number;
  readonly partTargetMs: number;
  readonly targetDuration: number;
  /** The part being made. */
  readonly next: { readonly msn: number; readonly part: number };
  readonly lastPart: number;
  /** Requests waiting for that part. */
  readonly waiting: number;
  readonly bytesHeld: number;
  readonly counters: Readonly<Record<string, number>>;
}

export interface TrackStatus {
  readonly kind: "video" | "audio";
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
}

/** `lists`: which channels are told of. */
export function status(source: Source, extra: unknown, lists: (channel: Channel) => boolean = () => true): Status {
  const channels = [...source.channels.values()].filter(lists).map((channel) => channelStatus(channel, source.now()));
  return { now: source.wallClock(), channels, ingest: source.ingest, ...(extra === undefined ? {} : { extra }) };
}

function channelStatus(channel: Channel, now: number): ChannelStatus {
  const { window, segmenter } = channel;
  return {
    name: channel.name,
    url: `/live/${channel.name}/index.m3u8`,
    live: channel.live,
    since: channel.since,
    tracks: channel.tracks.map(trackStatus),
    bitsPerSecond: Math.round(channel.bitsPerSecond(now)),
    lastArrival: channel.lastArrival,
    lateMs: Math.round(segmenter?.lateMs ?? 0),
    partTargetMs: window.partTarget / 1000,
    targetDuration: window.targetDuration,
    next: { msn: window.nextMsn, part: window.nextPart },
    lastPart: channel.lastPart,
    waiting: channel.waiters.length,
    bytesHeld: window.bytesHeld,
    counters: { ...channel.counters, ...channel.waiters.counters, ...window.counters, ...segmenter?.counters },
  };
}

/** The configuration stays inside: it is bytes for a decoder. */
function trackStatus(track: Track): TrackStatus {
  const { kind, codec } = track;
  if (track.kind === "video") return { kind, codec, width: track.width, height: track.height, framesPerSecond: track.framesPerSecond };
  return { kind, codec, sampleRate: track.sampleRate, channels: track.channels };
}
