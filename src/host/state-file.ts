/** A file that holds what a program must not forget: written whole or not at all, by one process at a time. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HostError } from "../base/errors.ts";
import { processLives } from "./process-lives.ts";

/** Undefined when there is no such file. @throws HostError */
export function readStateFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new HostError(code, "read", path, error);
  }
}

/** What was there stays there until all of the new text is on the disk. @throws HostError */
export function writeStateFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const fd = openSync(temporary, "w", 0o600);
    try {
      writeSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    throw new HostError((error as NodeJS.ErrnoException).code ?? "EIO", "write", path, error);
  }
}

/** Does the work while no other process does such for the same file. @throws HostError EBUSY when another one does for too long */
export async function lockStateFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  for (let tries = LOCK_TRIES; !take(lock); tries--) {
    if (tries === 0) throw new HostError("EBUSY", "lock", `${path}, by process ${holder(lock)}`);
    await sleep(LOCK_PAUSE_MS);
  }
  try {
    return await work();
  } finally {
    unlinkSync(lock);
  }
}

function take(lock: string): boolean {
  try {
    const fd = openSync(lock, "wx", 0o600);
    writeSync(fd, String(process.pid));
    closeSync(fd);
    return true;
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw new HostError(code, "lock", lock, error);
    const pid = holder(lock);
    // Left behind by a process that was killed.
    if (pid > 0 && !processLives(pid)) tryUnlink(lock);
    return false;
  }
}

function holder(lock: string): number {
  try {
    return Number(readFileSync(lock, "utf8"));
  } catch {
    return 0;
  }
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was faster.
  }
}

const LOCK_TRIES = 200;
const LOCK_PAUSE_MS = 50;
