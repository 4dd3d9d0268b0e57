/** `longhaul control`: Global Accelerator's API over a store; what edges ask for. */
import { hostname } from "node:os";
import { edgeConfig } from "../accelerate/edge-config.ts";
import { ConfigError } from "../base/errors.ts";
import { controlPage, page } from "../console/page.ts";
import { countAccelerators } from "../control/accelerator/accelerator-row.ts";
import { type AcceleratorService, acceleratorApi, acceleratorService } from "../control/accelerator/api.ts";
import { poolOf, quotasOf } from "../control/accelerator/config.ts";
import type { AcceleratorContext } from "../control/accelerator/context.ts";
import { acceleratorRevision, edgeView } from "../control/accelerator/edge-view.ts";
import { type ControlConfig, controlConfig } from "../control/config.ts";
import { consoleApi } from "../control/console/console-api.ts";
import { Sessions } from "../control/console/sessions.ts";
import { answers, controlApi } from "../control/control-api.ts";
import { EdgeRegistry } from "../control/edges/registry.ts";
import { type EdgeService, startEdgeService } from "../control/edges/service.ts";
import type { Seal } from "../control/seal.ts";
import { type HttpServer, serveHttp } from "../host/http.ts";
import { isUnspecified } from "../host/ip-address.ts";
import { createLog, type Log } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import { type ControlStatus, watchedControl } from "../metrics/control-families.ts";
import { parseHostPort } from "../tunnel/address.ts";
import type { Command } from "./command.ts";
import { processFacts, serveMetrics } from "./metrics-server.ts";
import { onStop } from "./signals.ts";
import { FORGET_MS, firstKey, openStore } from "./store.ts";

/** Milliseconds that requests under way have to end when the process is stopped. */
const STOP_MS = 5000;

export const control: Command = {
  name: "control",
  text: `Serves the API of AWS Global Accelerator from a folder of your own: its SDKs, "aws globalaccelerator" and what is written for them work when given the
address of --api. An endpoint is a machine's name or address, or host:port; regions are names that you choose. What is made there, edges serve.`,
  examples: [
    "longhaul control --data ./longhaul --addresses 198.51.100.0/28,203.0.113.0/28 --domain accelerator.example.org --edges :4433",
    "longhaul control --data ./longhaul --database postgres://longhaul@db.example.org/longhaul --api :8090",
    "longhaul keys --data ./longhaul create --role operator --label on-call",
  ],
  schema: controlConfig,
  run: runControl,
};

async function runControl(config: ControlConfig): Promise<number> {
  if (config.data === "")
    throw new ConfigError("data", "--data: nothing is given; give a folder for the database, the master key and the first access key");
  const log = createLog("info").child({ module: "control" });
  const at = parseHostPort("api", config.api, 0);
  const { database, seal, credentials, master } = await openStore(config.data, config.database);
  let metrics: HttpServer<Endpoint> | undefined;
  let edges: EdgeService | undefined;
  let stopped: () => void = () => {};
  const stop = new Promise<void>((settle) => {
    stopped = settle;
  });
  const off = onStop(stopped);
  const forget = setInterval(() => credentials.forget(), FORGET_MS);
  try {
    const address = `http://${config.api.replace(/^:/, "localhost:")}`;
    const example = `aws globalaccelerator list-accelerators --region us-west-2 --endpoint-url ${address}`;
    process.stderr.write(await firstKey(credentials, config.data, example, log));
    const place = { database, account: config.account, domain: config.domain };
    edges = config.edges === "" ? undefined : await edgesOf(config.edges, place, seal, log);
    const context: AcceleratorContext = {
      ...place,
      pool: poolOf(config),
      quotas: quotasOf(config),
      edges: new EdgeRegistry(database),
      notify: () => edges?.notify(),
      now: Date.now,
    };
    const service = acceleratorService(context, credentials, log);
    const sessions = new Sessions(credentials, master);
    const app = controlApi({
      database,
      accelerator: acceleratorApi(service),
      console: consoleApi(service, sessions),
      page: page(controlPage),
    });
    const server = await serveHttp(app.fetch, at);
    const dropped = (): number => server.counters.connectionsDropped + (metrics?.counters.connectionsDropped ?? 0);
    const facts = () => processFacts({ io: "node", at: config.api, to: "" }, dropped);
    metrics = await serveMetrics(
      watchedControl(() => statusOf(service, sessions), facts),
      config.metrics,
    );
    log.info({ api: config.api, account: config.account, domain: config.domain }, "AWS Global Accelerator's API is served");
    await stop;
    log.info({}, "stopping");
    await server.close(STOP_MS);
    return 0;
  } finally {
    off();
    clearInterval(forget);
    await metrics?.close();
    await edges?.close();
    await database.destroy();
  }
}

/** Where edges come to. */
async function edgesOf(option: string, place: Parameters<typeof edgeView>[0], seal: Seal, log: Log): Promise<EdgeService> {
  const { host, port } = parseHostPort("edges", option, 0);
  const source = {
    revision: () => acceleratorRevision(place.database),
    config: async () => edgeConfig.parse(await edgeView(place)),
  };
  const names = [...(isUnspecified(host) ? [] : [host]), hostname()];
  const service = await startEdgeService({ database: place.database, seal, source, host, port, names, log });
  log.info({ edges: option }, "edges may come");
  return service;
}

async function statusOf({ context, counts, signatures }: AcceleratorService, sessions: Sessions): Promise<ControlStatus | undefined> {
  const { database, edges } = context;
  if (!(await answers(database))) return undefined;
  return {
    requests: counts.rows(),
    refused: { ...signatures.counters, replayed: signatures.replays.replayed, forgotten: signatures.replays.forgotten },
    signIns: sessions.counters,
    accelerators: { standard: await countAccelerators(database, "standard"), custom: await countAccelerators(database, "custom") },
    revision: await acceleratorRevision(database),
    acknowledged: await edges.acknowledged(),
  };
}
