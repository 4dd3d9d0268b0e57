/** `longhaul live`: RTMP in, page and LL-HLS out. */
import { randomBytes } from "node:crypto";
import type { z } from "zod";
import { page } from "../console/page.ts";
import { acceleratorOptions } from "../control/accelerator/config.ts";
import { chooseIo } from "../host/choose.ts";
import { giveBackFreedMemory } from "../host/freed-memory.ts";
import { type HttpServer, serveHttp } from "../host/http.ts";
import { createLog } from "../host/log.ts";
import type { Endpoint } from "../host/loop.ts";
import { EpollLoop } from "../host/loop-epoll.ts";
import { NodeLoop } from "../host/loop-node.ts";
import type { PeerTransportOptions } from "../host/peer-transport.ts";
import { weriftTransports } from "../host/peer-transport-werift.ts";
import { clientAddresses } from "../host/trusted-proxies.ts";
import { type LiveConfig, liveConfig } from "../live/config.ts";
import { delivery } from "../live/delivery.ts";
import type { Extra } from "../live/link-figures.ts";
import { Origin } from "../live/origin.ts";
import { status } from "../live/status.ts";
import { watchedOrigin } from "../metrics/live-pages.ts";
import { parseHostPort } from "../tunnel/address.ts";
import { Peers } from "../webrtc/peers.ts";
import { clientConfigurationApi } from "./client-configuration.ts";
import type { Command } from "./command.ts";
import type { Installation } from "./installation.ts";
import { processFacts, serveMetrics } from "./metrics-server.ts";
import { onStop } from "./signals.ts";
import { serveSrt, srtServed } from "./srt.ts";
import { whep } from "./whep.ts";
import { whip } from "./whip.ts";

const liveOptions = liveConfig.extend(acceleratorOptions);
export type LiveOptions = z.output<typeof liveOptions>;

export const live: Command = {
  name: "live",
  text: `Takes H.264 + AAC by RTMP (ffmpeg, OBS, gstreamer), H.264 + Opus by WHIP (browsers, OBS: POST /whip with the key as bearer token), or
MPEG-TS by SRT (--srt, with the key as streamid), from
encoders that show a channel's stream key, and serves it as LL-HLS with parts of
200 ms, together with a page that plays it and shows the delay. Without --channels there is one channel, "live", with a key made for this run.
With --data FOLDER channels are made by AWS IVS's API: its SDKs and tools work when they are given the address of --api; Global Accelerator's API is there, too.`,
  examples: [
    "longhaul live --channel show=A-SECRET-KEY",
    "longhaul live --data ./longhaul --name media.example.org",
    "ffmpeg -re -i FILE -c:v libx264 -tune zerolatency -g 60 -c:a aac -f flv rtmp://HOST/live/A-SECRET-KEY",
  ],
  schema: liveOptions,
  run: runLive,
};

/** With many encoders what they send gathers for so long: a twentieth of a part. */
const GATHER_MS = 10;

async function runLive(given: LiveOptions): Promise<number> {
  const invented = given.data === "" && Object.keys(given.channels).length === 0;
  const config: LiveOptions = invented ? { ...given, channels: { live: randomBytes(12).toString("hex") } } : given;
  const log = createLog("info").child({ module: "live" });
  const loop = new NodeLoop();
  // Encoders' sockets are read by system calls where these can be had: Node's own reading costs twice as much as all that is done with what was read.
  const encoders = chooseIo().kind === "epoll" ? new EpollLoop() : loop;
  if (encoders instanceof EpollLoop) encoders.attach({ gather: GATHER_MS });
  const origin = new Origin(config, encoders, log);
  const rtmp = parseHostPort("rtmp", config.rtmp, 0);
  const http = parseHostPort("http", config.http, 0);
  let stopped: () => void = () => {};
  const stop = new Promise<void>((settle) => {
    stopped = settle;
  });
  const off = onStop(stopped);
  let metrics: HttpServer<Endpoint> | undefined;
  let installation: Installation | undefined;
  let freed: { stop(): void } | undefined;
  try {
    if (config.proxyprotocol) origin.listenWith("rtmp", (accept) => loop.listenWith(rtmp, { proxied: true }, accept));
    else origin.listen(rtmp);
    const facts = () => processFacts({ io: loop.kind, at: config.rtmp, to: config.http }, () => metrics?.counters.connectionsDropped ?? 0);
    metrics = await serveMetrics(
      watchedOrigin(() => status(origin, undefined), facts),
      config.metrics,
    );
    const extra: Extra = { publish: { port: rtmp.port } };
    const transports = weriftTransports(transportOptions(config));
    const peers = new Peers(loop, transports, { peersMax: config.connections });
    const viewers = new Peers(loop, transports, { peersMax: config.viewers });
    const srt = config.srt !== "" && (await srtServed(log));
    if (config.data !== "") {
      const { startInstallation } = await import("./installation.ts");
      installation = await startInstallation(config, origin, loop, log, srt);
    }
    if (srt) serveSrt(config, origin, loop, installation);
    const client = clientAddresses("proxies", config.proxies);
    const app = delivery(origin, { extra: () => extra, client, ...installation?.delivery })
      .route("/", whip({ origin, peers, loop, log, client, keyFrameInterval: config.segment, encodingsMax: config.encodings }))
      .route("/", clientConfigurationApi({ origin, config, log, client }))
      .route("/", whep({ origin, peers: viewers, log, client, gate: installation?.delivery.gate }))
      .route("/", page());
    const server = await serveHttp(app.fetch, http);
    log.info({ rtmp: config.rtmp, http: config.http, channels: Object.keys(config.channels) }, "origin listening");
    if (invented)
      process.stderr.write(
        `Publish to rtmp://HOST:${rtmp.port}/live/${config.channels.live} and look at http://HOST:${server.local.port}/\n`,
      );
    freed = giveBackFreedMemory();
    await stop;
    log.info({}, "stopping");
    peers.close();
    viewers.close();
    origin.close();
    await installation?.close();
    await server.close();
    return 0;
  } finally {
    freed?.stop();
    off();
    await metrics?.close();
    loop.stop();
    if (encoders !== loop) encoders.stop();
  }
}

function transportOptions({ webrtchost, webrtcports, webrtctcp }: LiveConfig): PeerTransportOptions {
  const [from, to] = webrtcports.split("-").map(Number);
  return {
    tcp: webrtctcp,
    ...(webrtchost === "" ? {} : { hosts: [webrtchost] }),
    ...(from === undefined || to === undefined ? {} : { ports: [from, to] }),
  };
}
