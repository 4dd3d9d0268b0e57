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
import type { Driver, Loop } from "../host/loop.ts";
import type { LoopPort } from "../host/worker-port.ts";
import { FlvLoop } from "../media/flv/loop.ts";
import { TunnelClient } from "../tunnel/client.ts";
import { clientConfig } from "../tunnel/config.ts";
import { type DemoFigures, tcpFigures, udpFigures } from "./demo-figures.ts";

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

export type DemoCommand = { readonly kind: "stop" };
export type DemoMessage = { readonly kind: "figures"; readonly figures: DemoFigures };

const FIGURES_MS: Millis = 1000;
const local = "127.0.0.1";

export function start(loop: Loop, data: DemoData, port: LoopPort<DemoCommand, DemoMessage>): undefined {
  const log = createLog(data.level).child({ module: "demo" });
  const clip = readFileSync(new URL("../../assets/demo.flv", import.meta.url));
  const random = new Uint8Array(1528);
  primitives.random(random);
  const udpPath = new UdpPath(loop, {
    listen: { host: local, port: 0 },
    target: { host: local, port: data.tunnelPort },
    link: data.link,
    seed: data.seed,
  });
  const tcpPath = new TcpPath(loop, {
    listen: { host: local, port: 0 },
    target: { host: local, port: data.rtmpPort },
    link: data.link,
    seed: data.seed + 10,
  });
  const config = clientConfig.parse({
    localaddr: `${local}:0`,
    remoteaddr: `${local}:${udpPath.port}`,
    key: data.tunnelKey,
    mode: "fast2",
    quiet: "true",
  });
  const client = new TunnelClient(config, { loop, log: log.child({ link: "tunnel" }), primitives });
  if (!("port" in client.local)) throw new Error("the tunnel client listens on no port");
  const publish = (name: string, to: number, key: string): DemoPublisher =>
    new DemoPublisher(loop, new FlvLoop(clip), { to: { host: local, port: to }, app: "live", key, random }, log.child({ link: name }));
  const publishers = [publish("tunnel", client.local.port, data.keys.tunnel), publish("tcp", tcpPath.port, data.keys.tcp)] as const;
  const reporter: Driver = {
    advance: (now) => {
      if (now < due) return due;
      due = now + FIGURES_MS;
      const figures = { tunnel: udpFigures(udpPath.counters, client.report(now)), tcp: tcpFigures(tcpPath, publishers[1].droppedTags) };
      port.post({ kind: "figures", figures });
      return due;
    },
  };
  let due: Millis = 0;
  loop.drive(reporter);
  port.onCommand((_command, now) => {
    due = NEVER;
    for (const publisher of publishers) publisher.stop(now);
    client.stop(now);
    loop.stop();
  });
  return undefined;
}
