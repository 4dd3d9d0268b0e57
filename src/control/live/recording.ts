/**
 * One recording in IVS's layout, segment by segment as they are completed:
 *
 *   ivs/v1/<account>/<channel>/<year>/<month>/<day>/<hour>/<minute>/<recording id>/
 *     events/recording-started.json, recording-ended.json or recording-failed.json
 *     media/hls/master.m3u8, byte-range-multivariant.m3u8, <rendition>/… (recorded-rendition.ts)
 *     media/thumbnails/thumb<N>.jpg, media/latest_thumbnail/thumb.jpg (thumbnails.ts)
 *
 * All playlists are whole after every segment, so a program that dies in between leaves a recording that plays and lacks at most the segment it was making.
 * Source: IVS's "Auto-Record to Amazon S3". Deviations: segments are CMAF also where the channel's container format is TS; a rendition that begins after the first segment
 * is put into recording-started.json then, which is written once more.
 */
import { multivariantPlaylist, type Variant } from "../../media/hls/multivariant-playlist.ts";
import type { Segment } from "../../media/hls/window.ts";
import { type Track, videoTrack } from "../../media/unit.ts";
import { arnOf } from "../ivs/arn.ts";
import { PLAYLIST, RANGES, RecordedRendition, VERSION } from "./recorded-rendition.ts";
import type { Storage } from "./storage.ts";

export interface RecordingPlace {
  readonly region: string;
  readonly account: string;
  readonly channelId: string;
  readonly bucket: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly id: string;
}

/** Pictures beside the media: their size for a stream of this size, and where they are; undefined: there are none. */
export interface Pictures {
  size(width: number, height: number): { readonly width: number; readonly height: number };
  readonly sequential: boolean;
  readonly latest: boolean;
}

export const MASTER = "master.m3u8";
export const RANGES_MASTER = "byte-range-multivariant.m3u8";

export class Recording {
  readonly place: RecordingPlace;
  readonly prefix: string;
  /** Streams that are in it. */
  readonly streamIds: string[] = [];
  /** Something could not be written: no more is. */
  failed = false;
  /** recording-started.json is there. */
  started = false;
  /** It was told of, too. */
  told = false;
  readonly #storage: Storage;
  readonly #pictures: Pictures | undefined;
  /** The encoder's own under an empty key. */
  readonly #renditions = new Map<string, RecordedRendition>();
  /** The encoder's own, when it began. */
  readonly #tracks: readonly Track[];
  /** What the multivariant playlists say of rates. */
  readonly #peaks = new Map<string, number>();

