import assert from "node:assert/strict";
import { Batch } from "../base/batch.ts";
import type { UdpSocket } from "./loop.ts";
import { onEpoll, udpHandler } from "./testing/each-loop.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
const FLOOD = 6000;

function send(from: UdpSocket, to: UdpSocket, count: number): void {
  const batch = new Batch(48);
  const peer = from.addresses.intern("127.0.0.1", to.local.port);
  for (let i = 0; i < 48; i++) {
    batch.start[i] = i;
    batch.end[i] = i + 1;
    batch.peer[i] = peer;
  }
  for (let left = count; left > 0; left -= batch.length) {
    batch.length = Math.min(48, left);
    from.send(batch, 0);
  }
}

onEpoll("a flooded socket does not keep another one waiting for more than a round", async (loop) => {
  const order: string[] = [];
  const flooded = loop.udp(LOCAL, udpHandler({ receive: () => order.push("flooded") }));
  const quiet = loop.udp(LOCAL, udpHandler({ receive: () => order.push("quiet") }));
  const sender = loop.udp(LOCAL, udpHandler());
  send(sender, flooded, FLOOD);
  send(sender, quiet, 1);
  loop.round(0);
  assert.ok(order.includes("quiet"), order.join(" "));
  const first = flooded.counters.receivedDatagrams;
  assert.ok(first > 0 && first < FLOOD, `${first} datagrams in one round`);
  for (let rounds = 0; rounds < 20 && flooded.counters.receivedDatagrams < FLOOD; rounds++) loop.round(0);
  assert.equal(flooded.counters.receivedDatagrams, FLOOD);
});
