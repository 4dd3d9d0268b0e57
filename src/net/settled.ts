/** Waits until the peers have acknowledged what was sent, so that a process may end. */
import { setTimeout as later } from "node:timers/promises";
import type { Millis } from "../base/units.ts";

/** How long peers may take; one that has gone never does. */
const LINGER_MS: Millis = 2000;
const LOOK_MS: Millis = 20;
/** Looks that must agree: our acknowledgements of what came last leave within them. */
const LOOKS = 4;

export async function settled(nothingWaits: () => boolean): Promise<void> {
  let agreed = 0;
  for (let waited = 0; waited < LINGER_MS && agreed < LOOKS; waited += LOOK_MS) {
    await later(LOOK_MS);
    agreed = nothingWaits() ? agreed + 1 : 0;
  }
}