  constructor(storage: Storage, place: RecordingPlace, tracks: readonly Track[], pictures?: Pictures) {
    this.#storage = storage;
    this.#tracks = tracks;
    this.#pictures = pictures;
    this.place = place;
    const date = new Date(place.startedAt);
    const parts = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()];
    this.prefix = `ivs/v1/${place.account}/${place.channelId}/${parts.join("/")}/${place.id}`;
  }

  /** Of the longest rendition. */
  get durationMs(): number {
    let longest = 0;
    for (const { duration } of this.#renditions.values()) longest = Math.max(longest, duration);
    return Math.round(longest / 1000);
  }

  async start(): Promise<void> {
    await this.#event("recording-started", { recording_status: "RECORDING_STARTED" });
    this.started = true;
  }

  /** A completed segment of a rendition (the encoder's own: empty), and the init segment it needs. */
  async add(key: string, segment: Segment, init: Uint8Array, tracks: readonly Track[]): Promise<void> {
    const known = this.#renditions.get(key);
    const rendition = known ?? this.#rendition(key, tracks);
    await rendition.add(segment, init);
    if (known === undefined && rendition.segments > 0) await this.start();
    if (rendition.peak > (this.#peaks.get(key) ?? 0) * MASTER_STEP) {
      this.#peaks.set(key, rendition.peak);
      await this.#masters();
    }
  }

  async end(now: number): Promise<void> {
    for (const rendition of this.#renditions.values()) await rendition.playlists(true);
    for (const [key, { peak }] of this.#renditions) this.#peaks.set(key, peak);
    await this.#masters(true);
    await this.#event("recording-ended", { recording_status: "RECORDING_ENDED", ...endedAt(now) }, true);
  }

  async fail(now: number, reason: string): Promise<void> {
    const status = this.started
      ? { recording_status: "RECORDING_ENDED_WITH_FAILURE", ...endedAt(now) }
      : { recording_status: "RECORDING_START_FAILED" };
    await this.#event("recording-failed", { ...status, recording_status_message: reason }, this.started);
  }

  #rendition(key: string, tracks: readonly Track[]): RecordedRendition {
    const taken = new Set([...this.#renditions.values()].map(({ name }) => name));
    const plain = nameOf(tracks);
    let name = plain;
    for (let n = 2; taken.has(name); n++) name = `${plain}-${n}`;
    const folder = `${this.prefix}/media/hls/${name}`;
    const made = new RecordedRendition(name, tracks, (file, bytes) => this.#put(`${folder}/${file}`, bytes));
    this.#renditions.set(key, made);
    return made;
  }

  /** `over`: nothing comes any more, and what renditions take on average can be told. */
  async #masters(over = false): Promise<void> {
    const recorded = [...this.#renditions].filter(([, { segments }]) => segments > 0);
    if (recorded.length === 0) return;
    const text = (playlist: string): string => {
      const variants = recorded.map(([key, { name, tracks, rate }]): Variant => {
        const bandwidth = { peak: Math.ceil(this.#peaks.get(key) ?? 0), average: over ? Math.ceil(rate) : 0 };
        return { tracks, bandwidth, uri: `${name}/${playlist}` };
      });
      return multivariantPlaylist(variants, true, VERSION);
    };
    await this.#put(`${this.prefix}/media/hls/${MASTER}`, text(PLAYLIST));
    await this.#put(`${this.prefix}/media/hls/${RANGES_MASTER}`, text(RANGES));
  }

  async #event(name: string, status: object, over = false): Promise<void> {
    const { channelId, startedAt } = this.place;
    const renditions = [...this.#renditions.values()].map((rendition) => ({
      path: rendition.name,
      playlist: PLAYLIST,
      byte_range_playlist: RANGES,
      ...(rendition.video !== undefined && { resolution_height: rendition.video.height, resolution_width: rendition.video.width }),
    }));
    const hls = {
      ...(over && { duration_ms: this.durationMs }),
      ...{ path: "media/hls", playlist: MASTER, byte_range_playlist: RANGES_MASTER, renditions },
    };
    const body = {
      version: "v1",
      channel_arn: arnOf(this.place, "channel", channelId),
      recording_started_at: new Date(startedAt).toISOString(),
      ...status,
      media: { hls, ...this.#thumbnails() },
    };
    await this.#put(`${this.prefix}/events/${name}.json`, `${JSON.stringify(body, undefined, 1)}\n`);
  }

  #thumbnails(): object {
    const video = videoTrack(this.#tracks);
    if (this.#pictures === undefined || video === undefined) return {};
    const { width, height } = this.#pictures.size(video.width, video.height);
    const size = { resolution_height: height, resolution_width: width };
    return {
      ...(this.#pictures.sequential && { thumbnails: { path: "media/thumbnails", ...size } }),
      ...(this.#pictures.latest && { latest_thumbnail: { path: "media/latest_thumbnail/thumb.jpg", ...size } }),
    };
  }

  #put(key: string, bytes: Uint8Array | string): Promise<void> {
    return this.#storage.put(this.place.bucket, key, bytes);
  }
}

/** The multivariant playlists are written again when a rate passed what they say by so much. */
const MASTER_STEP = 1.1;

/** "720p30" */
function nameOf(tracks: readonly Track[]): string {
  const video = videoTrack(tracks);
  return video === undefined ? "audio_only" : `${video.height}p${Math.round(video.framesPerSecond) || 30}`;
}

function endedAt(now: number): object {
  return { recording_ended_at: new Date(now).toISOString() };
}
