/** `longhaul edge --flowlogs`: flow logs of the accelerators that have them, into a folder or a store that speaks S3. */
import type { Dirent } from "node:fs";
import { readdir, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Edge } from "../accelerate/edge.ts";
import { FlowLogger, type FlowLogStore } from "../accelerate/flow-logger.ts";
import type { Log } from "../host/log.ts";
import { stateFolder } from "./edge-identity.ts";
import type { EdgeOptions } from "./edge-options.ts";
import type { StoragePlace } from "./object-storage.ts";

const LOOK_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface EdgeFlowLogs {
  readonly counters: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** @throws ConfigError */
export async function writeFlowLogs(edge: Edge, options: EdgeOptions, log: Log): Promise<EdgeFlowLogs> {
  const { flowlogs: given, flowlogskey: key, flowlogssecret: secret, flowlogsregion: region, flowlogsdays: days } = options;
  const place: StoragePlace = { option: "flowlogs", given, folder: join(stateFolder(options.state), "flowlogs"), key, secret, region };
  // Loaded when it is needed first; what is wrong with the options is said at once.
  let storage: Promise<FlowLogStore> | undefined;
  const opened = (): Promise<FlowLogStore> => (storage ??= import("./object-storage.ts").then(({ openStorage }) => openStorage(place)));
  if (given !== "") await opened();
  const logger = new FlowLogger({
    store: { put: async (bucket, key, bytes) => (await opened()).put(bucket, key, bytes) },
    log,
    name: hostname().replace(/[^\w.-]/g, "-"),
    now: Date.now,
    config: () => edge.config,
    logged: () => edge.logged(),
  });
  const folder = /^https?:\/\//.test(given) ? undefined : given || place.folder;
  const look = folder === undefined ? undefined : setInterval(() => void removeOld(folder, Date.now() - days * DAY_MS), LOOK_MS).unref();
  return {
    counters: logger.counters,
    close: async () => {
      clearInterval(look);
      await logger.close();
    },
  };
}

/** Files of ours last written before this moment, Unix ms. Exported for its test. */
export async function removeOld(folder: string, before: number): Promise<number> {
  let removed = 0;
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch((): Dirent[] => []);
  for (const { name, parentPath } of files) {
    if (!/_globalaccelerator_.*\.log\.gz(\.part)?$/.test(name)) continue;
    const path = join(parentPath, name);
    const age = await stat(path).catch(() => undefined);
    if (age === undefined || age.mtimeMs >= before) continue;
    await unlink(path).catch(() => {});
    removed++;
  }
  return removed;
}
