/** The kernel thread that polls an interface, once "threaded" is set for it. */
import { readdirSync, readFileSync } from "node:fs";

export function pollingThread(wire: string): number {
  const found: number[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, "utf8").startsWith(`napi/${wire}-`)) found.push(Number(pid));
    } catch {
      // It has ended.
    }
  }
  const newest = Math.max(...found);
  if (!(newest > 0)) throw new Error(`no thread polls ${wire}`);
  return newest;
}
