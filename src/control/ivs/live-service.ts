/** What the API needs of the live origin: what is on the air, and to act on it. */
export type Health = "HEALTHY" | "STARVING" | "UNKNOWN";

export interface LiveStream {
  readonly channelId: string;
  /** st-… */
  readonly streamId: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly health: Health;
  readonly viewers: number;
}

export interface LiveService {
  /** Undefined: the channel is off the air. */
  stream(channelId: string): LiveStream | undefined;
  streams(): readonly LiveStream[];
  /** Ends the encoder's stream and keeps it away for a moment, or it would come back at once. */
  stop(channelId: string): void;
  /** Puts a text into the stream as timed metadata. */
  putMetadata(channelId: string, text: string): void;
  /** Sessions of a viewer up to a version are over. */
  revoke(channelId: string, viewerId: string, version: number): void;
  /** Channels, keys or policies were changed, by this process or another. */
  changed(): Promise<void>;
}
