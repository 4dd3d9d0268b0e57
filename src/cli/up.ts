/** `longhaul up`: tunnel server, live origin, page and a demo in one process. */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { z } from "zod";
import { HostError } from "../base/errors.ts";
import { page } from "../console/page.ts";
import { parseLink } from "../emulator/parse.ts";
import { type HttpServer, serveHttp } from "../host/http.ts";
import { createLog } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import { NodeLoop } from "../host/loop-node.ts";
import { startLoopWorker } from "../host/worker.ts";
import { liveConfig } from "../live/config.ts";
import { delivery } from "../live/delivery.ts";
import type { Extra } from "../live/link-figures.ts";
import { Origin } from "../live/origin.ts";
import { type Status, status } from "../live/status.ts";
import { watchedBoth } from "../metrics/live-pages.ts";
import type { ProcessFacts } from "../metrics/process-facts.ts";
import { parseHostPort } from "../tunnel/address.ts";
import { serverConfig } from "../tunnel/config.ts";
import type { Command } from "./command.ts";
import type { DemoCommand, DemoData, DemoMessage } from "./demo-worker.ts";
import { checkGiven } from "./flags.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { processFacts, serveLocal, serveMetrics } from "./metrics-server.ts";
import { onStop } from "./signals.ts";
import { type RunningTunnel, startTunnel } from "./tunnel.ts";
import { watchTunnel } from "./watch.ts";

const upConfig = z.strictObject({
  http: liveConfig.shape.http,
  rtmp: liveConfig.shape.rtmp,
  listen: serverConfig.shape.listen,
  key: z
    .string()
    .default("")
    .describe("secret of the tunnel; made for this run when left out")
    .meta({ env: ["LONGHAUL_KEY"], secret: true }),
  streamkey: z
    .string()
    .regex(/^([A-Za-z0-9_-]{8,128})?$/)
    .default("")
    .describe('stream key of the channel "live", 8 to 128 letters, digits, - and _; made for this run when left out')
    .meta({ secret: true }),
  demo: z.stringbool().default(true).describe("publish the demo clip over the bad link; --demo=false leaves it out"),
  link: z.string().default("delay=100 loss=1% rate=20mbit qbytes=512k").describe("the demo's bad link, each way, in netlab's words"),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe("seed of the demo's losses"),
  metrics: serverConfig.shape.metrics,
  metricsessions: serverConfig.shape.metricsessions,
  statussocket: serverConfig.shape.statussocket,
  verbose: z.stringbool().default(false).describe("log what goes on inside"),
});
type UpConfig = z.output<typeof upConfig>;

export const up: Command = {
  name: "up",
  text: `Starts a tunnel server, a live origin and a page, and a demo: the same clip published twice over a bad link (200 ms round trip, 1 % loss),
once through the tunnel and once over plain TCP. The page shows both with their delays. Needs no root, no ffmpeg and no network.`,
  examples: ["longhaul up", 'longhaul up --http :9000 --link "delay=150 loss=5% rate=10mbit qbytes=256k"', "longhaul up --demo=false"],
  schema: upConfig,
  run: runUp,
};

interface Secrets {
  readonly tunnel: string;
  readonly live: string;
  readonly demo: { readonly tunnel: string; readonly tcp: string };
}

