/** One end of bench/udp.ts: sends as fast as the socket takes it, or counts what comes. */
import { getHeapStatistics } from "node:v8";
import { Batch } from "../src/base/batch.ts";
import { NEVER } from "../src/base/units.ts";
import type { Loop, UdpCounters } from "../src/host/loop.ts";
import type { LoopPort } from "../src/host/worker-port.ts";

export interface Data {
  readonly role: "send" | "receive";
  readonly bytes: number;
  readonly port: number;
  /** Datagrams; as many as the socket takes if not given. */
  readonly perSecond?: number | undefined;
}

export interface Figures {
  readonly counters: UdpCounters;
  readonly cpuMicros: number;
  readonly allocatedBytes: number;
  readonly now: number;
}

export type Command = { readonly kind: "figures" };
export type Message = { readonly kind: "started"; readonly port: number } | { readonly kind: "figures"; readonly figures: Figures };

const BATCHES_PER_ROUND = 16;

export function start(
  loop: Loop,
  { role, bytes, port: to, perSecond = Number.POSITIVE_INFINITY }: Data,
  port: LoopPort<Command, Message>,
): undefined {
  let blocked = false;
  const socket = loop.udp(
    { host: "127.0.0.1", port: 0, socketBufferBytes: 4 << 20 },
    {
      receive: () => {},
      writable: () => {
        blocked = false;
      },
    },
  );
  port.onCommand(() => {
    const { user, system } = process.threadCpuUsage();
    const { total_allocated_bytes: allocated } = getHeapStatistics() as unknown as { total_allocated_bytes: number };
    const figures = { counters: { ...socket.counters }, cpuMicros: user + system, allocatedBytes: allocated, now: loop.now() };
    port.post({ kind: "figures", figures });
  });
  if (role === "send") {
    const batch = new Batch(64);
    const peer = socket.addresses.intern("127.0.0.1", to);
    for (let i = 0; i < batch.capacity; i++) {
      batch.start[i] = batch.slot(i);
      batch.end[i] = batch.slot(i) + bytes;
      batch.peer[i] = peer;
    }
    batch.length = batch.capacity;
    const began = loop.now();
    loop.drive({
      advance: (now) => {
        const due = Math.min(
          BATCHES_PER_ROUND,
          ((now - began) * perSecond) / 1000 / batch.length - socket.counters.sentDatagrams / batch.length,
        );
        for (let i = 0; i < due && !blocked; i++) blocked = socket.send(batch, 0) < batch.length;
        return blocked ? NEVER : due < BATCHES_PER_ROUND ? now + 1 : now;
      },
    });
  }
  port.post({ kind: "started", port: socket.local.port });
  return undefined;
}
