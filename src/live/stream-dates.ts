/** Which date belongs to a decode time of one stream, so that all its renditions say the same as the encoder's own. */
import type { Micros } from "../base/units.ts";
import { ProgramDateTime } from "../media/hls/program-date-time.ts";
import type { Unit } from "../media/unit.ts";
import type { Channel } from "./channel.ts";

/** Beginnings of segments that are remembered: what makes renditions is not further behind. */
const BEGINNINGS = 8;

export class StreamDates {
  readonly #channel: Channel;
  readonly #clock = new ProgramDateTime();
  /** Where segments of the encoder's own rendition began; theirs is the date that all say. */
  readonly #beginnings: { readonly dts: Micros; readonly msn: number }[] = [];

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** A unit that the channel was given. */
  observe(unit: Unit): void {
    this.#clock.observe(unit.dts, unit.arrival);
  }

  /** The channel's next segment begins there. */
  begins(dts: Micros): void {
    if (this.#beginnings.push({ dts, msn: this.#channel.window.nextMsn }) > BEGINNINGS) this.#beginnings.shift();
  }

  /** Unix ms. */
  date(dts: Micros): number {
    for (let i = this.#beginnings.length - 1; i >= 0; i--) {
      const beginning = this.#beginnings[i]!;
      const segment = beginning.dts <= dts ? this.#channel.window.segment(beginning.msn) : undefined;
      if (segment !== undefined) return segment.date + (dts - beginning.dts) / 1000;
    }
    return this.#clock.date(dts);
  }
}
