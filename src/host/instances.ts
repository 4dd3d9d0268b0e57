/**
 * Where the running programs of a user leave the sockets by which `longhaul top` finds them.
 *
 *   $XDG_RUNTIME_DIR/longhaul/client-4711.sock      else /run/user/UID/longhaul, for root /run/longhaul, else TMPDIR/longhaul-UID
 *
 * The folder is its user's alone (0700). A socket whose process is gone is removed by whoever comes by next.
 */
import { lstatSync, mkdirSync, readdirSync, statSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processLives } from "./process-lives.ts";

export interface Instance {
  readonly name: string;
  readonly pid: number;
  readonly path: string;
}

/** What the choice of folders depends on; that of this process by default. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly tmp: string;
}

/** sockaddr_un holds no more on any system that matters (macOS: 104 bytes with the final 0). */
const PATH_BYTES_MAX = 103;
const socketName = /^([a-z][a-z-]{0,31})-(\d{1,10})\.sock$/;

export function surroundings(): Surroundings {
  return { env: process.env, uid: process.getuid?.() ?? 0, tmp: tmpdir() };
}

/** The path for this process's socket, in a folder that exists. @throws Error when there is no folder of our own to be had */
export function instancePath(name: string, pid: number, of: Surroundings = surroundings()): string {
  const folder = ownFolder(of);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== of.uid || (mode & 0o077) !== 0) throw new Error(`${folder} is not this user's alone`);
  const path = join(folder, `${name}-${pid}.sock`);
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) throw new Error(`${path} is too long for a socket`);
  instancesIn(folder, true);
  return path;
}

/** Those that run, by name and pid: this user's, or `all` that this user may see. Removes what dead ones of this user left. */
export function findInstances(all: boolean, of: Surroundings = surroundings()): Instance[] {
  const own = ownFolder(of);
  const folders = new Set([own, ...(all ? everybodysFolders(of.tmp) : [])]);
  const found = [...folders].flatMap((folder) => instancesIn(folder, folder === own));
  return found.sort((a, b) => a.name.localeCompare(b.name) || a.pid - b.pid);
}

function everybodysFolders(tmp: string): string[] {
  const temporary = filesIn(tmp).filter((name) => name.startsWith("longhaul-"));
  return [
    "/run/longhaul",
    ...filesIn("/run/user").map((uid) => join("/run/user", uid, "longhaul")),
    ...temporary.map((name) => join(tmp, name)),
  ];
}

function ownFolder({ env, uid, tmp }: Surroundings): string {
  const { XDG_RUNTIME_DIR: given = "" } = env;
  if (given.startsWith("/")) return join(given, "longhaul");
  if (isDirectory(`/run/user/${uid}`)) return `/run/user/${uid}/longhaul`;
  return uid === 0 && isDirectory("/run") ? "/run/longhaul" : join(tmp, `longhaul-${uid}`);
}

/** `tidy` removes what dead processes left: only in our own folder, since another user's may lead anywhere. */
function instancesIn(folder: string, tidy: boolean): Instance[] {
  return filesIn(folder).flatMap((file) => {
    const match = socketName.exec(file);
    if (match === null) return [];
    const [, name = "", pid] = match;
    const path = join(folder, file);
    if (processLives(Number(pid))) return [{ name, pid: Number(pid), path }];
    if (tidy) remove(path);
    return [];
  });
}

/** None of a folder that is not there, or not for us. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else was faster.
  }
}
