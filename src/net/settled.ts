/** Waits until the peers have acknowledged what was sent, so that a process may end. */
import { setTimeout as later } from "node:timers/promises";
import type { Millis } from "../base/units.ts";

/** How long nothing may be acknowledged before the peer is taken for gone. */
const STILL_MS: Millis = 5000;
const LOOK_MS: Millis = 20;
/** Looks that must find nothing: our acknowledgements of what came last leave within them. */
const LOOKS = 4;

/** `waiting`: segments that are not acknowledged; 0 when there is nobody to wait for. */
export async function settled(waiting: () => number): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  let nothing = 0;
  for (let still = 0; still < STILL_MS && nothing < LOOKS; still += LOOK_MS) {
    await later(LOOK_MS);
    const left = waiting();
    nothing = left === 0 ? nothing + 1 : 0;
    if (left < least) still = 0;
    least = Math.min(least, left);
  }
}
