/** The demo's parts in virtual time: an encoder over the modelled TCP, and one over a tunnel, into a live origin. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DemoPublisher } from "../src/demo/publisher.ts";
import { TcpPath } from "../src/demo/tcp-path.ts";
import { primitives } from "../src/host/crypto.ts";
import { silentLog } from "../src/host/log.ts";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { liveConfig } from "../src/live/config.ts";
import { Origin } from "../src/live/origin.ts";
import { FlvLoop } from "../src/media/flv/loop.ts";
import { TunnelClient } from "../src/tunnel/client.ts";
import { clientConfig, serverConfig } from "../src/tunnel/config.ts";
import { TunnelServer } from "../src/tunnel/server.ts";
import { VirtualNetwork } from "./virtual-network.ts";

const clip = readFileSync(new URL("../assets/demo.flv", import.meta.url));
const link = "delay=100 loss=1% rate=20mbit qbytes=512k";
const [near, far] = ["10.0.0.1", "10.0.0.2"];
const rtmp = 1935;
const seconds = 60;
/** Video at 30 fps and audio at 31.25 frames a second. */
const unitsPerSecond = 61;

function origin(network: VirtualNetwork): Origin {
  const made = new Origin(liveConfig.parse({ channels: { show: "a-stream-key" } }), network.host(far), silentLog, () => network.now);
  made.listen({ host: far, port: rtmp });
  return made;
}

function publisher(network: VirtualNetwork, host: string, connect: (handler: TcpHandler) => TcpSocket): DemoPublisher {
  const options = { connect, app: "live", key: "a-stream-key", random: new Uint8Array(1528), tcUrl: "rtmp://far/live" };
  return new DemoPublisher(network.host(host), new FlvLoop(clip), options, silentLog);
}

function played(made: Origin): { units: number; lateMs: number } {
  const channel = made.channels.get("show")!;
  return { units: channel.counters.units, lateMs: channel.segmenter?.lateMs ?? 0 };
}

test("over a tunnel and a bad link the clip arrives whole and in time, and nobody spins", () => {
  const network = new VirtualNetwork();
  const made = origin(network);
  network.join(near, far, link, 1);
  const parts = { log: silentLog, primitives };
  new TunnelServer(serverConfig.parse({ listen: `${far}:3000`, target: `${far}:${rtmp}`, quiet: "true" }), {
    loop: network.host(far),
    ...parts,
  });
  const config = clientConfig.parse({ localaddr: `${near}:1936`, remoteaddr: `${far}:3000`, mode: "fast2", quiet: "true" });
  new TunnelClient(config, { loop: network.host(near), ...parts });
  publisher(network, near, (handler) => network.host(near).connect({ host: near, port: 1936 }, handler));
  network.run(seconds * 1000);
  const { units, lateMs } = played(made);
  assert.ok(units > (seconds - 2) * unitsPerSecond, `${units} units in ${seconds} s`);
  assert.ok(lateMs < 500, `the newest unit is ${lateMs} ms late`);
  assert.ok(network.host(near).rounds < seconds * 1000, `${network.host(near).rounds} rounds`);
});

test("over plain TCP it comes late or not at all, and nobody spins", () => {
  const network = new VirtualNetwork();
  const made = origin(network);
  const path = new TcpPath(network.host(far), { target: { host: far, port: rtmp }, link, seed: 11 });
  const encoder = publisher(network, far, (handler) => path.connect(handler));
  network.run(seconds * 1000);
  const { units } = played(made);
  assert.ok(units > seconds * unitsPerSecond * 0.4, `${units} units in ${seconds} s`);
  assert.ok(encoder.droppedTags > 0 || units < (seconds - 4) * unitsPerSecond, "1 % loss at 200 ms does not carry 0.85 Mbit/s by CUBIC");
  assert.ok(network.host(far).rounds < seconds * 2000, `${network.host(far).rounds} rounds`);
});
