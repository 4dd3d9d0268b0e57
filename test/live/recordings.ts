/** What a folder of recordings has, as ffprobe counts it. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface Length {
  readonly pictures: number;
  /** Frames. */
  readonly sound: number;
}

/** Of all renditions of the recordings in a folder, by name. */
export function lengths(folder: string): ReadonlyMap<string, Length> {
  const found = new Map<string, Length>();
  for (const playlist of globSync("**/playlist.m3u8", { cwd: folder })) {
    const options = ["-v", "error", "-allowed_extensions", "ALL", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets"];
    const { stdout } = spawnSync("ffprobe", [...options, "-of", "csv=p=0", join(folder, playlist)], { encoding: "utf8" });
    const packets = (kind: string): number => Number(new RegExp(`^${kind},(\\d+)`, "m").exec(stdout)?.[1]);
    found.set(basename(dirname(playlist)), { pictures: packets("video"), sound: packets("audio") });
  }
  return found;
}

/** How many of its recordings are complete. */
export function recordingsEnded(folder: string): number {
  return globSync("**/recording-ended.json", { cwd: folder }).length;
}
