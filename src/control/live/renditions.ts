/**
 * Renditions of a channel whose type has them: a transcoder begins at the encoder's first key frame and ends with its stream. There are only so many at once for all
 * channels; where there is no ffmpeg, no room, or it fails time and again, an event says so and viewers have the encoder's own rendition.
 */
import type { Log } from "../../host/log.ts";
import type { Channel, ChannelListener } from "../../live/channel.ts";
import { StreamDates } from "../../live/stream-dates.ts";
import type { Segment } from "../../media/hls/window.ts";
import { type Track, type Unit, videoTrack } from "../../media/unit.ts";
import { ladder, type Rung } from "./ladder.ts";
import { Transcoder } from "./transcoder.ts";

const ATTEMPTS_MAX = 3;

/** How many transcoders there may be, shared by all channels. */
export class TranscoderPlaces {
  readonly #most: number;
  #taken = 0;
  /** Set for good when it turns out that there is no ffmpeg. */
  missing = false;
  readonly counters = { begun: 0, refused: 0, failed: 0 };

  constructor(most: number) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  take(): boolean {
    if (this.#taken >= this.#most) {
      this.counters.refused++;
      return false;
    }
    this.#taken++;
    this.counters.begun++;
    return true;
  }

  give(): void {
    this.#taken--;
  }
}

export interface RenditionsOptions {
  readonly places: TranscoderPlaces;
  /** The channel as it is stored, now. */
  readonly facts: () => { readonly type: string; readonly preset: string };
  readonly now: () => number;
  /** There will be no renditions of this stream, because of this. */
  readonly unavailable: (reason: string) => void;
  readonly log: Log;
  /** Default "ffmpeg". */
  readonly command?: string;
}

export class Renditions implements ChannelListener {
  readonly #channel: Channel;
  readonly #options: RenditionsOptions;
  #transcoder: Transcoder | undefined;
  #rungs: readonly Rung[] = [];
  #tracks: readonly Track[] = [];
  readonly #dates: StreamDates;
  #attempts = 0;
  #told = false;
  /** Nothing of what comes was transcoded yet: it is a beginning for the encoder's own rendition too. */
  #fresh = true;

  constructor(channel: Channel, options: RenditionsOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#dates = new StreamDates(channel);
    channel.listeners.add(this);
  }

  started(): void {
    this.#attempts = 0;
    this.#told = false;
    this.#fresh = true;
    this.#tracks = [];
    this.#dates.clear();
  }

  tracks(tracks: readonly Track[]): void {
    // The first key frame of the new configuration begins anew.
    if (this.#transcoder !== undefined) this.#stop();
    this.#fresh = true;
    this.#tracks = tracks;
  }

  unit(unit: Unit): void {
    this.#dates.observe(unit);
    if (unit.kind === "video" && unit.keyframe && this.#channel.window.nextPart === 0) this.#dates.begins(unit.dts);
    if (this.#transcoder === undefined && unit.kind === "video" && unit.keyframe) this.#begin();
    this.#transcoder?.push(unit);
  }

  segment(_segment: Segment, _init: Uint8Array): void {}

  ended(): void {
    this.#stop();
  }

  close(): void {
    this.#stop();
    this.#channel.listeners.delete(this);
  }

  #begin(): void {
    const { places, facts } = this.#options;
    const video = videoTrack(this.#tracks);
    // Only at a key frame with which a segment begins, so that all renditions have the same segments.
    // A simulcast has smaller pictures already.
    if (
      video === undefined ||
      this.#channel.encodings > 1 ||
      this.#told ||
      this.#attempts >= ATTEMPTS_MAX ||
      this.#channel.window.nextPart > 0
    )
      return;
    const { type, preset } = facts();
    const rungs = ladder(type, preset, video.height);
    if (rungs.length === 0) return;
    if (places.missing) this.#unavailable("ffmpeg is not installed");
    else if (!places.take()) this.#unavailable("as many streams as allowed are transcoded already");
    else this.#start(rungs);
  }

  #start(rungs: readonly Rung[]): void {
    this.#rungs = rungs;
    const { now, log, command, places } = this.#options;
    // Where a transcoder was replaced, its segment is a discontinuity and the encoder's is none.
    const before = Math.max(0, this.#channel.discontinuities - (this.#fresh ? 0 : 1));
    this.#fresh = false;
    for (const { name } of rungs) this.#channel.beginRendition(name, now(), now(), undefined, before);
    const rendition = ({ name }: Rung): Channel | undefined => this.#channel.renditions.get(name);
    const transcoder: Transcoder = new Transcoder(
      this.#tracks,
      rungs,
      {
        tracks: (rung, tracks) => rendition(rung)?.configure(tracks),
        unit: (rung, unit) => rendition(rung)?.push(now(), unit),
        ended: (reason) => {
          if (this.#transcoder === transcoder) this.#failed(reason);
        },
      },
      (dts) => this.#dates.date(dts),
      command,
    );
    this.#transcoder = transcoder;
    log.info(
      { channel: this.#channel.name, renditions: rungs.map(({ name }) => name).join(","), transcoders: places.taken },
      "renditions begin",
    );
  }

  #failed(reason: string | undefined): void {
    const { places } = this.#options;
    this.#stop();
    places.counters.failed++;
    if (reason === undefined) places.missing = true;
    if (reason === undefined) this.#unavailable("ffmpeg is not installed");
    else if (++this.#attempts >= ATTEMPTS_MAX) this.#unavailable(`ffmpeg failed ${ATTEMPTS_MAX} times: ${reason}`);
    else this.#options.log.warn({ channel: this.#channel.name, reason }, "ffmpeg failed; it begins again with the next key frame");
  }

  #stop(): void {
    if (this.#transcoder === undefined) return;
    this.#transcoder.stop();
    this.#transcoder = undefined;
    this.#options.places.give();
    for (const { name } of this.#rungs) this.#channel.renditions.get(name)?.end(this.#options.now());
  }

  #unavailable(reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.unavailable(reason);
  }
}
