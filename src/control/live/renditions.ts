/**
 * Renditions of a channel whose type has them: a transcoder begins at the encoder's first key frame and ends behind its stream, when all that it held has come. There are
 * only so many at once for all channels; where there is no ffmpeg, no room, or it fails time and again, an event says so and viewers have the encoder's own rendition.
 *
 *   encoder      ├─────────────┤    ├─────────────
 *   transcoder     ├───────────┤ tail │              its place is free; viewers have the tail until the next stream begins, recordings always
 *   the next one                      ├───────────
 */
import type { Millis } from "../../base/units.ts";
import type { Log } from "../../host/log.ts";
import type { Channel, ChannelListener } from "../../live/channel.ts";
import { StreamDates } from "../../live/stream-dates.ts";
import type { Segment } from "../../media/hls/window.ts";
import { type Track, type Unit, videoTrack } from "../../media/unit.ts";
import { ladder, type Rung } from "./ladder.ts";
import { Transcoder } from "./transcoder.ts";

const ATTEMPTS_MAX = 3;
/** Transcoders of streams before that still end: an encoder that comes and goes faster than they do cuts the oldest short. */
const TAILS_MAX = 2;
const TAIL_MAX: Millis = 5000;

/** How many transcoders there may be, shared by all channels. */
export class TranscoderPlaces {
  readonly #most: number;
  #taken = 0;
  /** Set for good when it turns out that there is no ffmpeg. */
  missing = false;
  /** `cut`: ends of streams that are missing in their renditions, because they took too long. */
  readonly counters = { begun: 0, refused: 0, failed: 0, cut: 0 };

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
  /** What a transcoder may take to end behind its stream, in ms; it is killed then, and counted. Default 5000. */
  readonly tailMax?: Millis;
}

/** A transcoder and what it makes. */
interface Running {
  readonly transcoder: Transcoder;
  readonly renditions: ReadonlyMap<Rung, Channel>;
}

export class Renditions implements ChannelListener {
  readonly #channel: Channel;
  readonly #options: RenditionsOptions;
  #running: Running | undefined;
  /** Those that end, the oldest first, and when. */
  readonly #tails = new Map<Running, Promise<void>>();
  #tracks: readonly Track[] = [];
  #dates: StreamDates;
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
    this.#dates = new StreamDates(this.#channel);
    this.#detach();
  }

  tracks(tracks: readonly Track[]): void {
    // The first key frame of the new configuration begins anew.
    this.#stop();
    this.#fresh = true;
    this.#tracks = tracks;
  }

  unit(unit: Unit): void {
    this.#dates.observe(unit);
    if (unit.kind === "video" && unit.keyframe && this.#channel.window.nextPart === 0) this.#dates.begins(unit.dts);
    if (this.#running === undefined && unit.kind === "video" && unit.keyframe) this.#begin();
    this.#running?.transcoder.push(unit);
  }

  segment(_segment: Segment, _init: Uint8Array): void {}

  ended(): void {
    this.#stop();
  }

  /** All that was given in has come out, or its time is over. */
  async close(): Promise<void> {
    this.#stop();
    this.#channel.listeners.delete(this);
    await Promise.all(this.#tails.values());
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
    const { now, log, command, places } = this.#options;
    const dates = this.#dates;
    // Where a transcoder was replaced, its segment is a discontinuity and the encoder's is none.
    const before = Math.max(0, this.#channel.discontinuities - (this.#fresh ? 0 : 1));
    this.#fresh = false;
    this.#detach();
    const renditions = new Map(rungs.map((rung) => [rung, this.#channel.beginRendition(rung.name, now(), now(), undefined, before)]));
    const transcoder: Transcoder = new Transcoder(
      this.#tracks,
      rungs,
      {
        tracks: (rung, tracks) => renditions.get(rung)?.configure(tracks),
        unit: (rung, unit) => renditions.get(rung)?.push(now(), unit),
        ended: (reason) => {
          if (this.#running?.transcoder === transcoder) this.#failed(this.#running, reason);
        },
      },
      (dts) => dates.date(dts),
      command,
    );
    this.#running = { transcoder, renditions };
    log.info(
      { channel: this.#channel.name, renditions: rungs.map(({ name }) => name).join(","), transcoders: places.taken },
      "renditions begin",
    );
  }

  #failed(running: Running, reason: string | undefined): void {
    const { places } = this.#options;
    this.#running = undefined;
    places.give();
    this.#end(running);
    places.counters.failed++;
    if (reason === undefined) places.missing = true;
    if (reason === undefined) this.#unavailable("ffmpeg is not installed");
    else if (++this.#attempts >= ATTEMPTS_MAX) this.#unavailable(`ffmpeg failed ${ATTEMPTS_MAX} times: ${reason}`);
    else this.#options.log.warn({ channel: this.#channel.name, reason }, "ffmpeg failed; it begins again with the next key frame");
  }

  /** Nothing more goes in. Its place is free: what it still has to do is bounded, and a stream that follows must not be refused for it. */
  #stop(): void {
    const running = this.#running;
    if (running === undefined) return;
    const { places, tailMax = TAIL_MAX } = this.#options;
    this.#running = undefined;
    places.give();
    const [oldest] = this.#tails.keys();
    if (oldest !== undefined && this.#tails.size >= TAILS_MAX) {
      oldest.transcoder.stop();
      this.#over(oldest, false);
    }
    this.#tails.set(
      running,
      running.transcoder.finish(tailMax).then((whole) => this.#over(running, whole)),
    );
  }

  /** A tail ended; `whole`: with all that was in it. */
  #over(tail: Running, whole: boolean): void {
    if (!this.#tails.delete(tail)) return;
    this.#end(tail);
    if (whole) return;
    this.#options.places.counters.cut++;
    this.#options.log.warn({ channel: this.#channel.name }, "ffmpeg did not end in time; its renditions lack the end of the stream");
  }

  #end({ renditions }: Running): void {
    for (const rendition of renditions.values()) if (rendition.live) rendition.end(this.#options.now());
  }

  /** What follows under the names of renditions that still end has nothing to do with them. */
  #detach(): void {
    for (const { renditions } of this.#tails.keys())
      for (const [{ name }, rendition] of renditions)
        if (this.#channel.renditions.get(name) === rendition) this.#channel.detachRendition(name);
  }

  #unavailable(reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.unavailable(reason);
  }
}
