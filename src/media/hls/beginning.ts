/**
 * The beginning of a stream: what comes is held until it comes as time passes, neither faster nor after a pause.
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
  /** Least (arrival − dts) that counts, ms. */
  #offset = Number.POSITIVE_INFINITY;
  /** Since when, and for how many units, nothing came faster or much later than that. */
  #calmAt = 0;
  #calm = 0;

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
    const faster = offset < this.#offset - JITTER;
    if (faster) this.#offset = offset;
    // What is late was held up, and has a backlog of its own behind it.
    if (faster || offset > this.#offset + LATE) {
      this.#calmAt = unit.arrival;
      this.#calm = 0;
    } else this.#calm++;
    const { dts, arrival } = this.#first;
    if (unit.dts - dts >= MEDIA_MAX || unit.dts < dts || unit.arrival - arrival >= WALL_MAX) return false;
    return this.#calm < CALM_UNITS || unit.arrival - this.#calmAt < SETTLED;
  }
}

/** Units come unevenly by so much where nothing is held up. */
const JITTER: Millis = 10;
/** An encoder lets a picture wait for its sound by up to this. */
const LATE: Millis = 60;
/** So long, and for so many units, it must have come as time passes: three frames, less than a part. */
const SETTLED: Millis = 95;
const CALM_UNITS = 3;
const MEDIA_MAX: Micros = 3_000_000;
const WALL_MAX: Millis = 2000;
