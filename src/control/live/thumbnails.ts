/**
 * Thumbnails of a recording: every so many seconds the first picture of a segment, as JPEG.
 *
 *   media/thumbnails/thumb<N>.jpg (SEQUENTIAL)        media/latest_thumbnail/thumb.jpg (LATEST)
 *
 * Pictures are made by ffmpeg where it is installed; where it is not, there are none, and that is said once.
 */
import { spawn } from "node:child_process";
import type { Micros } from "../../base/units.ts";
import type { Log } from "../../host/log.ts";
import type { Segment } from "../../media/hls/window.ts";
import type { RecordingSettings } from "../ivs/recording-configurations.ts";
import type { Pictures } from "./recording.ts";
import type { Storage } from "./storage.ts";

/** The first picture of a piece of CMAF, `height` pixels high or as it is; undefined: none can be made. */
export type TakePicture = (media: readonly Uint8Array[], height: number | undefined) => Promise<Uint8Array | undefined>;

const heights = { SD: 480, HD: 720, FULL_HD: 1080, LOWEST_RESOLUTION: 160 } as const;
const PICTURE_BYTES_MAX = 4 * 2 ** 20;
const TIMEOUT_MS = 10_000;

export class Thumbnails {
  readonly #storage: Storage;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #settings: RecordingSettings["thumbnailConfiguration"];
  readonly #picture: TakePicture;
  /** Of the encoder's picture; 0: there is none. */
  readonly #height: number;
  #taken = 0;
  /** Media time of the recording so far, and from where on the next picture is due. */
  #elapsed: Micros = 0;
  #due: Micros = 0;

  constructor(
    storage: Storage,
    bucket: string,
    prefix: string,
    settings: RecordingSettings["thumbnailConfiguration"],
    height: number,
    picture: TakePicture,
  ) {
    this.#height = height;
    this.#storage = storage;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#settings = settings;
    this.#picture = picture;
  }

  async take(segment: Segment, init: Uint8Array): Promise<void> {
    const { recordingMode, targetIntervalSeconds, storage } = this.#settings;
    const first = segment.parts[0];
    const at = this.#elapsed;
    this.#elapsed += segment.duration;
    // Segments are seldom as long as the interval: what is half a segment early is in time.
    if (recordingMode === "DISABLED" || at + segment.duration / 2 < this.#due || first === undefined || !first.independent) return;
    const height = heightOf(this.#settings, this.#height);
    const picture = await this.#picture([init, first.bytes], height < this.#height ? height : undefined);
    if (picture === undefined) return;
    this.#due = at + targetIntervalSeconds * 1_000_000;
    if (storage.includes("SEQUENTIAL"))
      await this.#storage.put(this.#bucket, `${this.#prefix}/media/thumbnails/thumb${this.#taken}.jpg`, picture);
    if (storage.includes("LATEST")) await this.#storage.put(this.#bucket, `${this.#prefix}/media/latest_thumbnail/thumb.jpg`, picture);
    this.#taken++;
  }
}

/** What a recording's metadata says of them; undefined: there are none. */
export function picturesOf(settings: RecordingSettings["thumbnailConfiguration"]): Pictures | undefined {
  if (settings.recordingMode === "DISABLED") return undefined;
  return {
    size(width, height) {
      const scaled = heightOf(settings, height);
      return { width: scaled === height ? width : 2 * Math.round((width * scaled) / height / 2), height: scaled };
    },
    sequential: settings.storage.includes("SEQUENTIAL"),
    latest: settings.storage.includes("LATEST"),
  };
}

/** As asked for; a picture is never made larger. */
function heightOf({ resolution }: RecordingSettings["thumbnailConfiguration"], height: number): number {
  return resolution === undefined ? height : Math.min(height, heights[resolution]);
}

/** By ffmpeg, a process for each picture. */
export function pictureByFfmpeg(log: Log): TakePicture {
  let missing = false;
  return (media, height) => {
    if (missing) return Promise.resolve(undefined);
    return new Promise((done) => {
      const scale = height === undefined ? [] : ["-vf", `scale=-2:${height}`];
      const args = ["-hide_banner", "-loglevel", "error", "-i", "pipe:0", "-frames:v", "1", ...scale, "-f", "mjpeg", "pipe:1"];
      const child = spawn("ffmpeg", args, { stdio: ["pipe", "pipe", "ignore"], timeout: TIMEOUT_MS });
      const chunks: Buffer[] = [];
      let bytes = 0;
      child.on("error", () => {
        if (!missing) log.warn({}, "ffmpeg is not installed: recordings have no thumbnails");
        missing = true;
        done(undefined);
      });
      child.stdin.on("error", () => {});
      child.stdout.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= PICTURE_BYTES_MAX) chunks.push(chunk);
      });
      child.on("close", (code) => done(code === 0 && bytes > 0 && bytes <= PICTURE_BYTES_MAX ? Buffer.concat(chunks) : undefined));
      for (const piece of media) child.stdin.write(piece);
      child.stdin.end();
    });
  };
}
