/**
 * One rendition of a recording: its folder, its segments, and its two playlists, which are whole after every segment.
 *
 *   <rendition>/playlist.m3u8            segments as files: <n>.mp4, and init-<n>.mp4 before them
 *   <rendition>/byte-range-variant.m3u8  the same as ranges of bytes, for whoever cuts pieces out (HLS version 4 on)
 *
 * Source: IVS's "Auto-Record to Amazon S3", "Recording Contents" and "Byte-Range Playlists".
 */
import { isoDate } from "../../media/hls/iso-date.ts";
import type { Segment } from "../../media/hls/window.ts";
import { type Track, type VideoTrack, videoTrack } from "../../media/unit.ts";

/** Of HLS: an init segment for each segment. */
export const VERSION = 7;
export const PLAYLIST = "playlist.m3u8";
export const RANGES = "byte-range-variant.m3u8";

/** Writes an object below the rendition's folder. */
export type Put = (name: string, bytes: Uint8Array | string) => Promise<void>;

export class RecordedRendition {
  /** Its folder: "720p30". */
  readonly name: string;
  /** As they were when it began. */
  readonly tracks: readonly Track[];
  readonly #put: Put;
  readonly #lines: string[] = [];
  readonly #ranges: string[] = [];
  #targetDuration = 1;
  #init: Uint8Array | undefined;
  #inits = 0;
  segments = 0;
  bytes = 0;
  /** Microseconds. */
  duration = 0;
  /** Highest bit rate of a segment. */
  peak = 0;

  constructor(name: string, tracks: readonly Track[], put: Put) {
    this.name = name;
    this.tracks = tracks;
    this.#put = put;
  }

  get video(): VideoTrack | undefined {
    return videoTrack(this.tracks);
  }

  /** Bits a second over all of it. */
  get rate(): number {
    return this.duration === 0 ? 0 : (this.bytes * 8e6) / this.duration;
  }

  /** A completed segment and the init segment it needs. */
  async add(segment: Segment, init: Uint8Array): Promise<void> {
    const bytes = segment.bytes;
    if (bytes === undefined) return;
    const name = `${this.segments}.mp4`;
    // By the bytes themselves: numbers of a stream before, whose end comes late, may be those of the stream that follows.
    if (init !== this.#init) {
      const uri = `init-${this.#inits++}.mp4`;
      await this.#put(uri, init);
      if (this.segments > 0) this.#both("#EXT-X-DISCONTINUITY");
      this.#both(`#EXT-X-MAP:URI="${uri}"`);
      this.#init = init;
    } else if (segment.discontinuity && this.segments > 0) this.#both("#EXT-X-DISCONTINUITY");
    await this.#put(name, bytes);
    this.#both(`#EXT-X-PROGRAM-DATE-TIME:${isoDate(segment.date)}`);
    this.#both(`#EXTINF:${(segment.duration / 1e6).toFixed(5)},`);
    this.#ranges.push(`#EXT-X-BYTERANGE:${bytes.length}@0`);
    this.#both(name);
    this.#targetDuration = Math.max(this.#targetDuration, Math.round(segment.duration / 1e6));
    this.segments++;
    this.bytes += bytes.length;
    this.duration += segment.duration;
    this.peak = Math.max(this.peak, (bytes.length * 8e6) / segment.duration);
    await this.playlists(false);
  }

  async playlists(ended: boolean): Promise<void> {
    const head = [
      "#EXTM3U",
      `#EXT-X-VERSION:${VERSION}`,
      `#EXT-X-TARGETDURATION:${this.#targetDuration}`,
      "#EXT-X-PLAYLIST-TYPE:EVENT",
      "#EXT-X-INDEPENDENT-SEGMENTS",
    ];
    const end = ended ? ["#EXT-X-ENDLIST"] : [];
    await this.#put(PLAYLIST, [...head, ...this.#lines, ...end, ""].join("\n"));
    await this.#put(RANGES, [...head, ...this.#ranges, ...end, ""].join("\n"));
  }

  #both(line: string): void {
    this.#lines.push(line);
    this.#ranges.push(line);
  }
}
