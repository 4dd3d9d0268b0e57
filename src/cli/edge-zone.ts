/** `longhaul edge zone`: the names of what a file says, or of what this edge served last. */
import { zoneOf } from "../accelerate/zone.ts";
import { ConfigError } from "../base/errors.ts";
import { readEdgeFile } from "./edge-file.ts";
import { readServed, stateFolder } from "./edge-identity.ts";
import type { EdgeOptions } from "./edge-options.ts";

export function printZone({ file, state, ttl }: EdgeOptions): number {
  const config = file === "" ? readServed(stateFolder(state)) : readEdgeFile(file, 1);
  if (config === undefined)
    throw new ConfigError(
      "file",
      `--file, --state: neither a file is given nor anything served in "${stateFolder(state)}"; give one that has accelerators`,
    );
  process.stdout.write(zoneOf(config, ttl));
  return 0;
}
