/**
 * The last word before the encoders: nothing while the network is down or the pacer is seconds behind.
 *
 *   target ─▶ network up? ─▶ expected queue time ≤ 2 s? ─▶ allocator         otherwise 0
 *
 * Source: reference/gcc.md A and G; libwebrtc 2026-08-22 call/rtp_transport_controller_send with CongestionControlHandler.
 *
 * Deviations: a new loss ratio or round trip alone is no new target; encoders that want them ask the controller.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const QUEUE_TIME_MAX: Micros = 2_000_000;

export class ControlHandler {
  /** Times the encoders were stopped because the queue grew beyond its limit. */
  pauses = 0;
  /** Goes with what `take` answers: for BitrateAllocator.onEstimate. */
  windowReduction = 0;
  readonly #queueTimeMax: Micros;
  #target: BitsPerSecond = Number.NaN;
  #networkUp = true;
  #congested = false;
  #reported: BitsPerSecond = Number.NaN;
  #reportedReduction = 0;

  constructor(queueTimeMax: Micros = QUEUE_TIME_MAX) {
    this.#queueTimeMax = queueTimeMax;
  }

  /** NetworkController's targetRate and windowReduction. */
  setTarget(target: BitsPerSecond, windowReduction = 0): void {
    this.#target = target;
    this.windowReduction = windowReduction;
  }

  setNetworkUp(up: boolean): void {
    this.#networkUp = up;
  }

  setPacerQueueTime(expected: Micros): void {
    const congested = expected > this.#queueTimeMax;
    if (congested && !this.#congested) this.pauses++;
    this.#congested = congested;
  }

  /** What the allocator may hand out now; NaN before the first target. */
  get allowed(): BitsPerSecond {
    if (Number.isNaN(this.#target)) return Number.NaN;
    return this.#networkUp && !this.#congested ? this.#target : 0;
  }

  /** `allowed` where it or the reduction changed since it was last taken here, NaN where neither did. */
  take(): BitsPerSecond {
    const { allowed } = this;
    if (Object.is(allowed, this.#reported) && this.windowReduction === this.#reportedReduction) return Number.NaN;
    this.#reported = allowed;
    this.#reportedReduction = this.windowReduction;
    return allowed;
  }
}
