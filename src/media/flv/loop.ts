/**
 * Plays an FLV file for ever: its tags in their order, each when it is due, with timestamps that run on from round to round.
 *
 *   round 0                       round 1
 *   |script conf conf tag … tag|  |tag … tag|  …      script data and configurations are played once
 *   0                          loopMillis
 *
 * A file loops without a seam when its tracks last equally long and it begins with a keyframe; the length of a round is that of the video:
 * its pictures times the mean distance between them.
 */
import { assert } from "../../base/assert.ts";
import { type Millis, NEVER } from "../../base/units.ts";
import { AudioTag } from "./audio-tag.ts";
import { AUDIO, FlvReader, firstTag, SCRIPT, VIDEO } from "./tag.ts";
import { VideoTag } from "./video-tag.ts";

/** One tag to be sent; the object is reused, its payload is a view of the file and never changes. */
export interface LoopTag {
  readonly type: number;
  /** 0…2^32−1, wraps. */
  readonly timestamp: Millis;
  readonly payload: Uint8Array;
  readonly keyframe: boolean;
}

export class FlvLoop {
  /** Length of one round. */
  readonly loopMillis: Millis;
  readonly #tags: readonly FileTag[];
  /** Index of the first tag that is played again. */
  readonly #first: number;
  #index = 0;
  #round = 0;
  #origin: Millis = NEVER;

  /** `file` is borrowed for ever. A file that cannot be looped is a bug of whoever ships it: assertion. */
  constructor(file: Uint8Array) {
    const at = firstTag(file);
    assert(at > 0, "the looped file is not FLV");
    const reader = new FlvReader(file, at);
    const setup: FileTag[] = [];
    const frames: FileTag[] = [];
    while (reader.next()) {
      const tag = new FileTag(reader.type, reader.timestamp, file.subarray(reader.start, reader.end));
      if (tag.packet === "frame") frames.push(tag);
      else if (tag.packet === "configuration") setup.push(tag);
    }
    const pictures = frames.filter(({ type }) => type === VIDEO);
    assert(
      !reader.damaged && pictures.length > 1 && pictures[0]!.keyframe,
      "the looped file is damaged, or does not begin with a keyframe",
    );
    const span = pictures[pictures.length - 1]!.fileTime - pictures[0]!.fileTime;
    this.loopMillis = Math.round((span * pictures.length) / (pictures.length - 1));
    this.#first = setup.length;
    this.#tags = [...setup, ...frames];
  }

  /** The next tag if it is due, else undefined. The first call starts the clock. */
  next(now: Millis): LoopTag | undefined {
    if (this.#origin === NEVER) this.#origin = now;
    if (this.deadline() > now) return undefined;
    const tag = this.#tags[this.#index]!;
    tag.timestamp = this.#time() >>> 0;
    if (++this.#index === this.#tags.length) {
      this.#index = this.#first;
      this.#round++;
    }
    return tag;
  }

  /** When the next tag is due; NEVER before the first call of `next`. */
  deadline(): Millis {
    return this.#origin === NEVER ? NEVER : this.#origin + this.#time();
  }

  /** Plays from the start again with the configurations, for a new connection. */
  restart(): void {
    this.#index = 0;
    this.#round = 0;
    this.#origin = NEVER;
  }

  #time(): Millis {
    return this.#round * this.loopMillis + this.#tags[this.#index]!.fileTime;
  }
}

class FileTag implements LoopTag {
  readonly type: number;
  readonly fileTime: Millis;
  readonly payload: Uint8Array;
  readonly keyframe: boolean;
  readonly packet: string;
  timestamp = 0;

  constructor(type: number, fileTime: Millis, payload: Uint8Array) {
    this.type = type;
    this.fileTime = fileTime;
    this.payload = payload;
    const video = new VideoTag();
    const audio = new AudioTag();
    if (type === VIDEO) video.read(payload);
    if (type === AUDIO) audio.read(payload);
    this.keyframe = type === VIDEO && video.keyframe && video.packet === "frame";
    this.packet = type === SCRIPT ? "configuration" : type === VIDEO ? video.packet : audio.packet;
  }
}
