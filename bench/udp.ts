/**
 * How many datagrams a thread moves: the epoll loop beside Node's own sockets, over loopback, each end in a thread by itself.
 *
 *   node bench/udp.ts [--seconds 2] [--bytes 1350]
 *
 * Loss is part of the picture: the sender does not wait for the receiver. The cost of a datagram is the thread's processor time, which
 * is steadier than the rate on a machine that does other things as well.
 */

import { chooseIo, type IoKind } from "../src/host/choose.ts";
import { type LoopWorker, startLoopWorker } from "../src/host/worker.ts";
import { parseArgs } from "../test/script-args.ts";
import type { Command, Data, Figures, Message } from "./udp-program.ts";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "2" }, bytes: { type: "string", default: "1350" } } });
const seconds = Number(values.seconds);
const bytes = Number(values.bytes);

interface End {
  readonly worker: LoopWorker<Command>;
  /** Port of its socket. */
  readonly port: Promise<number>;
  figures(): Promise<Figures>;
}

function end(io: IoKind, data: Data): End {
  const waiting: ((message: Message) => void)[] = [];
  const next = (): Promise<Message> => new Promise((settle) => waiting.push(settle));
  const started = next();
  const worker = startLoopWorker<Data, Command, Message>({
    module: new URL("./udp-program.ts", import.meta.url),
    data,
    io,
    onMessage: (message) => waiting.shift()?.(message),
  });
  return {
    worker,
    port: started.then((message) => (message.kind === "started" ? message.port : 0)),
    figures: async () => {
      const answer = next();
      worker.post({ kind: "figures" });
      const message = await answer;
      if (message.kind !== "figures") throw new Error("an unexpected message");
      return message.figures;
    },
  };
}

async function measure(sender: IoKind, receiver: IoKind): Promise<object> {
  const to = end(receiver, { role: "receive", bytes, port: 0 });
  const from = end(sender, { role: "send", bytes, port: await to.port });
  await from.port;
  await pause(0.5);
  const [sentBefore, heardBefore] = [await from.figures(), await to.figures()];
  await pause(seconds);
  const [sent, heard] = [await from.figures(), await to.figures()];
  await Promise.all([from.worker.stop(), to.worker.stop()]);
  const out = difference(sent, sentBefore, sent.counters.sentDatagrams - sentBefore.counters.sentDatagrams);
  const into = difference(heard, heardBefore, heard.counters.receivedDatagrams - heardBefore.counters.receivedDatagrams);
  return {
    from: sender,
    to: receiver,
    "sent k/s": Math.round(out.rate / 1000),
    "ns cpu/sent": Math.round(out.cost),
    "datagrams/send call": round(out.datagrams / (sent.counters.sendCalls - sentBefore.counters.sendCalls)),
    "received k/s": Math.round(into.rate / 1000),
    "ns cpu/received": Math.round(into.cost),
    "datagrams/receive call": round(into.datagrams / (heard.counters.receiveCalls - heardBefore.counters.receiveCalls)),
    "heap B/sent": round(out.heap),
    "heap B/received": round(into.heap),
  };
}

function difference(after: Figures, before: Figures, datagrams: number): { datagrams: number; rate: number; cost: number; heap: number } {
  return {
    datagrams,
    rate: (datagrams / (after.now - before.now)) * 1000,
    cost: ((after.cpuMicros - before.cpuMicros) * 1000) / datagrams,
    heap: (after.allocatedBytes - before.allocatedBytes) / datagrams,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function pause(duration: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, duration * 1000));
}

const best = chooseIo("auto", "").kind;
const pairs: [IoKind, IoKind][] =
  best === "epoll"
    ? [
        ["epoll", "epoll"],
        ["epoll", "node"],
        ["node", "epoll"],
        ["node", "node"],
      ]
    : [["node", "node"]];
const rows: object[] = [];
for (const [sender, receiver] of pairs) rows.push(await measure(sender, receiver));
console.table(rows);
