/**
 * The origin under the API: channels of the store are opened on it, what happens on them becomes sessions and events, and what the API asks for is done.
 */
import type { Log } from "../../host/log.ts";
import type { Origin } from "../../live/origin.ts";
import type { Publisher, Refusal } from "../../live/publisher.ts";
import { statusCode } from "../../media/rtmp/command.ts";
import { channelView } from "../ivs/channel-view.ts";
import type { IvsContext } from "../ivs/context.ts";
import type { LiveService, LiveStream } from "../ivs/live-service.ts";
import { Concurrency, type ConcurrencyLimits } from "./concurrency.ts";
import { Directory } from "./directory.ts";
import type { EventSink, StreamEvent } from "./events.ts";
import { ingestConfiguration } from "./ingest-configuration.ts";
import { IngestHealth, type IngestHealthView } from "./ingest-health.ts";
import type { Breach } from "./ingest-limits.ts";
import { finishRecording } from "./interrupted-recording.ts";
import { multitrackRules } from "./multitrack-input.ts";
import { Recorder } from "./recorder.ts";
import { Renditions, TranscoderPlaces } from "./renditions.ts";
import { type RecordedSession, SessionLog } from "./session-log.ts";
import { SoundAlone } from "./sound-alone.ts";
import type { Storage } from "./storage.ts";
import { StreamWatch } from "./stream-watch.ts";
import type { TakePicture } from "./thumbnails.ts";
import { ViewerCount } from "./viewer-count.ts";

const TICK_MS = 1000;

export interface InstallationOriginOptions {
  /** Told of every event beside the store. */
  readonly sinks?: readonly EventSink[];
  /** Where recordings go; without it there are none. */
  readonly storage?: Storage;
  readonly picture?: TakePicture;
  /** Most streams that get renditions at once; default none. */
  readonly transcoders?: number;
  /** Default: no limits. */
  readonly concurrency?: ConcurrencyLimits;
}

export class InstallationOrigin implements LiveService {
  readonly directory: Directory;
  readonly viewers = new ViewerCount();
  readonly sessions: SessionLog;
  readonly concurrency: Concurrency;
  readonly #origin: Origin;
  readonly #context: Omit<IvsContext, "live">;
  readonly #watches = new Map<string, StreamWatch>();
  readonly #recorders = new Map<string, Recorder>();
  readonly #renditions = new Map<string, Renditions>();
  readonly #sounds = new Map<string, SoundAlone>();
  readonly #health = new Map<string, IngestHealth>();
  readonly #places: TranscoderPlaces;
  readonly #sinks: readonly EventSink[];
  readonly #storage: Storage | undefined;
  readonly #picture: TakePicture;
  readonly #log: Log;
  readonly #transcodes: boolean;
  #timer: NodeJS.Timeout | undefined;
  #finishing: Promise<void> = Promise.resolve();

