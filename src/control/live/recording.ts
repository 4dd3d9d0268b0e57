/**
 * One recording in IVS's layout, segment by segment as they are completed:
 *
 *   ivs/v1/<account>/<channel>/<year>/<month>/<day>/<hour>/<minute>/<recording id>/
 *     events/recording-started.json, recording-ended.json or recording-failed.json
 *     media/hls/master.m3u8, media/hls/<rendition>/playlist.m3u8, <n>.mp4, init-<n>.mp4
 *
 * The playlist is whole after every segment, so a program that dies in between leaves a recording that plays and lacks at most the segment it was making.
 * Source: reference/aws-live.md 3 "Recording". Deviation: segments are CMAF also where the channel's container format is TS.
 */
import { isoDate } from "../../media/hls/iso-date.ts";
import type { Segment } from "../../media/hls/window.ts";
import type { Track } from "../../media/unit.ts";
import type { Storage } from "./storage.ts";

export interface RecordingPlace {
  readonly account: string;
  readonly channelId: string;
  readonly bucket: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly id: string;
}

export interface Recorded {
  readonly segments: number;
  readonly bytes: number;
  readonly durationMs: number;
}

export class Recording {
  readonly place: RecordingPlace;
  readonly prefix: string;
  /** Something could not be written: no more is. */
  failed = false;
  readonly #storage: Storage;
  readonly #lines: string[] = [];
  #rendition = "";
  #targetDuration = 1;
  #lastInit: number | undefined;
  #segments = 0;
  #bytes = 0;
  #duration = 0;
  #peak = 0;

  constructor(storage: Storage, place: RecordingPlace) {
    this.#storage = storage;
    this.place = place;
    const date = new Date(place.startedAt);
    const parts = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()];
    this.prefix = `ivs/v1/${place.account}/${place.channelId}/${parts.join("/")}/${place.id}`;
  }

  get recorded(): Recorded {
    return { segments: this.#segments, bytes: this.#bytes, durationMs: Math.round(this.#duration / 1000) };
  }

  async start(): Promise<void> {
    await this.#event("recording-started", { recording_status: "RECORDING_STARTED" });
  }

  /** A completed segment and the init segment it needs. */
  async add(segment: Segment, init: Uint8Array, tracks: readonly Track[]): Promise<void> {
    const bytes = segment.bytes;
    if (bytes === undefined) return;
    if (this.#rendition === "") this.#rendition = renditionOf(tracks);
    const folder = `${this.prefix}/media/hls/${this.#rendition}`;
    if (segment.init !== this.#lastInit) {
      await this.#put(`${folder}/init-${segment.init}.mp4`, init);
      if (this.#segments > 0) this.#lines.push("#EXT-X-DISCONTINUITY");
      this.#lines.push(`#EXT-X-MAP:URI="init-${segment.init}.mp4"`);
      this.#lastInit = segment.init;
    } else if (segment.discontinuity && this.#segments > 0) this.#lines.push("#EXT-X-DISCONTINUITY");
    await this.#put(`${folder}/${this.#segments}.mp4`, bytes);
    this.#lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${isoDate(segment.date)}`,
      `#EXTINF:${(segment.duration / 1e6).toFixed(5)},`,
      `${this.#segments}.mp4`,
    );
    this.#targetDuration = Math.max(this.#targetDuration, Math.round(segment.duration / 1e6));
    this.#segments++;
    this.#bytes += bytes.length;
    this.#duration += segment.duration;
    const rate = (bytes.length * 8e6) / segment.duration;
    if (this.#segments === 1 || rate > this.#peak * MASTER_STEP) await this.#master(rate, tracks);
    await this.#playlist(false);
  }

  async end(): Promise<void> {
    if (this.#segments > 0) await this.#playlist(true);
    await this.#event("recording-ended", { recording_status: "RECORDING_ENDED", recording_ended_at: new Date().toISOString() });
  }

  async fail(reason: string): Promise<void> {
    await this.#event("recording-failed", { recording_status: "RECORDING_FAILED", recording_status_message: reason });
  }

  async #master(rate: number, tracks: readonly Track[]): Promise<void> {
    this.#peak = rate;
    const video = tracks.find((track) => track.kind === "video");
    const attributes = [`BANDWIDTH=${Math.ceil(rate)}`, `CODECS="${tracks.map(({ codec }) => codec).join(",")}"`];
    if (video !== undefined) attributes.push(`RESOLUTION=${video.width}x${video.height}`);
    const lines = ["#EXTM3U", "#EXT-X-VERSION:7", `#EXT-X-STREAM-INF:${attributes.join(",")}`, `${this.#rendition}/playlist.m3u8`, ""];
    await this.#put(`${this.prefix}/media/hls/master.m3u8`, lines.join("\n"));
  }

  async #playlist(ended: boolean): Promise<void> {
    const head = [
      "#EXTM3U",
      "#EXT-X-VERSION:7",
      `#EXT-X-TARGETDURATION:${this.#targetDuration}`,
      "#EXT-X-PLAYLIST-TYPE:EVENT",
      "#EXT-X-INDEPENDENT-SEGMENTS",
    ];
    const text = [...head, ...this.#lines, ...(ended ? ["#EXT-X-ENDLIST"] : []), ""].join("\n");
    await this.#put(`${this.prefix}/media/hls/${this.#rendition}/playlist.m3u8`, text);
  }

  async #event(name: string, status: object): Promise<void> {
    const { channelId, startedAt } = this.place;
    const media = {
      hls: {
        duration_ms: this.recorded.durationMs,
        path: "media/hls",
        playlist: "master.m3u8",
        renditions: this.#rendition === "" ? [] : [{ path: this.#rendition, playlist: "playlist.m3u8" }],
      },
    };
    const body = { version: "v1", channel_id: channelId, recording_started_at: new Date(startedAt).toISOString(), ...status, media };
    await this.#put(`${this.prefix}/events/${name}.json`, `${JSON.stringify(body, undefined, 1)}\n`);
  }

  #put(key: string, bytes: Uint8Array | string): Promise<void> {
    return this.#storage.put(this.place.bucket, key, bytes);
  }
}

/** The multivariant playlist is written again when the rate passed what it says by so much. */
const MASTER_STEP = 1.1;

/** "720p30" */
function renditionOf(tracks: readonly Track[]): string {
  const video = tracks.find((track) => track.kind === "video");
  return video === undefined ? "audio_only" : `${video.height}p${Math.round(video.framesPerSecond) || 30}`;
}

/** Ends what a program that died left open: the playlist says that nothing follows. False: there is no such recording. */
export async function finishRecording(storage: Storage, bucket: string, prefix: string): Promise<boolean> {
  const master = await storage.get(bucket, `${prefix}/media/hls/master.m3u8`);
  if (master === undefined) return false;
  const rendition = new TextDecoder().decode(master).trim().split("\n").at(-1)!;
  const playlist = await storage.get(bucket, `${prefix}/media/hls/${rendition}`);
  if (playlist === undefined) return false;
  const text = new TextDecoder().decode(playlist);
  if (!text.includes("#EXT-X-ENDLIST")) await storage.put(bucket, `${prefix}/media/hls/${rendition}`, `${text}#EXT-X-ENDLIST\n`);
  const body = { version: "v1", recording_status: "RECORDING_ENDED", recording_ended_at: new Date().toISOString(), interrupted: true };
  await storage.put(bucket, `${prefix}/events/recording-ended.json`, `${JSON.stringify(body, undefined, 1)}\n`);
  return true;
}
