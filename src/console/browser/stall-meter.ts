/**
 * Counts stalls by what a viewer sees: the picture stands still though it should move. The events of a media element come late, twice or not at all,
 * so the playhead itself is watched.
 */
export class StallMeter {
  #time = -1;
  #movedAt = 0;
  #counted = 0;
  /** `stalledMs` before the stall that lasts. */
  #before = 0;
  #suspended = false;
  #hitched = false;
  /** The playhead has moved at least once. */
  begun = false;
  stalls = 0;
  stalledMs = 0;
  stalled = false;
  /** How often it stood still for a moment that an eye may notice, stalls included. */
  hitches = 0;

  get moving(): boolean {
    return this.begun && !this.stalled && !this.#suspended;
  }

  /** The stream ended: the stall this caused was none, and nothing counts until the playhead moves again. */
  suspend(): void {
    if (this.stalled) {
      this.stalls--;
      this.stalledMs = this.#before;
      this.stalled = false;
    }
    this.#suspended = true;
  }

  /** `now` in ms, `time` the playhead in seconds. While nothing is `expected` to move, standing still is no stall. */
  observe(now: number, time: number, expected: boolean): void {
    if (time !== this.#time) {
      if (this.#time >= 0 && time > 0) this.begun = true;
      this.#time = time;
      this.#movedAt = now;
      this.stalled = false;
      this.#hitched = false;
      this.#suspended = false;
      return;
    }
    if (!this.begun || !expected || this.#suspended) {
      this.#movedAt = now;
      this.stalled = this.stalled && expected;
      return;
    }
    if (now - this.#movedAt >= HITCH_MS && !this.#hitched) {
      this.#hitched = true;
      this.hitches++;
    }
    if (now - this.#movedAt < STILL_MS) return;
    if (!this.stalled) {
      this.stalled = true;
      this.stalls++;
      this.#counted = this.#movedAt;
      this.#before = this.stalledMs;
    }
    this.stalledMs += now - this.#counted;
    this.#counted = now;
  }
}

/** Longer than the distance of two looks at the playhead, shorter than what an eye forgives. */
const STILL_MS = 400;
/** Three looks, or five frames. */
const HITCH_MS = 150;
