/** `longhaul edge run`: serves until it is stopped. */
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Announcer } from "../accelerate/announcer.ts";
import { parseBirdNeighbor } from "../accelerate/bird-configuration.ts";
import { Edge, type EdgeThreads } from "../accelerate/edge.ts";
import type { EdgeConfig } from "../accelerate/edge-config.ts";
import type { EdgeCommand, EdgeMessage } from "../accelerate/edge-messages.ts";
import type { EdgeWorkerData } from "../accelerate/edge-worker.ts";
import { totals } from "../accelerate/observation.ts";
import { ConfigError } from "../base/errors.ts";
import { chooseIo } from "../host/choose.ts";
import { raiseDescriptors } from "../host/descriptor-limit.ts";
import { HandoverTable } from "../host/handover.ts";
import { type HttpServer, serveHttp } from "../host/http.ts";
import { instancePath } from "../host/instances.ts";
import { createLog, type Log } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import { startLoopWorker } from "../host/worker.ts";
import { readEdgeFile } from "./edge-file.ts";
import { writeFlowLogs } from "./edge-flow-logs.ts";
import { type EdgeIdentity, joinInstallation, keepIdentity, readIdentity, readServed, stateFolder } from "./edge-identity.ts";
import { type EdgeLink, linkEdge } from "./edge-link.ts";
import { serveNames } from "./edge-names.ts";
import type { EdgeOptions } from "./edge-options.ts";
import { EDGE_INSTANCE, edgePages } from "./edge-pages.ts";
import type { TunnelledEdgeData } from "./edge-thread.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { onStop } from "./signals.ts";

export async function runEdge(options: EdgeOptions): Promise<number> {
  const log = createLog("info").child({ module: "edge" });
  const { kind, reason } = chooseIo();
  if (kind !== "epoll") throw new ConfigError("edge", `an edge needs Linux and its system calls, which are not to be had here: ${reason}`);
  raise(options, log);
  const folder = stateFolder(options.state);
  const identity = await identityFor(options, folder, log);
  const first = identity === undefined ? readEdgeFile(options.file, 1) : (readServed(folder) ?? NOTHING);
  const announcer = announcerOf(options, log);
  const names = await serveNames(options);
  // What most edges have no use for is not loaded.
  const kernel = options.datapath === "userspace" ? undefined : await (await import("./edge-kernel.ts")).kernelOf(options, log);
  const tunnels = options.tunnels === "" ? {} : (await import("./edge-tunnels.ts")).readTunnels(options.tunnels);
  const edge = new Edge(threadsOf(options, tunnels), log, () => void announcer?.look(edge.config, edge.health), kernel);
  const flowLogs = await writeFlowLogs(edge, options, log);
  const servers: HttpServer<Endpoint>[] = [];
  let stopped: (signal: string) => void = () => undefined;
  const stop = new Promise<string>((settle) => {
    stopped = settle;
  });
  const off = onStop((signal) => stopped(signal));
  let hangup = (): void => {};
  let link: EdgeLink | undefined;
  try {
    const take = async (config: EdgeConfig): Promise<number> => {
      names?.take(config);
      await announcer?.assign(config);
      return serve(edge, config, log);
    };
    hangup = () => {
      if (identity === undefined) reread(edge, options, take, log);
    };
    process.on("SIGHUP", hangup);
    await take(first);
    if (identity !== undefined) link = linkEdge(edge, identity, folder, take, log);
    const app = edgePages(edge, link, { names: names?.counters, flowLogs: flowLogs.counters }, () =>
      servers.reduce((sum, { counters }) => sum + counters.connectionsDropped, 0),
    );
    servers.push(await serveHttp(app.fetch, { path: instancePath(EDGE_INSTANCE, process.pid), mode: 0o600 }));
    if (options.metrics !== "")
      servers.push(await serveHttp(app.fetch, { ...parseMetricsAddress(options.metrics), connectionsMax: WATCHERS_MAX }));
    const signal = await Promise.race([stop, edge.ended.then(() => "a thread ended")]);
    log.info({ signal, drain: options.drain }, "stopping");
    await announcer?.withdraw();
    await drain(edge, options.drain);
    return 0;
  } finally {
    off();
    link?.close();
    names?.close();
    process.off("SIGHUP", hangup);
    for (const server of servers) await server.close();
    await flowLogs.close();
    await edge.close();
    await announcer?.close();
  }
}

