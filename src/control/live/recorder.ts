/**
 * Records channels that have a recording configuration: a stream begins, its segments are written behind its back, it ends; an encoder that comes back within
 * the configuration's window goes on in the same recording. What waits to be written is bounded; a storage that fails ends the recording with an event.
 *
 *   started ─▶ Recording Start ─ segments ─▶ ended ── reconnect window ──▶ Recording End
 */
import type { Log } from "../../host/log.ts";
import type { Channel, ChannelListener } from "../../live/channel.ts";
import type { Segment } from "../../media/hls/window.ts";
import type { Track } from "../../media/unit.ts";
import type { RecordingSettings } from "../ivs/recording-configurations.ts";
import { randomId } from "../random-id.ts";
import { Recording } from "./recording.ts";
import type { Storage } from "./storage.ts";
import { type TakePicture, Thumbnails } from "./thumbnails.ts";

/** Segments that wait for the storage. */
const WAITING_MAX = 16;

export interface RecorderOptions {
  readonly storage: Storage;
  readonly account: string;
  /** What the channel is to be recorded by, now; undefined: not at all. */
  readonly settings: () => RecordingSettings | undefined;
  readonly picture: TakePicture;
  /** Unix ms. */
  readonly now: () => number;
  /** "Recording Start", "Recording End", "Recording Start Failure", "Recording End Failure". */
  readonly event: (name: string, failure: boolean, prefix: string) => void;
  /** Where the stream that begins is recorded. */
  readonly begun: (bucket: string, prefix: string) => void;
  readonly log: Log;
}

export class Recorder implements ChannelListener {
  readonly #channel: Channel;
  readonly #options: RecorderOptions;
  #recording: Recording | undefined;
  #thumbnails: Thumbnails | undefined;
  #settings: RecordingSettings | undefined;
  #tracks: readonly Track[] = [];
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #closing: NodeJS.Timeout | undefined;
  readonly counters = { segments: 0, dropped: 0, failed: 0 };

  constructor(channel: Channel, options: RecorderOptions) {
    this.#channel = channel;
    this.#options = options;
    channel.listeners.add(this);
  }

  started(): void {
    const { storage, account, settings, now, begun } = this.#options;
    if (this.#closing !== undefined && this.#recording !== undefined) {
      clearTimeout(this.#closing);
      this.#closing = undefined;
      begun(this.#recording.place.bucket, this.#recording.prefix);
      return;
    }
    this.#settings = settings();
    if (this.#settings === undefined) return;
    const bucket = this.#settings.destinationConfiguration.s3.bucketName;
    const recording = new Recording(storage, { account, channelId: this.#channel.name, bucket, startedAt: now(), id: randomId(12) });
    this.#recording = recording;
    this.#thumbnails = new Thumbnails(storage, bucket, recording.prefix, this.#settings.thumbnailConfiguration, this.#options.picture);
    begun(bucket, recording.prefix);
    this.#later(recording, "Recording Start Failure", async () => {
      await recording.start();
      this.#options.event("Recording Start", false, recording.prefix);
    });
  }

  tracks(tracks: readonly Track[]): void {
    this.#tracks = tracks;
  }

  unit(): void {}

  segment(segment: Segment, init: Uint8Array): void {
    const recording = this.#recording;
    if (recording === undefined || this.#settings?.renditionConfiguration.renditionSelection === "NONE") return;
    if (this.#waiting >= WAITING_MAX) {
      this.counters.dropped++;
      return;
    }
    const tracks = this.#tracks;
    const thumbnails = this.#thumbnails;
    this.#later(recording, "Recording End Failure", async () => {
      await recording.add(segment, init, tracks);
      this.counters.segments++;
      await thumbnails?.take(segment, init);
    });
  }

  ended(): void {
    if (this.#recording === undefined) return;
    const seconds = this.#settings?.recordingReconnectWindowSeconds ?? 0;
    this.#closing = setTimeout(() => this.#end(), seconds * 1000);
  }

  /** All that was handed over is written. */
  async close(): Promise<void> {
    this.#channel.listeners.delete(this);
    clearTimeout(this.#closing);
    this.#end();
    await this.#work;
  }

  #end(): void {
    const recording = this.#recording;
    this.#closing = undefined;
    if (recording === undefined) return;
    this.#later(recording, "Recording End Failure", async () => {
      await recording.end();
      this.#options.event("Recording End", false, recording.prefix);
    });
    this.#recording = undefined;
  }

  /** One thing after another; the first that fails ends the recording. */
  #later(recording: Recording, failure: string, write: () => Promise<void>): void {
    this.#waiting++;
    this.#work = this.#work.then(async () => {
      this.#waiting--;
      if (recording.failed) return;
      try {
        await write();
      } catch (error) {
        recording.failed = true;
        this.counters.failed++;
        const { message } = error as Error;
        this.#options.log.error({ channel: this.#channel.name, error: message }, "the recording cannot be written");
        this.#options.event(failure, true, recording.prefix);
        await recording.fail(message).catch(() => {});
      }
    });
  }
}
