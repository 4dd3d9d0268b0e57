/** What an input has made and nobody has taken yet: tracks, units, and at last why it ends; bounded. */
import type { ProtocolError } from "../base/errors.ts";
import { Ring } from "../base/ring.ts";
import type { Track, Unit, UnitEvent } from "./unit.ts";

/** Counted here for the input. */
export interface UnitQueueStats {
  /** Times a track began or changed. */
  configurations: number;
  /** Events dropped because nobody took them. */
  dropped: number;
}

export class UnitQueue {
  /** Nothing is to come any more. */
  failed = false;
  readonly #stats: UnitQueueStats;
  readonly #events: Ring<UnitEvent>;

  constructor(stats: UnitQueueStats, eventsMax: number) {
    this.#stats = stats;
    this.#events = new Ring(eventsMax);
  }

  event(): UnitEvent | undefined {
    return this.#events.shift();
  }

  track(track: Track, trackId = 0): void {
    this.#stats.configurations++;
    this.#push({ kind: "track", track, trackId });
  }

  unit(unit: Unit, trackId = 0): void {
    this.#push({ kind: "unit", unit, trackId });
  }

  fail(error: ProtocolError): void {
    this.failed = true;
    // Whatever waits is of no use any more, and the reason must not be lost to a full queue.
    if (this.#events.length >= this.#events.capacity) this.#events.shift();
    this.#push({ kind: "failed", error });
  }

  #push(event: UnitEvent): void {
    if (!this.#events.push(event)) this.#stats.dropped++;
  }
}