export function threadsOf(
  { workers, flows, places, buffers, connecttimeout }: EdgeOptions,
  tunnels: TunnelledEdgeData["tunnels"] = {},
): EdgeThreads {
  const count = workers === 0 ? availableParallelism() : workers;
  const share = 1 / count;
  const handover = count > 1 ? new HandoverTable(count) : undefined;
  const plain = Object.keys(tunnels).length === 0;
  const plane: EdgeWorkerData = {
    flowsMax: Math.ceil(flows * share),
    placesMax: places,
    buffersMax: Math.ceil(buffers * share),
    connectTimeout: connecttimeout,
    share,
  };
  return {
    count,
    ended: () => handover?.close(),
    start: (index, onMessage) =>
      startLoopWorker<EdgeWorkerData | TunnelledEdgeData, EdgeCommand, EdgeMessage>({
        ...(plain
          ? { module: new URL("../accelerate/edge-worker.ts", import.meta.url), data: plane }
          : { module: new URL("./edge-thread.ts", import.meta.url), data: { plane, tunnels } }),
        io: "epoll",
        sharePorts: count > 1,
        handover: handover?.data(index),
        onMessage,
      }),
  };
}

/** A TCP flow needs two descriptors, a place one. */
function raise({ flows, places }: EdgeOptions, log: Log): void {
  const wanted = 2 * flows + places + DESCRIPTORS_BESIDE;
  const limit = raiseDescriptors(wanted);
  const why = `nobody gave leave to raise the hard limit; "ulimit -Hn", or LimitNOFILE= of a systemd service, sets it`;
  if (limit < wanted) log.warn({ descriptors: limit, wanted, flows }, `fewer flows than allowed fit into the limit of open files: ${why}`);
  else log.info({ descriptors: limit }, "limit of open files");
}

/** Undefined: what is served is a file's. */
async function identityFor({ file, join }: EdgeOptions, folder: string, log: Log): Promise<EdgeIdentity | undefined> {
  if (file !== "" && join !== "")
    throw new ConfigError("join", "--join, --file: both are given; what is served is a file's or an installation's");
  if (file !== "") return undefined;
  const known = readIdentity(folder);
  if (known !== undefined) {
    if (join !== "") log.info({ edge: known.id, folder }, "has joined already: the token is not used");
    return known;
  }
  if (join === "")
    throw new ConfigError("join", "--join, --file: neither is given; give a join token, or the file that says what is served");
  const made = await joinInstallation(join);
  keepIdentity(folder, made);
  log.info({ edge: made.id, folder }, "joined");
  return made;
}

async function serve(edge: Edge, config: EdgeConfig, log: Log): Promise<number> {
  const problems = await edge.take(config);
  const { revision, accelerators } = config;
  log.info(
    { revision, accelerators: accelerators.length, places: problems.length === 0 ? "all open" : `${problems.length} not open` },
    "serving",
  );
  for (const { place, reason } of problems.slice(0, PROBLEMS_LOGGED)) log.warn({ place, reason }, "a place cannot be opened, tried again");
  return problems.length;
}

function reread(edge: Edge, { file }: EdgeOptions, take: (config: EdgeConfig) => Promise<number>, log: Log): void {
  try {
    void take(readEdgeFile(file, edge.config.revision + 1));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.error({ reason: error.message }, "not reloaded: nothing has changed");
  }
}

function announcerOf(options: EdgeOptions, log: Log): Announcer | undefined {
  const { bird: file, birdsocket: socket, birdas: as, birdid: routerId, bfd: bfdInterval, interface: name } = options;
  const neighbors = options.birdneighbor.map((text) => {
    const neighbor = parseBirdNeighbor(text);
    if (neighbor === undefined) throw new ConfigError("birdneighbor", `--birdneighbor: "${text}" is not allowed; give ADDRESS@AS`);
    return neighbor;
  });
  return file === "" && name === ""
    ? undefined
    : new Announcer({ file, socket, as, neighbors, routerId, bfdInterval, interface: name, log });
}

async function drain(edge: Edge, seconds: number): Promise<void> {
  for (const until = performance.now() + seconds * 1000; performance.now() < until; await sleep(DRAIN_LOOK_MS))
    if (totals((await edge.observe()).plane).flows === 0) return;
}

const NOTHING: EdgeConfig = { revision: 0, accelerators: [] };
const DESCRIPTORS_BESIDE = 1024;
const WATCHERS_MAX = 64;
const PROBLEMS_LOGGED = 10;
const DRAIN_LOOK_MS = 200;
