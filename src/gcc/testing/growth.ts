/** How fast an estimate grows, whoever makes it. */
import type { BitsPerSecond } from "../../base/units.ts";

/** A camera, a link and an estimator in one loop. */
export interface EstimatedCamera {
  /** The last estimate, and whether the last feedback announced one. */
  readonly latest: BitsPerSecond;
  readonly updated: boolean;
  addCamera(): void;
  /** Sends the frame that is due at `bitrate`. */
  frame(bitrate: BitsPerSecond): boolean;
}

/** P23: frames until a rate of 30 kbit/s has grown to 500, at most `most`. */
export function framesToGrow(session: EstimatedCamera, most: number): number {
  session.addCamera();
  let rate = 30_000;
  let frames = 0;
  while (rate < 500_000 && frames <= most) {
    session.frame(rate);
    if (session.updated) rate = session.latest;
    frames++;
  }
  return frames;
}
