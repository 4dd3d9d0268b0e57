/**
 * Records channels that have a recording configuration: a stream's first segment decides where, its segments and its renditions' are written behind its back, it ends; an
 * encoder that comes back within the configuration's window, with the same picture (merging.ts), goes on in the same recording. What waits to be written is bounded; a storage
 * that fails ends the recording with an event.
 *
 *   started ─▶ first segment: Recording Start ─ segments ─▶ ended ── reconnect window, and its renditions ended, too ──▶ Recording End
 *
 * A rendition may end behind its stream (renditions.ts), when the next stream is there already: its segments belong to its own stream's recording all the same, and
 * come before those of the rendition that follows it there.
 */
import type { Log } from "../../host/log.ts";
import type { Channel, ChannelListener } from "../../live/channel.ts";
import type { Segment } from "../../media/hls/window.ts";
import { type Track, videoTrack } from "../../media/unit.ts";
import type { Place } from "../ivs/arn.ts";
import type { RecordingSettings } from "../ivs/recording-configurations.ts";
import { randomId } from "../random-id.ts";
import type { StreamEvent } from "./events.ts";
import { merges } from "./merging.ts";
import { selected } from "./recorded-sizes.ts";
import { Recording } from "./recording.ts";
import type { Storage } from "./storage.ts";
import { picturesOf, type TakePicture, Thumbnails } from "./thumbnails.ts";

/** Segments that wait for the storage, all renditions together. */
const WAITING_MAX = 64;

export interface RecorderOptions {
  readonly storage: Storage;
  readonly place: Place;
  /** What the channel is to be recorded by, now; undefined: not at all. */
  readonly settings: () => RecordingSettings | undefined;
  readonly picture: TakePicture;
  /** Unix ms. */
  readonly now: () => number;
  /** "Recording Start", "Recording End", "Recording Start Failure", "Recording End Failure". */
  readonly event: (streamId: string, name: string, failure: boolean, detail: NonNullable<StreamEvent["detail"]>) => void;
  /** Where the stream that is on the air is recorded; answers which one it is. */
  readonly begun: (bucket: string, prefix: string) => string;
  readonly log: Log;
}

/** A recording that is being written. */
interface Running {
  readonly recording: Recording;
  readonly settings: RecordingSettings;
  readonly thumbnails: Thumbnails;
  /** In events. */
  readonly sessionId: string;
  /** Of the encoder's own picture. */
  readonly tracks: readonly Track[];
  /** Of the encoder's own segments. */
  bytes: number;
  duration: number;
  /** No stream goes on in it. */
  over: boolean;
}

/** A stream, for its renditions. */
interface Stream {
  /** What it is recorded in; undefined: in nothing, or its first segment has not decided yet. */
  running: Running | undefined;
  /** Of all renditions that there were when it ended. */
  heights: readonly number[] | undefined;
}

/** A rendition from its beginning to its end. */
interface Coming {
  readonly key: string;
  readonly stream: Stream;
  /** Has its name, and has not ended: its segments come first. */
  before: Coming | undefined;
  /** What waits for that. */
  readonly held: (() => void)[];
  ended: boolean;
}

