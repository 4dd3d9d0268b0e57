/**
 * The rendition with sound alone that ADVANCED channels have (reference/aws-live.md 3), for players in the background and on the slowest links: the encoder's sound as it came, in the
 * segments of the encoder's own rendition. It needs no transcoder.
 *
 * Deviation: IVS codes it anew.
 */

import type { Micros } from "../../base/units.ts";
import type { Channel, ChannelListener } from "../../live/channel.ts";
import { StreamDates } from "../../live/stream-dates.ts";
import { type AudioTrack, audioTrack, type Track, type Unit, videoTrack } from "../../media/unit.ts";

/** In addresses. */
const NAME = "audio_only";
/** Units: what an encoder's first segments may be held for. */
const EARLY_MAX = 1024;

export interface SoundAloneOptions {
  /** Of the channel as it is stored, now. */
  readonly type: () => string;
  readonly now: () => number;
}

export class SoundAlone implements ChannelListener {
  readonly #channel: Channel;
  readonly #options: SoundAloneOptions;
  #dates: StreamDates;
  #track: AudioTrack | undefined;
  #rendition: Channel | undefined;
  /** Sound that came before it is known where the picture's first segment begins. */
  readonly #early: Unit[] = [];
  /** Where the picture's open segment begins. */
  #segmentStart: Micros | undefined;

  constructor(channel: Channel, options: SoundAloneOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#dates = new StreamDates(channel);
    channel.listeners.add(this);
  }

  started(): void {
    this.#dates = new StreamDates(this.#channel);
    this.#track = undefined;
  }

  tracks(tracks: readonly Track[]): void {
    // The first segment of the new configuration begins anew.
    this.ended();
    this.#track = videoTrack(tracks) === undefined ? undefined : audioTrack(tracks);
  }

  unit(unit: Unit): void {
    this.#dates.observe(unit);
    if (this.#track === undefined) return;
    const start = this.#channel.segmenter?.segmentStart;
    if (start !== undefined && start !== this.#segmentStart) this.#segment(start);
    if (unit.kind !== "audio") return;
    if (this.#rendition !== undefined) this.#push(unit);
    else if (this.#early.push(unit) > EARLY_MAX) this.#early.shift();
  }

  ended(): void {
    this.#rendition?.end(this.#options.now());
    this.#rendition = undefined;
    this.#segmentStart = undefined;
    this.#early.length = 0;
  }

  close(): void {
    this.ended();
    this.#channel.listeners.delete(this);
  }

  /** A segment of the encoder's own rendition begins. */
  #segment(start: Micros): void {
    this.#segmentStart = start;
    this.#dates.begins(start);
    if (this.#rendition === undefined) this.#begin(start);
    this.#rendition?.segmenter?.cut(start);
  }

  #begin(start: Micros): void {
    const { type, now } = this.#options;
    const early = this.#early.splice(0);
    if (!type().startsWith("ADVANCED")) {
      this.#track = undefined;
      return;
    }
    this.#rendition = this.#channel.beginRendition(NAME, now(), now());
    this.#rendition.configure([this.#track!]);
    for (const unit of early) if (unit.dts >= start) this.#push(unit);
  }

  #push(unit: Unit): void {
    this.#rendition!.push(this.#options.now(), { ...unit, arrival: this.#dates.date(unit.dts) });
  }
}
