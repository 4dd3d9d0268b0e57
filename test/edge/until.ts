import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the condition holds; one that throws does not yet. @throws when it does not within half a minute */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const met = (): boolean => {
    try {
      return condition();
    } catch {
      return false;
    }
  };
  for (const limit = performance.now() + 30_000; !met(); await sleep(50)) assert.ok(performance.now() < limit, `${what}: not within 30 s`);
}