export class Recorder implements ChannelListener {
  readonly #channel: Channel;
  readonly #options: RecorderOptions;
  readonly #listeners = new Map<Channel, ChannelListener>();
  /** In the order in which they began. */
  readonly #coming = new Set<Coming>();
  #running: Running | undefined;
  #stream: Stream = { running: undefined, heights: undefined };
  /** By what a stream that has no segment yet is to be recorded. */
  #awaited: RecordingSettings | undefined;
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
    clearTimeout(this.#closing);
    this.#closing = undefined;
    this.#stream = { running: undefined, heights: undefined };
    this.#awaited = this.#options.settings();
    if (this.#awaited === undefined) this.#end();
  }

  tracks(): void {}

  unit(): void {}

  rendition(rendition: Channel): void {
    const key = rendition.name;
    const before = [...this.#coming].findLast((each) => each.key === key);
    const coming: Coming = { key, stream: this.#stream, before, held: [], ended: false };
    const segment = (made: Segment, init: Uint8Array): void => this.#write(coming, made, init, rendition.tracks);
    const ended = (): void => {
      rendition.listeners.delete(listener);
      this.#listeners.delete(rendition);
      coming.ended = true;
      this.#settle(coming);
    };
    const listener: ChannelListener = { tracks: () => {}, unit: () => {}, ended, segment };
    this.#coming.add(coming);
    this.#listeners.set(rendition, listener);
    rendition.listeners.add(listener);
  }

  segment(segment: Segment, init: Uint8Array): void {
    if (this.#awaited !== undefined) this.#decide(this.#awaited, segment);
    this.#write({ key: OWN, stream: this.#stream }, segment, init, this.#channel.tracks);
  }

  ended(): void {
    this.#awaited = undefined;
    this.#stream.heights = this.#heights();
    if (this.#running === undefined) return;
    const seconds = this.#running.settings.recordingReconnectWindowSeconds;
    this.#closing = setTimeout(() => this.#end(), seconds * 1000);
  }

  /** All that was handed over is written. */
  async close(): Promise<void> {
    this.#channel.listeners.delete(this);
    for (const [rendition, listener] of this.#listeners) rendition.listeners.delete(listener);
    for (const coming of this.#coming) coming.ended = true;
    for (const coming of this.#coming) this.#settle(coming);
    clearTimeout(this.#closing);
    this.#end();
    await this.#work;
  }

  /** The first segment of a stream: does it go on in a recording, or begin one? */
  #decide(settings: RecordingSettings, { byteLength, duration }: Segment): void {
    const { storage, place, picture, now, begun } = this.#options;
    this.#awaited = undefined;
    const { tracks } = this.#channel;
    const before = this.#running;
    if (before !== undefined && !before.recording.failed) {
      const { startedAt } = before.recording.place;
      const [rate, streams] = [(before.bytes * 8e6) / before.duration, before.recording.streamIds.length];
      if (merges({ tracks: before.tracks, rate, streams, age: now() - startedAt }, tracks, (byteLength * 8e6) / duration)) {
        before.recording.streamIds.push(begun(before.recording.place.bucket, before.recording.prefix));
        this.#stream.running = before;
        return;
      }
    }
    this.#end();
    const bucket = settings.destinationConfiguration.s3.bucketName;
    const at = { ...place, channelId: this.#channel.name, bucket, startedAt: now(), id: randomId(12) };
    const recording = new Recording(storage, at, tracks, picturesOf(settings.thumbnailConfiguration));
    const thumbnails = new Thumbnails(storage, bucket, recording.prefix, settings.thumbnailConfiguration, heightOf(tracks), picture);
    this.#running = { recording, settings, thumbnails, tracks, sessionId: randomId(12), bytes: 0, duration: 0, over: false };
    this.#stream.running = this.#running;
    recording.streamIds.push(begun(bucket, recording.prefix));
  }

  #write(of: Pick<Coming, "key" | "stream"> & Partial<Coming>, segment: Segment, init: Uint8Array, tracks: readonly Track[]): void {
    const { key, stream } = of;
    const { running } = stream;
    if (running === undefined) return;
    if (this.#waiting >= WAITING_MAX) {
      this.counters.dropped++;
      return;
    }
    const { recording, settings, thumbnails } = running;
    if (key === OWN) {
      running.bytes += segment.byteLength;
      running.duration += segment.duration;
    }
    const wanted = selected(settings.renditionConfiguration, heightOf(tracks), stream.heights ?? this.#heights());
    if (!wanted && key !== OWN) return;
    this.#waiting++;
    const write = async (): Promise<void> => {
      if (wanted) await recording.add(key, segment, init, tracks);
      else if (!recording.started) await recording.start();
      if (wanted) this.counters.segments++;
      if (!recording.told) this.#tell(running, "Recording Start", "");
      recording.told = true;
      if (key === OWN) await thumbnails.take(segment, init);
    };
    const hand = (): void => this.#later(running, write, 1);
    if (of.before === undefined) hand();
    else of.held!.push(hand);
  }

  /** A rendition that has ended lets what follows it go on, and completes its recording if that waited for it. */
  #settle(coming: Coming): void {
    if (!coming.ended || coming.before !== undefined || !this.#coming.delete(coming)) return;
    for (const next of this.#coming) {
      if (next.before !== coming) continue;
      next.before = undefined;
      for (const hand of next.held.splice(0)) hand();
      this.#settle(next);
    }
    if (coming.stream.running?.over === true) this.#complete(coming.stream.running);
  }

  /** Of all renditions that there are. */
  #heights(): readonly number[] {
    const others = [...this.#channel.renditions.values()].filter(({ live }) => live);
    return [this.#channel, ...others].map(({ tracks }) => heightOf(tracks));
  }

  #end(): void {
    const running = this.#running;
    this.#closing = undefined;
    this.#running = undefined;
    if (running === undefined) return;
    running.over = true;
    this.#complete(running);
  }

  /** It is whole when its renditions are. */
  #complete(running: Running): void {
    for (const { stream } of this.#coming) if (stream.running === running) return;
    this.#later(running, async () => {
      await running.recording.end(this.#options.now());
      this.#tell(running, "Recording End", "");
    });
  }

  /** One thing after another; the first that fails ends the recording. `waited`: how many of those that wait it is. */
  #later(running: Running, write: () => Promise<void>, waited = 0): void {
    const { recording } = running;
    const { log, now } = this.#options;
    this.#work = this.#work.then(async () => {
      this.#waiting -= waited;
      if (recording.failed) return;
      try {
        await write();
      } catch (error) {
        recording.failed = true;
        this.counters.failed++;
        const { message } = error as Error;
        log.error({ channel: this.#channel.name, error: message }, "the recording cannot be written");
        this.#tell(running, recording.started ? "Recording End Failure" : "Recording Start Failure", message);
        await recording.fail(now(), message).catch(() => {});
      }
    });
  }

  #tell({ recording, sessionId }: Running, name: string, reason: string): void {
    const { place, prefix, durationMs, streamIds } = recording;
    this.#options.event(streamIds.at(-1) ?? "", name, reason !== "", {
      recording_status_reason: reason,
      recording_s3_bucket_name: place.bucket,
      recording_s3_key_prefix: name === "Recording Start Failure" ? "" : prefix,
      recording_duration_ms: name === "Recording Start" ? 0 : durationMs,
      recording_session_id: sessionId,
      recording_session_stream_ids: [...streamIds],
    });
  }
}

function heightOf(tracks: readonly Track[]): number {
  return videoTrack(tracks)?.height ?? 0;
}

/** The encoder's own rendition. */
const OWN = "";
