/**
 * Congestion window and push-back: how much may be in flight, and how far the target is taken back while more is.
 *
 *   window = target × (least feedback RTT + queue time), ≥ 3000 B, averaged with the one before
 *   fill   = (in flight + pacer queue) / window:   > 1.5 factor × 0.9   > 1 × 0.95   < 0.1 → 1   else × 1.05, ≤ 1
 *
 * Source: reference/gcc.md F; libwebrtc 2026-08-22 goog_cc/congestion_window_pushback_controller and goog_cc_network_control.
 *
 * With `dropFrames` the target stays, and the share that push-back would take is told to the encoders, which leave out frames for it
 * (frame-dropper.ts): a queue of a moment does not change their quality.
 *
 * Deviations: none.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const WINDOW_MIN: Bytes = 3000;
const QUEUE_TIME_DEFAULT: Micros = 350_000;
const PUSHBACK_MIN_DEFAULT: BitsPerSecond = 30_000;

export interface CongestionWindowOptions {
  /** Queue that the window allows for on top of the round trip. */
  readonly queueTime?: Micros;
  /** Push-back never goes below this rate. */
  readonly pushbackMin?: BitsPerSecond;
  /** What waits in the pacer counts as in flight. */
  readonly countPacerQueue?: boolean;
  /** Encoders drop frames instead of being given a lower target; false. */
  readonly dropFrames?: boolean;
}

export class CongestionWindow {
  /** Bytes that may be in flight, 0 before the first report. */
  window: Bytes = 0;
  /** Share of the target that push-back leaves, 0…1. */
  factor = 1;
  readonly dropFrames: boolean;
  readonly #queueTime: Micros;
  readonly #pushbackMin: BitsPerSecond;
  readonly #countPacerQueue: boolean;
  #inFlight: Bytes = 0;
  #pacerQueue: Bytes = 0;

  constructor(options: CongestionWindowOptions = {}) {
    this.#queueTime = options.queueTime ?? QUEUE_TIME_DEFAULT;
    this.#pushbackMin = options.pushbackMin ?? PUSHBACK_MIN_DEFAULT;
    this.#countPacerQueue = options.countPacerQueue ?? true;
    this.dropFrames = options.dropFrames ?? false;
  }

  setInFlight(bytes: Bytes): void {
    this.#inFlight = bytes;
  }

  setPacerQueue(bytes: Bytes): void {
    this.#pacerQueue = bytes;
  }

  /** More is in flight than the window holds. */
  get full(): boolean {
    return this.window > 0 && this.#inFlight >= this.window;
  }

  /** `leastRtt`: FeedbackRtt.least; NaN before the first report leaves the window open. */
  updateWindow(target: BitsPerSecond, leastRtt: Micros): void {
    if (Number.isNaN(leastRtt)) return;
    const window = (target * (leastRtt + this.#queueTime)) / 8e6;
    this.window = Math.max(WINDOW_MIN, this.window > 0 ? (window + this.window) / 2 : window);
  }

  /** The target less push-back; each call is one step of it. */
  pushBack(target: BitsPerSecond): BitsPerSecond {
    if (this.window === 0) return target;
    const fill = (this.#inFlight + (this.#countPacerQueue ? this.#pacerQueue : 0)) / this.window;
    if (fill > 1.5) this.factor *= 0.9;
    else if (fill > 1) this.factor *= 0.95;
    else if (fill < 0.1) this.factor = 1;
    else this.factor = Math.min(1, this.factor * 1.05);
    const pushed = target * this.factor;
    if (pushed >= this.#pushbackMin) return pushed;
    // The factor stops where the floor is, so that it climbs back from there and not from far below.
    const floor = Math.min(target, this.#pushbackMin);
    this.factor = floor / target;
    return floor;
  }
}
