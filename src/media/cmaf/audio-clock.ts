/**
 * The time of audio counted in samples. RTMP stamps frames in whole milliseconds, which AAC frames never last; taken literally the stamps would
 * leave gaps and overlaps of up to a millisecond between frames, and players click. So frames follow each other without a gap, and the clock is
 * set anew only when the stamps have left it by more than rounding explains: frames were lost, or the encoder's clocks drift apart.
 */
import type { Unit } from "../unit.ts";

export class AudioClock {
  readonly #sampleRate: number;
  readonly #samplesPerUnit: number;
  readonly #toleranceTicks: number;
  #next = -1;
  #ticks = new Float64Array(16);
  #length = 0;
  /** Times the clock was set anew after its start. */
  resyncs = 0;

  constructor(sampleRate: number, samplesPerUnit: number) {
    this.#sampleRate = sampleRate;
    this.#samplesPerUnit = samplesPerUnit;
    this.#toleranceTicks = (sampleRate * TOLERANCE_MS) / 1000;
  }

  /** Decode time of the first unit placed, in samples. */
  get start(): number {
    return this.#ticks[0]!;
  }

  /** Duration of unit i of those placed, in samples; the last one always has its nominal duration. */
  duration(i: number): number {
    return i + 1 < this.#length ? this.#ticks[i + 1]! - this.#ticks[i]! : this.#samplesPerUnit;
  }

  /** Gives the units their times; true when all have the nominal duration. At least one unit. */
  place(units: readonly Unit[]): boolean {
    if (units.length > this.#ticks.length) this.#ticks = new Float64Array(units.length * 2);
    this.#length = units.length;
    let uniform = true;
    for (let i = 0; i < units.length; i++) {
      const stamp = Math.round((units[i]!.dts * this.#sampleRate) / 1_000_000);
      const left = this.#next < 0 || Math.abs(stamp - this.#next) > this.#toleranceTicks;
      // Inside a fragment time only goes on: durations are unsigned.
      if (left && (i === 0 || stamp > this.#next)) {
        if (this.#next >= 0) this.resyncs++;
        if (i > 0) uniform = false;
        this.#next = stamp;
      }
      this.#ticks[i] = this.#next;
      this.#next += this.#samplesPerUnit;
    }
    return uniform;
  }
}

/** More than the rounding of two stamps, less than a frame of AAC at 48 kHz (21 ms). */
const TOLERANCE_MS = 15;
