/**
 * How a channel's ingest does, second by second over the last ten minutes: what IVS's high-resolution metrics tell (IngestVideoBitrate, IngestAudioBitrate,
 * IngestFramerate, KeyframeInterval, ConcurrentViews) and when it starved. Memory is taken when a stream begins and given back when all of it is past.
 */
import type { Micros } from "../../base/units.ts";
import type { Channel, ChannelListener } from "../../live/channel.ts";
import type { Unit } from "../../media/unit.ts";

const SAMPLES = 600;
export const healthFigures = ["videoBitrate", "audioBitrate", "framerate", "keyframeInterval", "viewers", "starving"] as const;
export type HealthFigure = (typeof healthFigures)[number];

/** One value a second, the oldest first; null: off the air. Bits a second, frames a second, seconds, viewers, 0 or 1. */
export interface IngestHealthView {
  /** Unix ms of the last sample. */
  readonly at: number;
  readonly figures: Readonly<Record<HealthFigure, readonly (number | null)[]>>;
}

export class IngestHealth implements ChannelListener {
  readonly #channel: Channel;
  #rings: Float32Array | undefined;
  #next = 0;
  /** Samples since the channel went off the air. */
  #silent = 0;
  #sampledAt = 0;
  #videoBytes = 0;
  #audioBytes = 0;
  #frames = 0;
  #keyframeAt: Micros = Number.NaN;
  #keyframeInterval = Number.NaN;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.listeners.add(this);
  }

  started(): void {
    this.#rings ??= new Float32Array(SAMPLES * healthFigures.length).fill(Number.NaN);
    this.#keyframeAt = Number.NaN;
    this.#keyframeInterval = Number.NaN;
  }

  tracks(): void {}

  unit({ kind, data, keyframe, dts }: Unit): void {
    if (kind === "audio") {
      this.#audioBytes += data.length;
      return;
    }
    this.#videoBytes += data.length;
    this.#frames++;
    if (!keyframe) return;
    if (dts > this.#keyframeAt) this.#keyframeInterval = (dts - this.#keyframeAt) / 1e6;
    this.#keyframeAt = dts;
  }

  ended(): void {}

  /** Called about once a second. `now` in ms of any steady clock. */
  tick(now: number, viewers: number, starving: boolean): void {
    const seconds = (now - this.#sampledAt) / 1000;
    this.#sampledAt = now;
    const rings = this.#rings;
    if (rings !== undefined && seconds > 0) {
      const live = this.#channel.live;
      this.#silent = live ? 0 : this.#silent + 1;
      const rate = (count: number): number => (live ? count / seconds : Number.NaN);
      const values = [
        ...[rate(this.#videoBytes * 8), rate(this.#audioBytes * 8), rate(this.#frames), live ? this.#keyframeInterval : Number.NaN],
        ...[live ? viewers : Number.NaN, live ? Number(starving) : Number.NaN],
      ];
      for (const [i, value] of values.entries()) rings[i * SAMPLES + this.#next] = value;
      this.#next = (this.#next + 1) % SAMPLES;
      if (this.#silent >= SAMPLES) this.#rings = undefined;
    }
    this.#videoBytes = 0;
    this.#audioBytes = 0;
    this.#frames = 0;
  }

  /** `at`: Unix ms. */
  view(at: number): IngestHealthView {
    const column = (i: number): (number | null)[] => {
      const rings = this.#rings;
      if (rings === undefined) return [];
      const values = [
        ...rings.subarray(i * SAMPLES + this.#next, (i + 1) * SAMPLES),
        ...rings.subarray(i * SAMPLES, i * SAMPLES + this.#next),
      ];
      return values.map((value) => (Number.isNaN(value) ? null : Math.round(value * 100) / 100));
    };
    const figures = Object.fromEntries(healthFigures.map((figure, i) => [figure, column(i)]));
    return { at, figures: figures as unknown as IngestHealthView["figures"] };
  }

  close(): void {
    this.#channel.listeners.delete(this);
  }
}
