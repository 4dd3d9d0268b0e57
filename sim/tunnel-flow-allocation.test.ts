/**
 * Nothing is allocated per datagram of a flow: from the application's socket through the client's flow, outbox and FEC, and at the other end back
 * to its target's. What V8 allocates is counted, the cipher left out (sim/tunnel-allocation.test.ts); a view of the datagram alone is over 100 bytes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import type { Batch } from "../src/base/batch.ts";
import { KIND_UDP, writeDescription } from "../src/extension/description.ts";
import { FEATURE_FLOWS } from "../src/extension/hello.ts";
import type { UdpSocket } from "../src/host/loop.ts";
import { ChannelCounters } from "../src/tunnel/channel-counters.ts";
import { clientConfig } from "../src/tunnel/config.ts";
import { DatagramSender } from "../src/tunnel/datagram-sender.ts";
import type { FlowEnd } from "../src/tunnel/flows.ts";
import { inOwnProcess } from "../test/own-process.ts";
import { SessionEnd } from "./session-end.ts";

const bytesPerDatagramMax = 64;

/** Takes everything. */
class Sink {
  datagrams = 0;
  send(batch: Batch): number {
    this.datagrams += batch.length;
    return batch.length;
  }
}

/** Where flows come out. */
class Exit implements FlowEnd {
  readonly sink = new Sink();
  readonly sender = new DatagramSender(new ChannelCounters());

  deliver(_now: number, bytes: Uint8Array, start: number, end: number): void {
    this.sender.push(this.sink as unknown as UdpSocket, 0, bytes, start, end);
  }
  verdict(): void {}
  ended(): void {}
  lost(): void {}
}

inOwnProcess(import.meta.url, () => {
  for (const [name, bytes, datagrams, allocatedMax] of [
    ["of 200 bytes", 200, 20_000, bytesPerDatagramMax],
    ["of 2000 bytes, in two pieces", 2000, 16_000, 2 * bytesPerDatagramMax],
  ] as const) {
    test(`no allocation per datagram ${name}`, (t) => {
      const config = clientConfig.parse({ crypt: "null", quiet: "true", flowqueue: 256 });
      const [near, far] = [new Exit(), new Exit()];
      const client = new SessionEnd("client", config, { features: FEATURE_FLOWS });
      const server = new SessionEnd("server", config, { features: FEATURE_FLOWS, flowOpened: () => far });
      const flow = client.session.flows!.add(near);
      const description = writeDescription({ kind: KIND_UDP, target: "x" });
      const datagram = new Uint8Array(bytes).fill(7);
      let now = 1;
      for (; now < 50; now++) {
        client.round(now, server);
        server.round(now, client);
      }
      client.session.flows!.send(now, flow, datagram, 0, bytes, description);
      const run = (count: number): number => {
        const goal = far.sink.datagrams + count;
        const before = getHeapStatistics().total_allocated_bytes;
        for (; far.sink.datagrams < goal; now += 1) {
          for (let i = 0; i < 32; i++) client.session.flows!.send(now, flow, datagram, 0, bytes);
          client.round(now, server);
          server.round(now, client);
          far.sender.flush();
        }
        return (getHeapStatistics().total_allocated_bytes - before) / count;
      };
      run(datagrams);
      // On a busy machine the compiler is late: what it has not seen to yet boxes its numbers. What allocates does so in every round.
      let measured = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 12 && measured >= allocatedMax / 2; round++) measured = Math.min(measured, run(datagrams / 2));
      t.diagnostic(`${measured.toFixed(1)} bytes a datagram`);
      assert.equal(client.session.extension!.outbox.dropped, 0);
      assert.ok(measured < allocatedMax, `${measured.toFixed(1)} bytes are allocated per datagram, ${allocatedMax} is the limit`);
    });
  }
});
