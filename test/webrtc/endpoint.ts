/**
 * One end of a WebRTC test, as a process of its own so that it can live in a namespace: an HTTP server whose page Chromium opens, and which answers offers
 * by our endpoint.
 *
 *   node test/webrtc/endpoint.ts PORT [VIDEO.ivf MAX_KBPS]
 *
 *   GET /            the page (page/main.ts)
 *   POST /receive    offer → answer; what comes is counted
 *   POST /send       offer → answer; VIDEO.ivf is sent, each frame filled up to what congestion control allows
 *   GET /stats       JSON of the last peer
 *   GET /close       ends it
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { NodeLoop } from "../../src/host/loop-node.ts";
import { weriftTransports } from "../../src/host/peer-transport-werift.ts";
import type { Peer, PeerOptions } from "../../src/webrtc/peer.ts";
import { Peers } from "../../src/webrtc/peers.ts";
import { FilledVideo } from "./filled-video.ts";

const [port = "8080", video, maxKbps = "8000"] = process.argv.slice(2);
const loop = new NodeLoop();
const peers = new Peers(loop, weriftTransports({ tcp: true }));
let last: Peer | undefined;
let ended = "";
/** How long the machine kept this process waiting: what that does to arrival times is no fault of the feedback. */
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();

async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

async function answer(offer: string, send: boolean): Promise<string> {
  const source = send && video !== undefined ? new FilledVideo(video) : undefined;
  const options: PeerOptions = {
    policy: { encodings: { video: source === undefined ? ["H264", "VP8"] : ["VP8"] } },
    seed: Math.floor(Math.random() * 2 ** 32),
    connected: (peer) => source?.start(peer),
    closed: (_, reason) => {
      ended = reason;
      source?.stop();
    },
    ...(source === undefined ? {} : { source: () => ({ encoder: source, min: 50_000, max: Number(maxKbps) * 1000 }) }),
  };
  delay.reset();
  ended = "";
  last?.close();
  last = await peers.answer(offer, options);
  return last.answer;
}

function stats(): unknown {
  if (last === undefined) return {};
  const { receiver, sender, rtcpSent } = last.session;
  return {
    ended,
    loopDelayMaxMs: Math.round(delay.max / 1e6),
    loopDelayP99Ms: Math.round(delay.percentile(99) / 1e6),
    transport: last.transport.counters,
    rtcpSent,
    feedback: receiver.reporter.kind,
    reports: receiver.reporter.reports,
    inbound: receiver.streams.map(({ ssrc, stats, nacks }) => ({ ssrc, ...stats, nacks: nacks?.stats })),
    targetRate: sender?.controller.targetRate,
    outbound: last.outbound.map(({ stats }) => stats),
  };
}

const page = `<!doctype html><title>WebRTC</title><script type="module" src="/main.js"></script>`;
const scriptText = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, "page/main.ts"), "utf8"));

createServer((request, response) => {
  const reply = (status: number, type: string, text: string): void => void response.writeHead(status, { "content-type": type }).end(text);
  const respond = async (): Promise<void> => {
    switch (`${request.method} ${request.url}`) {
      case "GET /":
        return reply(200, "text/html", page);
      case "GET /main.js":
        return reply(200, "text/javascript", scriptText);
      case "GET /stats":
        return reply(200, "application/json", JSON.stringify(stats()));
      case "GET /close":
        last?.close();
        return reply(200, "text/plain", "");
      case "POST /receive":
      case "POST /send":
        return reply(201, "application/sdp", await answer(await body(request), request.url === "/send"));
      default:
        return reply(404, "text/plain", "no such thing");
    }
  };
  respond().catch((error: Error) => reply(500, "text/plain", error.stack ?? error.message));
}).listen(Number(port), () => console.log("endpoint listening"));
