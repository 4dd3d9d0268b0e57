import assert from "node:assert/strict";
import { getHeapStatistics } from "node:v8";
import { inOwnProcess } from "../../test/own-process.ts";
import { Batch } from "../base/batch.ts";
import { onEpoll, udpHandler } from "./testing/each-loop.ts";

const DATAGRAMS = 64;
const ROUND_TRIPS = 1000;

/** Bytes allocated on the heap so far, whether they were collected since or not. */
function allocatedBytes(): number {
  const { total_allocated_bytes: total } = getHeapStatistics() as unknown as { total_allocated_bytes?: number };
  return total ?? Number.NaN;
}

inOwnProcess(import.meta.url, () => {
  onEpoll("receiving and sending allocate nothing for a datagram", async (loop) => {
    const local = { host: "127.0.0.1", port: 0 };
    const server = loop.udp(local, udpHandler({ receive: (_now, batch) => server.send(batch, 0) }));
    let heard = 0;
    const client = loop.udp(
      local,
      udpHandler({
        receive: (_now, batch) => {
          heard += batch.length;
        },
      }),
    );
    const batch = new Batch(DATAGRAMS);
    const peer = client.addresses.intern("127.0.0.1", server.local.port);
    for (let i = 0; i < DATAGRAMS; i++) {
      batch.start[i] = batch.slot(i);
      batch.end[i] = batch.slot(i) + 1200;
      batch.peer[i] = peer;
    }
    batch.length = DATAGRAMS;
    const roundTrips = (count: number): number => {
      heard = 0;
      const before = allocatedBytes();
      for (let trip = 1; trip <= count; trip++) {
        client.send(batch, 0);
        for (let rounds = 0; heard < trip * DATAGRAMS && rounds < 1000; rounds++) loop.round(1);
      }
      return (allocatedBytes() - before) / (count * DATAGRAMS);
    };
    roundTrips(ROUND_TRIPS);
    const bytes = roundTrips(ROUND_TRIPS);
    assert.equal(heard, ROUND_TRIPS * DATAGRAMS);
    // A datagram is received twice and sent twice on this way. One small object for each would be 64 bytes or more.
    assert.ok(Number.isNaN(bytes) || bytes < 16, `${bytes.toFixed(1)} bytes a datagram`);
  });
});
