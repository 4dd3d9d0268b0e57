/**
 * The beginning of a stream: what comes is held until it comes no faster than time passes.
 *
 *   arrival − dts │╲
 *                 │ ╲__________      an encoder that was held up sends what it has made meanwhile in a burst; only behind it is known
 *                 └──────────▶ t     how far its clock is from ours (program-date-time.ts)
 *
 * Segments that were dated before would say something else than those behind them, and players that go by dates (hls.js looks for its first fragments so) would leave
 * media out. A stream that begins in time is held for less than its first part takes; nobody waits longer for one that does not, as its media is late by more.
 */
import type { Bytes, Micros, Millis } from "../../base/units.ts";
import type { Unit } from "../unit.ts";
import { ProgramDateTime } from "./program-date-time.ts";

export interface BeginningLimits {
  /** Bytes that are held. */
  readonly bytesMax: Bytes;
  readonly unitsMax: number;
}

export class Beginning {
  readonly units: Unit[] = [];
  readonly clock = new ProgramDateTime();
  readonly #leader: Unit["kind"];
  readonly #limits: BeginningLimits;
  #bytes = 0;
  #first: Unit | undefined;
  /** Least (arrival − dts) when it was last seen to have fallen, ms, and when that was. */
  #offset = Number.POSITIVE_INFINITY;
  #fellAt = 0;

  /** `leader`: whose units tell the time. */
  constructor(leader: Unit["kind"], limits: BeginningLimits) {
    this.#leader = leader;
    this.#limits = limits;
  }

  /** Takes a unit over; false: the beginning is over, with this unit as its last. */
  hold(unit: Unit): boolean {
    this.units.push(unit);
    this.#bytes += unit.data.length;
    if (this.#bytes >= this.#limits.bytesMax || this.units.length >= this.#limits.unitsMax) return false;
    if (unit.kind !== this.#leader) return true;
    this.#first ??= unit;
    this.clock.observe(unit.dts, unit.arrival);
    const offset = unit.arrival - unit.dts / 1000;
    if (offset < this.#offset - JITTER) {
      this.#offset = offset;
      this.#fellAt = unit.arrival;
    }
    const { dts, arrival } = this.#first;
    if (unit.dts - dts >= MEDIA_MAX || unit.dts < dts || unit.arrival - arrival >= WALL_MAX) return false;
    return unit.arrival - this.#fellAt < SETTLED;
  }
}

/** Units come unevenly by so much where nothing is held up. */
const JITTER: Millis = 10;
/** So long it must not have come faster than time passes: four frames, less than a part. */
const SETTLED: Millis = 100;
const MEDIA_MAX: Micros = 3_000_000;
const WALL_MAX: Millis = 2000;
