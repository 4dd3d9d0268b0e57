/**
 * What a browser publishes, as a channel and its renditions. One encoding is the channel's own; of a simulcast the largest that comes is, and the others are renditions, so that
 * viewers by HLS and by WHEP have smaller pictures without anybody encoding anew.
 *
 *   Ingest ─ tracks, units of each encoding ─▶ the channel (LargestEncoding), and /r/s0 … /r/s3 in the order of the offer
 *
 * A rendition begins when its picture is smaller than the channel's own; once begun it goes on. Where the channel changes to an encoding whose picture is not later than the last one,
 * stamps are moved so that they rise, its sound with them.
 */
import type { Micros, Millis } from "../base/units.ts";
import { type Channel, pixelsOf } from "../live/channel.ts";
import type { Track, Unit } from "../media/unit.ts";
import type { Ingest, UnitSink } from "../webrtc/ingest.ts";
import { LargestEncoding } from "../webrtc/largest-encoding.ts";

/** Where one picture follows another that should have been later. */
const GAP: Micros = 1000;

export interface WhipEncodingsOptions {
  readonly channel: Channel;
  readonly ingest: Pick<Ingest, "requestKeyFrame">;
  /** The channel's clock, and Unix milliseconds. */
  readonly now: () => Millis;
  readonly wallClock: () => Millis;
}

export class WhipEncodings implements UnitSink {
  readonly #options: WhipEncodingsOptions;
  readonly #largest = new LargestEncoding();
  /** Of a simulcast; empty for one encoding alone. */
  readonly #rids: readonly string[];
  readonly #tracks = new Map<string, readonly Track[]>();
  /** Of the channel's own encoding. */
  #ownPixels = 0;
  readonly #renditions = new Map<string, Channel>();
  #shift: Micros = 0;
  #last: Micros = Number.NEGATIVE_INFINITY;
  #lastSound: Micros = Number.NEGATIVE_INFINITY;
  #askedFor = "";

  constructor(rids: readonly string[], options: WhipEncodingsOptions) {
    this.#rids = rids;
    this.#options = options;
  }

  start(): void {
    const { channel, ingest, wallClock } = this.#options;
    channel.start(wallClock(), () => ingest.requestKeyFrame(this.#largest.own), Math.max(1, this.#rids.length));
  }

  tracks(tracks: readonly Track[], rid: string): void {
    this.#tracks.set(rid, tracks);
    if (this.#rids.length === 0 || rid === this.#largest.own) this.#options.channel.configure(tracks);
    this.#renditions.get(rid)?.configure(tracks);
  }

  unit(unit: Unit, rid: string): void {
    const { channel, now } = this.#options;
    if (this.#rids.length === 0) {
      channel.push(now(), unit);
      return;
    }
    if (unit.kind === "video") this.#choose(unit, rid);
    if (rid === this.#largest.own) this.#pushOwn(unit);
    const rendition = this.#rendition(unit, rid);
    rendition?.push(now(), unit);
  }

  end(): void {
    const { channel, now } = this.#options;
    channel.end(now());
    for (const rendition of this.#renditions.values()) rendition.end(now());
    this.#renditions.clear();
  }

  #choose(unit: Unit, rid: string): void {
    const { channel, ingest, now } = this.#options;
    const tracks = this.#tracks.get(rid);
    if (tracks === undefined) return;
    const pixels = pixelsOf(tracks);
    if (this.#largest.picture(Math.round(now() * 1000), rid, pixels, unit.keyframe)) {
      this.#ownPixels = pixels;
      channel.configure(tracks);
      this.#shift = Math.max(0, this.#last + GAP - unit.dts);
    }
    const { wanted } = this.#largest;
    if (wanted !== "" && wanted !== this.#askedFor) ingest.requestKeyFrame(wanted);
    this.#askedFor = wanted;
  }

  #pushOwn(unit: Unit): void {
    const dts = unit.dts + this.#shift;
    if (unit.kind === "audio") {
      if (dts <= this.#lastSound) return;
      this.#lastSound = dts;
    } else this.#last = Math.max(this.#last, dts);
    const moved = this.#shift === 0 ? unit : { ...unit, dts, pts: unit.pts + this.#shift };
    this.#options.channel.push(this.#options.now(), moved);
  }

  /** The encoding's rendition, which begins with a key frame. */
  #rendition(unit: Unit, rid: string): Channel | undefined {
    const known = this.#renditions.get(rid);
    const tracks = this.#tracks.get(rid);
    if (known !== undefined || tracks === undefined || unit.kind !== "video" || !unit.keyframe) return known;
    if (pixelsOf(tracks) >= this.#ownPixels) return undefined;
    const { channel, ingest, now, wallClock } = this.#options;
    const made = channel.beginRendition(`s${this.#rids.indexOf(rid)}`, now(), wallClock(), () => ingest.requestKeyFrame(rid));
    made.configure(tracks);
    this.#renditions.set(rid, made);
    return made;
  }
}
