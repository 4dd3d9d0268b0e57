/**
 * Load for a forwarder between namespaces: IPv4 and UDP packets of many flows, made beforehand and sent by a raw socket in batches.
 *
 *   node bench/forward-load.ts '{"from","to","port","ports","flows","bytes","seconds"}'          prints {"sent"} at the end; needs root
 */
import { Batch, SLOT_BYTES } from "../src/base/batch.ts";
import { Region } from "../src/base/region.ts";
import { ipPacket } from "../src/forward/userspace/ip-packet.ts";
import { EpollLoop } from "../src/host/loop-epoll.ts";
import { RawSocket } from "../src/host/raw-socket.ts";

interface Load {
  readonly from: string;
  readonly to: string;
  /** First destination port; flow i goes to port + i % ports. */
  readonly port: number;
  readonly ports: number;
  readonly flows: number;
  readonly bytes: number;
  readonly seconds: number;
}

const load = JSON.parse(process.argv[2]!) as Load;
const loop = new EpollLoop();
const socket = new RawSocket(loop, { version: 4, bufferBytes: 8 << 20 }, { receive: () => {}, writable: () => {} });
const PACKETS = 64;
const batch = new Batch(PACKETS, Region.of(new Uint8Array(new ArrayBuffer(PACKETS * SLOT_BYTES))));
const model = ipPacket({ host: load.from, port: 1 }, { host: load.to, port: 1 }, new Uint8Array(load.bytes - 28), 65_536).bytes;
for (let i = 0; i < PACKETS; i++) {
  batch.bytes.set(model, batch.slot(i));
  batch.add(batch.slot(i), batch.slot(i) + model.length);
}
let flow = 0;
let sent = 0;
const until = performance.now() + load.seconds * 1000;
while (performance.now() < until) {
  for (let i = 0; i < PACKETS; i++) {
    const at = batch.start[i]! + 20;
    // Flows of one source port each go to all ports in turn.
    batch.view.setUint16(at, 2048 + Math.floor(flow / load.ports));
    batch.view.setUint16(at + 2, load.port + (flow % load.ports));
    if (++flow === load.flows) flow = 0;
  }
  for (let next = 0; next < PACKETS; ) {
    const taken = socket.send(batch, next);
    if (taken === next) loop.round(1);
    next = taken;
  }
  sent += PACKETS;
}
console.log(JSON.stringify({ sent, errors: socket.counters.sendErrors }));
loop.stop();
