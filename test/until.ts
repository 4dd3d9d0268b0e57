import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the condition holds; one that throws does not yet. @throws when it does not within the time, with what it threw last */
export async function until(what: string, condition: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  let thrown = "";
  const met = async (): Promise<boolean> => {
    try {
      return await condition();
    } catch (error) {
      thrown = `: ${error}`;
      return false;
    }
  };
  const limit = performance.now() + seconds * 1000;
  while (!(await met())) {
    assert.ok(performance.now() < limit, `${what}: not within ${seconds} s${thrown}`);
    await sleep(50);
  }
}
