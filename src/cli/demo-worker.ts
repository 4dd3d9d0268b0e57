/**
 * Runs in a worker thread of `longhaul up`: two encoders publish the same clip, one through a tunnel client over a bad link inside the process, one over
 * plain TCP as the same kind of link would carry it; once a second the links' figures go to the main thread.
 */
import { readFileSync } from "node:fs";
import { type Millis, NEVER } from "../base/units.ts";
import { DemoPublisher } from "../demo/publisher.ts";
import { TcpPath } from "../demo/tcp-path.ts";
import { UdpPath } from "../demo/udp-path.ts";
import { primitives } from "../host/crypto.ts";
import { createLog, type LogLevel } from "../host/log.ts";
import type { Driver, Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import type { LoopPort } from "../host/worker-port.ts";
import type { LinkFigures } from "../live/link-figures.ts";
import { FlvLoop } from "../media/flv/loop.ts";
import { TunnelClient } from "../tunnel/client.ts";
import { clientConfig } from "../tunnel/config.ts";
import { type LinkSample, sampleOf, tcpFigures, tunnelFigures } from "./demo-figures.ts";
import { checkGiven } from "./flags.ts";

export interface DemoData {
  readonly level: LogLevel;
  /** netlab's words for each direction of both links. */
  readonly link: string;
  readonly seed: number;
  readonly tunnelPort: number;
  readonly tunnelKey: string;
  readonly rtmpPort: number;
  readonly keys: { readonly tunnel: string; readonly tcp: string };
}

/** main → worker: what only the tunnel's server knows, or the end. */
export type DemoCommand = { readonly kind: "recovered"; readonly packets: number } | { readonly kind: "stop" };

/** worker → main: the table of the page, and the port under which the tunnel's server knows the demo. */
export interface DemoMessage {
  readonly kind: "figures";
  readonly links: readonly LinkFigures[];
  readonly serverSidePort: number;
}

const FIGURES_MS: Millis = 1000;
const FAREWELL_MS: Millis = 200;
const local = "127.0.0.1";

export function start(loop: Loop, data: DemoData, port: LoopPort<DemoCommand, DemoMessage>): undefined {
  const { link, seed, keys } = data;
  const log = createLog(data.level).child({ module: "demo" });
  const target = { host: local, port: data.rtmpPort };
  const udpPath = new UdpPath(loop, { listen: { host: local, port: 0 }, target: { host: local, port: data.tunnelPort }, link, seed });
  const tcpPath = new TcpPath(loop, { target, link, seed: seed + 10 });
  const client = new TunnelClient(
    checkGiven(clientConfig, {
      localaddr: `${local}:0`,
      remoteaddr: `${local}:${udpPath.port}`,
      key: data.tunnelKey,
      quiet: "true",
    }),
    { loop, log, primitives },
  );
  const near = client.local;
  const clip = readFileSync(new URL("../../assets/demo.flv", import.meta.url));
  const random = new Uint8Array(1528);
  primitives.random(random);
  const publish = (key: string, connect: (handler: TcpHandler) => TcpSocket, name: string): DemoPublisher =>
    new DemoPublisher(
      loop,
      new FlvLoop(clip),
      { connect, app: "live", key, random, tcUrl: `rtmp://${local}/live` },
      log.child({ over: name }),
    );
  const overTunnel = publish(keys.tunnel, (handler) => loop.connect(near, handler), "tunnel");
  const overTcp = publish(keys.tcp, (handler) => tcpPath.connect(handler), "tcp");

  let recovered = 0;
  const rates = [new Rate(), new Rate()] as const;
  const ticker = new Ticker((now) => {
    const tcp = tcpPath.up;
    const samples: readonly LinkSample[] = [sampleOf(udpPath.up), tcp === undefined ? nothing : sampleOf(tcp.ahead)];
    const links = [
      tunnelFigures(link, samples[0]!, rates[0].of(now, samples[0]!.sentBytes), client.report(now)[0], recovered),
      tcpFigures(link, samples[1]!, rates[1].of(now, samples[1]!.sentBytes), tcp, overTcp.droppedTags),
    ];
    port.post({ kind: "figures", links, serverSidePort: udpPath.serverSidePort });
  });
  loop.drive(ticker);
  const farewell = new Ticker(() => loop.stop(), NEVER);
  loop.drive(farewell);
  port.onCommand((command, now) => {
    if (command.kind === "recovered") recovered = command.packets;
    else {
      overTunnel.stop(now);
      overTcp.stop(now);
      client.stop(now);
      farewell.due = now + FAREWELL_MS;
      loop.wake();
    }
  });
  return undefined;
}

const nothing: LinkSample = { sentBytes: 0, sent: 0, lost: 0 };

class Ticker implements Driver {
  due: Millis;
  readonly #task: (now: Millis) => void;

  constructor(task: (now: Millis) => void, due: Millis = 0) {
    this.#task = task;
    this.due = due;
  }

  advance(now: Millis): Millis {
    if (now < this.due) return this.due;
    this.due = now + FIGURES_MS;
    this.#task(now);
    return this.due;
  }
}

/** Bits per second from a growing count of bytes; a count that started anew gives 0 once. */
class Rate {
  #at: Millis = 0;
  #bytes = 0;

  of(now: Millis, bytes: number): number {
    const rate = now > this.#at ? (Math.max(0, bytes - this.#bytes) * 8000) / (now - this.#at) : 0;
    this.#at = now;
    this.#bytes = bytes;
    return rate;
  }
}