async function runUp(config: UpConfig): Promise<number> {
  parseLink(config.link);
  if (config.metrics !== "") parseMetricsAddress(config.metrics);
  const secret = (): string => randomBytes(9).toString("base64url");
  const secrets: Secrets = {
    tunnel: config.key || secret(),
    live: config.streamkey || secret(),
    demo: { tunnel: secret(), tcp: secret() },
  };
  const log = createLog(config.verbose ? "info" : "warn").child({ module: "live" });
  const loop = new NodeLoop();
  const channels = { live: secrets.live, ...(config.demo ? secrets.demo : {}) };
  const origin = new Origin(liveConfig.parse({ channels }), loop, log);
  let stopped: () => void = () => {};
  const stop = new Promise<void>((settle) => {
    stopped = settle;
  });
  const off = onStop(stopped);
  let http: HttpServer | undefined;
  let demo: Demo | undefined;
  let tunnel: RunningTunnel | undefined;
  const watches: (HttpServer<Endpoint> | undefined)[] = [];
  try {
    const rtmp = named("--rtmp", config.rtmp, () => origin.listen(parseHostPort("rtmp", config.rtmp, 0))).local;
    const rtmpPort = "port" in rtmp ? rtmp.port : 0;
    let extra: Extra = { publish: { port: rtmpPort, key: secrets.live } };
    http = await serveHttp(delivery(origin, { extra: () => extra }).route("/", page()).fetch, parseHostPort("http", config.http, 0)).catch(
      (error) =>
        named("--http", config.http, () => {
          throw error;
        }),
    );
    const server = checkGiven(serverConfig, {
      listen: config.listen,
      target: `127.0.0.1:${rtmpPort}`,
      key: secrets.tunnel,
      quiet: String(!config.verbose),
    });
    tunnel = startTunnel({ role: "server", config: server }, "tunnel.server", (message) => {
      if (message.kind === "report") demo?.hear(message.sessions);
    });
    const refusal = await tunnel.listening;
    if (refusal !== undefined) throw new Error(`--listen ${config.listen}: ${refusal.message}`);
    const live = (): Status => status(origin, undefined);
    const facts = (): ProcessFacts =>
      processFacts({ io: tunnel?.io.kind ?? "", at: config.listen, to: config.rtmp }, () =>
        watches.reduce((sum, server) => sum + (server?.counters.connectionsDropped ?? 0), 0),
      );
    const watched = watchedBoth(await watchTunnel(tunnel.ask, facts, config), live);
    watches.push(await serveMetrics(watched, config.metrics), await serveLocal(watched, "up", config.statussocket, log));
    if (config.demo) {
      const players = [
        { channel: "tunnel", title: "Through Longhaul's tunnel", note: `KCP + FEC over the bad link (${config.link}), each way` },
        { channel: "tcp", title: "Plain TCP", note: "the same clip over the same kind of link, as a kernel's CUBIC would carry it" },
      ];
      demo = new Demo(config, secrets, parseHostPort("listen", config.listen).port, rtmpPort, tunnel, (links) => {
        extra = { ...extra, players, links };
      });
      extra = { ...extra, players };
    }
    process.stdout.write(welcome(config, secrets, http.local.port, rtmpPort));
    await stop;
    return 0;
  } catch (error) {
    process.stderr.write(`longhaul up: ${(error as Error).message}\n`);
    return 1;
  } finally {
    off();
    await demo?.stop();
    tunnel?.send({ kind: "stop" });
    await tunnel?.ended;
    origin.close();
    await http?.close();
    for (const server of watches) await server?.close();
    loop.stop();
  }
}

/** The demo's worker, and the tunnel server's half of its figures. */
class Demo {
  readonly #worker;
  readonly #tunnel: RunningTunnel;
  #serverSidePort = 0;

  constructor(
    config: UpConfig,
    secrets: Secrets,
    tunnelPort: number,
    rtmpPort: number,
    tunnel: RunningTunnel,
    show: (links: NonNullable<Extra["links"]>) => void,
  ) {
    this.#tunnel = tunnel;
    const { link, seed, verbose } = config;
    const data: DemoData = {
      level: verbose ? "info" : "error",
      link,
      seed,
      tunnelPort,
      tunnelKey: secrets.tunnel,
      rtmpPort,
      keys: secrets.demo,
    };
    this.#worker = startLoopWorker<DemoData, DemoCommand, DemoMessage>({
      module: new URL("./demo-worker.ts", import.meta.url),
      data,
      onMessage: ({ links, serverSidePort }) => {
        this.#serverSidePort = serverSidePort;
        show(links);
        this.#tunnel.send({ kind: "report" });
      },
    });
  }

  hear(sessions: readonly { readonly peer: string; readonly fecRecovered: number }[]): void {
    const own = sessions.find(({ peer }) => peer.endsWith(`:${this.#serverSidePort}`));
    if (own !== undefined) this.#worker.post({ kind: "recovered", packets: own.fecRecovered });
  }

  async stop(): Promise<void> {
    this.#worker.post({ kind: "stop" });
    await this.#worker.ended;
  }
}

/** Runs something that binds an address; its failure names the option that chooses another. */
function named<T>(option: string, given: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof HostError && error.code === "EADDRINUSE")
      throw new Error(`${given} is in use by another program; choose another with ${option}`);
    throw error;
  }
}

function welcome(config: UpConfig, secrets: Secrets, httpPort: number, rtmpPort: number): string {
  const host = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal)?.address;
  return `
  Longhaul is up.  Look at  http://localhost:${httpPort}/

  Publish your own stream, then look at http://localhost:${httpPort}/?channel=live
    ffmpeg  ffmpeg -re -i FILE -c:v libx264 -preset veryfast -tune zerolatency -g 60 -c:a aac -f flv rtmp://localhost:${rtmpPort}/live/${secrets.live}
    OBS     Service Custom · Server rtmp://localhost:${rtmpPort}/live · Stream Key ${secrets.live} · Keyframe interval 2 s · Tune zerolatency

  From far away, through the tunnel: run this there, and publish to rtmp://localhost:1936/live/${secrets.live}
    longhaul client -l :1936 -r ${host ?? "THIS-HOST"}:${parseHostPort("listen", config.listen, 0).port} --key ${secrets.tunnel}

  Ctrl-C stops it.
`;
}
