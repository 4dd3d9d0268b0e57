/** `longhaul edge run`: serves until it is stopped. */
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Edge, type EdgeThreads } from "../accelerate/edge.ts";
import type { EdgeConfig } from "../accelerate/edge-config.ts";
import type { EdgeCommand, EdgeMessage } from "../accelerate/edge-messages.ts";
import type { EdgeWorkerData } from "../accelerate/edge-worker.ts";
import { totals } from "../accelerate/observation.ts";
import { ConfigError } from "../base/errors.ts";
import { chooseIo } from "../host/choose.ts";
import { type HttpServer, serveHttp } from "../host/http.ts";
import { instancePath } from "../host/instances.ts";
import { createLog, type Log } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import { startLoopWorker } from "../host/worker.ts";
import { readEdgeFile } from "./edge-file.ts";
import type { EdgeOptions } from "./edge-options.ts";
import { EDGE_INSTANCE, edgePages } from "./edge-pages.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { onStop } from "./signals.ts";

export async function runEdge(options: EdgeOptions): Promise<number> {
  const log = createLog("info").child({ module: "edge" });
  if (options.file === "") throw new ConfigError("file", "--file: nothing is given; give the file that says what is served");
  const { kind, reason } = chooseIo();
  if (kind !== "epoll") throw new ConfigError("edge", `an edge needs Linux and its system calls, which are not to be had here: ${reason}`);
  const first = readEdgeFile(options.file, 1);
  const edge = new Edge(threadsOf(options), log);
  const servers: HttpServer<Endpoint>[] = [];
  let stopped: (signal: string) => void = () => undefined;
  const stop = new Promise<string>((settle) => {
    stopped = settle;
  });
  const off = onStop((signal) => stopped(signal));
  const hangup = (): void => reread(edge, options, log);
  process.on("SIGHUP", hangup);
  try {
    await serve(edge, first, log);
    const app = edgePages(edge, () => servers.reduce((sum, { counters }) => sum + counters.connectionsDropped, 0));
    servers.push(await serveHttp(app.fetch, { path: instancePath(EDGE_INSTANCE, process.pid), mode: 0o600 }));
    if (options.metrics !== "")
      servers.push(await serveHttp(app.fetch, { ...parseMetricsAddress(options.metrics), connectionsMax: WATCHERS_MAX }));
    const signal = await Promise.race([stop, edge.ended.then(() => "a thread ended")]);
    log.info({ signal, drain: options.drain }, "stopping");
    await drain(edge, options.drain);
    return 0;
  } finally {
    off();
    process.off("SIGHUP", hangup);
    for (const server of servers) await server.close();
    await edge.close();
  }
}

export function threadsOf({ workers, flows, places, buffers, connecttimeout }: EdgeOptions): EdgeThreads {
  const count = workers === 0 ? availableParallelism() : workers;
  const share = 1 / count;
  const data: EdgeWorkerData = {
    flowsMax: Math.ceil(flows * share),
    placesMax: places,
    buffersMax: Math.ceil(buffers * share),
    connectTimeout: connecttimeout,
    share,
  };
  return {
    count,
    start: (_index, onMessage) =>
      startLoopWorker<EdgeWorkerData, EdgeCommand, EdgeMessage>({
        module: new URL("../accelerate/edge-worker.ts", import.meta.url),
        data,
        io: "epoll",
        sharePorts: count > 1,
        onMessage,
      }),
  };
}

async function serve(edge: Edge, config: EdgeConfig, log: Log): Promise<void> {
  const problems = await edge.take(config);
  const { revision, accelerators } = config;
  log.info(
    { revision, accelerators: accelerators.length, places: problems.length === 0 ? "all open" : `${problems.length} not open` },
    "serving",
  );
  for (const { place, reason } of problems.slice(0, PROBLEMS_LOGGED)) log.warn({ place, reason }, "a place cannot be opened, tried again");
}

function reread(edge: Edge, { file }: EdgeOptions, log: Log): void {
  try {
    void serve(edge, readEdgeFile(file, edge.config.revision + 1), log);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.error({ reason: error.message }, "not reloaded: nothing has changed");
  }
}

async function drain(edge: Edge, seconds: number): Promise<void> {
  for (const until = performance.now() + seconds * 1000; performance.now() < until; await sleep(DRAIN_LOOK_MS))
    if (totals((await edge.observe()).plane).flows === 0) return;
}

const WATCHERS_MAX = 64;
const PROBLEMS_LOGGED = 10;
const DRAIN_LOOK_MS = 200;
