/**
 * Leaves out frames while more is in flight than the congestion window holds, and lowers the encoder's rate by what they would have taken.
 *
 *   reduction r of target t ─▶ every n-th frame is dropped, n = t / min(r·t, t − min), at least 2 ─▶ rate t − t/n
 *
 * Source: libwebrtc bd635df3 video/video_stream_encoder, UpdateTargetBitrate and DropFrameDueToCongestionWindowPushback. Deviations: none.
 */
import type { BitsPerSecond } from "../base/units.ts";

/** Tuning of libwebrtc. */
const REDUCTION_MIN = 0.01;
const INTERVAL_MIN = 2;

export class FrameDropper {
  /** Every so many frames one is dropped; 0 = none. */
  interval = 0;
  dropped = 0;
  #frames = 0;

  /** Takes the target and NetworkController.windowReduction; answers the rate for the frames that remain. `min`: of the encoder. */
  update(target: BitsPerSecond, reduction: number, min: BitsPerSecond): BitsPerSecond {
    this.interval = 0;
    if (!(reduction > REDUCTION_MIN) || target <= min) return target;
    const saved = Math.floor(Math.min(target * reduction, target - min));
    if (saved <= 0) return target;
    this.interval = Math.max(INTERVAL_MIN, Math.floor(target / saved));
    return target - target / this.interval;
  }

  /** Whether the frame that is about to be encoded is left out. */
  drops(): boolean {
    if (this.interval === 0 || this.#frames++ % this.interval !== 0) return false;
    this.dropped++;
    return true;
  }
}
