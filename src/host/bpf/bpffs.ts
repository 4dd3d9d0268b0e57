/**
 * The file system in which maps and programs of the kernel have names, so that they stay when the process that made them ends.
 *
 * Mounted where it is not, if the process may. What is mounted inside a mount namespace (ip netns exec makes one) goes with it: nsenter --net does not.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, statfsSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { HostError } from "../../base/errors.ts";
import { errnoName } from "../errno.ts";
import type { Sys } from "../sys.ts";
import { cString } from "./bpf.ts";

export const BPFFS = "/sys/fs/bpf";

/** The folder, made if it was not there, in a mounted bpffs. @throws HostError that says what hinders */
export function pinFolder(sys: Sys, path: string): string {
  if (!isBpffs(BPFFS) && path.startsWith(BPFFS)) mountBpffs(sys, BPFFS);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new HostError((error as NodeJS.ErrnoException).code ?? "EIO", "mkdir", path, error);
  }
  if (!isBpffs(path)) throw new HostError("ENOTSUP", "bpf", `${path} is not in a BPF file system; mount one: mount -t bpf bpf ${BPFFS}`);
  return path;
}

/** Names in the folder; none when it is not there. */
export function pinnedNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Harmless when it is not there. */
export function unpin(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}

/** What is pinned at `from` takes the place of what is pinned at `to`, at once. */
export function movePin(from: string, to: string): void {
  unpin(to);
  renameSync(from, to);
}

/** The folder with all that is pinned in it. */
export function removePinFolder(path: string): void {
  for (const name of pinnedNames(path)) unpin(join(path, name));
  try {
    rmdirSync(path);
  } catch {}
}

/** Processors that may ever be there, by their highest number: the size of what has a place for each. */
export function possibleCpus(): number {
  const text = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim();
  return Number(/(\d+)$/.exec(text)?.[1] ?? 0) + 1;
}

/** The program's object file as it is delivered. */
export function readObject(name: string): Uint8Array {
  return readFileSync(new URL(`../../../assets/${name}.bpf.o`, import.meta.url));
}

function isBpffs(path: string): boolean {
  try {
    return statfsSync(path).type === BPF_FS_MAGIC;
  } catch {
    return false;
  }
}

function mountBpffs(sys: Sys, path: string): void {
  const [type, target] = [cString(sys, "bpf"), cString(sys, path)];
  if (sys.mount(type.address, target.address, type.address, 0, 0) === 0) return;
  throw new HostError(errnoName(sys.errno()), "mount", `bpf at ${path}; mount it once: mount -t bpf bpf ${path}`);
}

const BPF_FS_MAGIC = 0xcafe4a11;
