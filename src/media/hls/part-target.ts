/**
 * The Part Target Duration (RFC 8216bis section 4.4.3.7). A part holds whole frames, must not last longer than the target and, unless it is the last of
 * its segment, not less than 85 % of it. So the target follows from the frame rate: the whole number of frames nearest to what was asked for.
 */
import type { Micros } from "../../base/units.ts";

/** Least share of the target a part that is not the last of its segment may last. */
export const PART_DURATION_MIN = 0.85;

/** `wanted` and `frame` (time from one frame to the next) in microseconds; the answer is whole milliseconds. */
export function partTarget(wanted: Micros, frame: Micros): Micros {
  const frames = Math.max(1, Math.round(wanted / frame));
  return Math.ceil(Math.round(frames * frame + STAMP_ROUNDING) / 1000) * 1000;
}

/** RTMP stamps whole milliseconds: a part may seem longer than it is by one at each end. */
const STAMP_ROUNDING: Micros = 2000;

/** Whether parts of whole frames can last at least as long as they must for this target, and no longer than it. */
export function fits(target: Micros, frame: Micros): boolean {
  const most = Math.floor((target - STAMP_ROUNDING / 2) / frame) * frame;
  return most - STAMP_ROUNDING >= PART_DURATION_MIN * target;
}
