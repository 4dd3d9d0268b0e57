/** Limits of one RTMP connection. What hits one is in `RtmpStats` beside it; every one but the last two ends the connection. */
import type { Bytes, Millis } from "../../base/units.ts";

export interface RtmpLimits {
  /** Largest message. A keyframe at 8.5 Mbit/s takes a few hundred kilobytes. */
  readonly messageBytesMax: Bytes;
  /** Memory held by messages that are still incomplete, over all chunk streams. */
  readonly assemblyBytesMax: Bytes;
  /** Chunk stream ids ever used by the peer; encoders use three to six. */
  readonly chunkStreamsMax: number;
  /** Largest command; they take hundreds of bytes. */
  readonly commandBytesMax: Bytes;
  /** Bytes waiting to be sent. */
  readonly outboxBytesMax: Bytes;
  /** Events waiting for `event`, and the bytes of media in them. */
  readonly eventsMax: number;
  readonly eventBytesMax: Bytes;
  /** Message streams a peer may create; more are answered with an error. */
  readonly netStreamsMax: number;
  /** Longest application and stream name, in characters. Longer ones are refused. */
  readonly nameCharactersMax: number;
  /** From the first byte to the request to publish. */
  readonly setupMillis: Millis;
  /** Silence of a peer that publishes. */
  readonly idleMillis: Millis;
}

export const defaultLimits: RtmpLimits = {
  messageBytesMax: 8 * 1024 * 1024,
  assemblyBytesMax: 16 * 1024 * 1024,
  chunkStreamsMax: 64,
  commandBytesMax: 65_536,
  outboxBytesMax: 256 * 1024,
  eventsMax: 8192,
  eventBytesMax: 16 * 1024 * 1024,
  netStreamsMax: 8,
  nameCharactersMax: 1024,
  setupMillis: 15_000,
  idleMillis: 30_000,
};

/** Plain counters, one set a connection. */
export interface RtmpStats {
  receivedBytes: number;
  receivedChunks: number;
  receivedMessages: number;
  /** Largest memory held by incomplete messages so far. */
  assemblyBytesPeak: number;
  /** Incomplete messages the peer took back (Abort). */
  aborted: number;
  messageLimitHits: number;
  assemblyLimitHits: number;
  chunkStreamLimitHits: number;
  commandLimitHits: number;
  outboxLimitHits: number;
  eventLimitHits: number;
  netStreamLimitHits: number;
  nameLimitHits: number;
  timeouts: number;
  /** Control, command and data messages that could not be read. */
  damagedMessages: number;
  /** Messages of a type or a stream nobody here listens to, and media before or after publishing. */
  ignoredMessages: number;
  unknownCommands: number;
}

export function newStats(): RtmpStats {
  return {
    receivedBytes: 0,
    receivedChunks: 0,
    receivedMessages: 0,
    assemblyBytesPeak: 0,
    aborted: 0,
    messageLimitHits: 0,
    assemblyLimitHits: 0,
    chunkStreamLimitHits: 0,
    commandLimitHits: 0,
    outboxLimitHits: 0,
    eventLimitHits: 0,
    netStreamLimitHits: 0,
    nameLimitHits: 0,
    timeouts: 0,
    damagedMessages: 0,
    ignoredMessages: 0,
    unknownCommands: 0,
  };
}