  constructor(origin: Origin, context: Omit<IvsContext, "live">, log: Log, options: InstallationOriginOptions = {}) {
    this.#storage = options.storage;
    this.#picture = options.picture ?? (async () => undefined);
    this.#places = new TranscoderPlaces(options.transcoders ?? 0);
    this.#transcodes = (options.transcoders ?? 0) > 0;
    this.#origin = origin;
    this.#context = context;
    this.#log = log;
    this.directory = new Directory(context, origin, log);
    this.sessions = new SessionLog(context.database, log);
    this.#sinks = [(event) => this.sessions.event(event), ...(options.sinks ?? [])];
    this.concurrency = new Concurrency(options.concurrency ?? { broadcasts: 0, viewers: 0 }, (event) => this.#tell(event), context.now);
    origin.guard((channel, publisher) => this.#guard(channel, publisher));
    origin.allowMultitrack((channel) => multitrackRules(this.directory.channel(channel)?.row.multitrack ?? ""));
    origin.contested({
      takenOver: (channel) => this.#watches.get(channel)?.takenOver(),
      refused: (channel, byPriority) => this.#watches.get(channel)?.takeoverRefused(byPriority),
    });
  }

  async start(): Promise<void> {
    // Behind our back: a store that is away must not keep encoders and viewers waiting.
    this.#finishing = this.#finish(await this.sessions.closeLeftOvers(this.#context.now()));
    await this.changed();
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const watch of this.#watches.values()) watch.close();
    for (const sound of this.#sounds.values()) sound.close();
    // Recordings are whole when their renditions are.
    await Promise.all([...this.#renditions.values()].map((renditions) => renditions.close()));
    for (const recorder of this.#recorders.values()) await recorder.close();
    await this.#finishing;
    await this.sessions.settled();
  }

  async #finish(left: readonly RecordedSession[]): Promise<void> {
    const storage = this.#storage;
    if (storage === undefined) return;
    for (const { bucket, prefix } of left) {
      try {
        if (await finishRecording(storage, bucket, prefix, this.#context.now()))
          this.#log.info({ bucket, prefix }, "recording of before was ended");
      } catch (error) {
        this.#log.error({ bucket, prefix, error: (error as Error).message }, "a recording of before cannot be ended");
      }
    }
  }

  async changed(): Promise<void> {
    await this.directory.refresh();
    for (const [id, watch] of this.#watches) {
      if (this.#origin.channels.get(id) === watch.channel) continue;
      watch.close();
      this.#watches.delete(id);
      this.#health.get(id)?.close();
      this.#health.delete(id);
      this.#sounds.get(id)?.close();
      this.#sounds.delete(id);
      const [renditions, recorder] = [this.#renditions.get(id), this.#recorders.get(id)];
      this.#renditions.delete(id);
      this.#recorders.delete(id);
      // Behind our back, too: other changes must not wait for what a transcoder still has to do.
      const ended = (async () => {
        await renditions?.close();
        await recorder?.close();
      })();
      this.#finishing = Promise.all([this.#finishing, ended]).then(() => {});
    }
    for (const [id, channel] of this.#origin.channels) {
      if (this.#watches.has(id) || this.directory.channel(id) === undefined) continue;
      const watch = this.#watch(id, channel);
      this.#watches.set(id, watch);
      this.#health.set(id, new IngestHealth(channel));
      if (this.#storage !== undefined) this.#recorders.set(id, this.#recorder(watch, this.#storage));
      this.#sounds.set(
        id,
        new SoundAlone(channel, { type: () => this.directory.channel(id)?.row.type ?? "BASIC", now: () => this.#origin.now() }),
      );
      if (this.#transcodes) this.#renditions.set(id, this.#rendering(watch));
    }
  }

  stream(channelId: string): LiveStream | undefined {
    const watch = this.#watches.get(channelId);
    return watch === undefined || watch.streamId === "" ? undefined : this.#view(watch);
  }

  streams(): readonly LiveStream[] {
    return [...this.#watches.values()].filter(({ streamId }) => streamId !== "").map((watch) => this.#view(watch));
  }

  /** How its ingest did over the last ten minutes; undefined: there is no such channel. */
  ingestHealth(channelId: string): IngestHealthView | undefined {
    return this.#health.get(channelId)?.view(this.#context.now());
  }

  stop(channelId: string): void {
    this.#origin.turnAway(channelId, { code: statusCode.failed, reason: "stopped", description: "the stream was stopped" });
  }

  putMetadata(channelId: string, text: string): void {
    this.#origin.channels.get(channelId)?.text(text);
  }

  /** The directory knows it already; whoever plays is refused at its next request. */
  revoke(): void {
    void this.changed();
  }

  #view({ channel, streamId, startedAt, health }: StreamWatch): LiveStream {
    return { channelId: channel.name, streamId, startedAt, health, viewers: this.viewers.count(channel.name, this.#context.now()) };
  }

  #guard(channel: string, publisher: Publisher): Refusal | undefined {
    const known = this.directory.channel(channel);
    if (known === undefined) return undefined;
    const others = this.streams().filter(({ channelId }) => channelId !== channel).length;
    if (!this.concurrency.admits("broadcasts", others))
      return { code: statusCode.publishDenied, reason: "broadcasts", description: "as many channels are on the air as are allowed" };
    if (publisher.secure || known.row.insecure_ingest === 1) return undefined;
    return {
      code: statusCode.publishDenied,
      reason: "insecure",
      description: "this channel takes streams by RTMPS, WHIP and encrypted SRT only; set insecureIngest to allow others",
    };
  }

  #watch(id: string, channel: StreamWatch["channel"]): StreamWatch {
    const row = () => this.directory.channel(id)?.row;
    return new StreamWatch(channel, {
      now: this.#context.now,
      facts: () => ({
        name: row()?.name ?? "",
        type: row()?.type ?? "STANDARD",
        pixelsMax: multitrackRules(row()?.multitrack ?? "").pixelsMax,
      }),
      started: (streamId, startAt) => this.sessions.started({ id: streamId, channelId: id, startAt, channel: this.#snapshot(id) }),
      ingest: (streamId, tracks, rate) => {
        const others = [...channel.others].map(([name, track]) => ({
          track,
          rate: channel.renditions.get(name)?.bitsPerSecond(this.#origin.now()) ?? 0,
        }));
        this.sessions.ingest(streamId, JSON.stringify(ingestConfiguration(tracks, rate, channel.told, others)));
      },
      ended: (streamId, at) => this.sessions.ended(streamId, at),
      event: (event) => this.#tell(event),
      breached: (which, reason) => this.#breached(id, which, reason),
    });
  }

  #rendering(watch: StreamWatch): Renditions {
    const id = watch.channel.name;
    const row = () => this.directory.channel(id)?.row;
    return new Renditions(watch.channel, {
      places: this.#places,
      facts: () => ({ type: row()?.type ?? "BASIC", preset: row()?.preset ?? "" }),
      now: () => this.#origin.now(),
      log: this.#log,
      unavailable: (reason) =>
        this.#tell({
          at: this.#context.now(),
          channelId: id,
          channelName: row()?.name ?? "",
          streamId: watch.streamId,
          type: "IVS Stream Health Change",
          name: "Renditions Unavailable",
          error: true,
          detail: { reason },
        }),
    });
  }

  #recorder({ channel }: StreamWatch, storage: Storage): Recorder {
    const id = channel.name;
    const known = () => this.directory.channel(id)?.recording;
    return new Recorder(channel, {
      storage,
      place: this.#context.place,
      settings: () => known()?.settings,
      picture: this.#picture,
      now: this.#context.now,
      log: this.#log,
      begun: (bucket, prefix) => {
        const { arn, name, settings } = known()!;
        const { streamId } = this.#watches.get(id)!;
        this.sessions.recorded(streamId, { configuration: { arn, name, ...settings, tags: {} }, bucket, prefix });
        return streamId;
      },
      // A recording ends behind its stream, and is told of there all the same.
      event: (streamId, name, error, detail) => {
        const channelName = this.directory.channel(id)?.row.name ?? "";
        this.#tell({
          at: this.#context.now(),
          channelId: id,
          channelName,
          streamId,
          type: "IVS Recording State Change",
          name,
          error,
          detail,
        });
      },
    });
  }

  #tell(event: StreamEvent): void {
    this.#log.info({ channel: event.channelId, stream: event.streamId, type: event.type }, event.name);
    for (const sink of this.#sinks) sink(event);
  }

  #breached(id: string, which: Breach, reason: string): void {
    const { name, limit, exceededBy, unit } = which;
    const description = `${name}: ${limit + exceededBy} ${unit}, where the channel allows ${limit}`;
    // Not from within the encoder's own call.
    queueMicrotask(() => this.#origin.turnAway(id, { code: statusCode.failed, reason, description }));
  }

  #snapshot(id: string): string {
    const row = this.directory.channel(id)?.row;
    if (row === undefined) return "";
    const { srt: _, ...shown } = channelView({ ...this.#context, live: this }, row, {}) as { srt?: object };
    return JSON.stringify(shown);
  }

  /** What is due about once a second: who starves, what changed in the store. */
  tick(): void {
    const now = this.#origin.now();
    for (const [id, watch] of this.#watches) {
      watch.tick(now);
      this.#health.get(id)?.tick(now, this.viewers.count(id, this.#context.now()), watch.health === "STARVING");
    }
    this.changed().catch((error: Error) => this.#log.error({ error: error.message }, "the store cannot be read"));
  }
}
