import assert from "node:assert/strict";
import koffi from "koffi";
import { Batch } from "../base/batch.ts";
import { EAGAIN, EINVAL } from "./errno.ts";
import type { UdpSocket } from "./loop.ts";
import { EpollLoop } from "./loop-epoll.ts";
import { CONTROL_LENGTH } from "./message.ts";
import { loadSys, type Sys } from "./sys.ts";
import { onEpoll, udpHandler, until } from "./testing/each-loop.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
/** ENETUNREACH: what a refused datagram may answer. */
const UNREACHABLE = 101;

/** As much of WebAssembly as is needed here: its types come with those of browsers only. */
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: {
    Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  };
};

function equalDatagrams(count: number, size: number, peer: number): Batch {
  const batch = new Batch(count);
  for (let i = 0; i < count; i++) {
    batch.start[i] = batch.slot(i);
    batch.end[i] = batch.slot(i) + size;
    batch.bytes[batch.slot(i)] = i;
    batch.peer[i] = peer;
  }
  batch.length = count;
  return batch;
}

class Listening {
  readonly order: number[] = [];
  readonly socket: UdpSocket;

  constructor(loop: EpollLoop) {
    this.socket = loop.udp(
      LOCAL,
      udpHandler({ receive: (_now, b) => this.order.push(...Array.from(b.start.subarray(0, b.length), (at) => b.bytes[at]!)) }),
    );
  }
}

/** A loop whose sendmmsg is asked first what to answer: an error number, or 0 for the kernel's own answer. */
function intercepted(refuse: (sys: Sys, headers: number, count: number, calls: number) => number): () => EpollLoop {
  return () => {
    const sys = loadSys();
    let calls = 0;
    let errno = 0;
    return new EpollLoop({
      sys: {
        ...sys,
        sendmmsg: (fd, messages, count, flags) => {
          errno = refuse(sys, messages, count, calls++);
          return errno === 0 ? sys.sendmmsg(fd, messages, count, flags) : -1;
        },
        errno: () => (errno === 0 ? sys.errno() : errno),
      },
    });
  };
}

onEpoll("64 equal datagrams go in one call and come in few", async (loop) => {
  const listening = new Listening(loop);
  const sender = loop.udp(LOCAL, udpHandler());
  const batch = equalDatagrams(64, 1200, sender.addresses.intern("127.0.0.1", listening.socket.local.port));
  assert.equal(sender.send(batch, 0), 64);
  await until(() => listening.order.length === 64);
  assert.deepEqual(listening.order, Array.from(batch.bytes.filter((_, at) => at % 2048 === 0)));
  assert.equal(sender.counters.sendCalls, 1);
  const { segments, joins } = sender as unknown as { segments: boolean; joins: boolean };
  if (segments && joins) assert.ok(listening.socket.counters.receiveCalls <= 3, `${listening.socket.counters.receiveCalls} calls`);
});

onEpoll("without segmentation each datagram goes and comes by itself, still many a call", async (loop) => {
  const listening = new Listening(loop);
  const sender = loop.udp({ ...LOCAL, segmentation: false }, udpHandler());
  const batch = equalDatagrams(64, 1200, sender.addresses.intern("127.0.0.1", listening.socket.local.port));
  assert.equal(sender.send(batch, 0), 64);
  await until(() => listening.order.length === 64);
  const { segments, joins } = sender as unknown as { segments: boolean; joins: boolean };
  assert.deepEqual([segments, joins, sender.counters.sendCalls], [false, false, 1]);
});

onEpoll("datagrams of two peers and of many sizes keep their order and their peer", async (loop) => {
  const [one, two] = [new Listening(loop), new Listening(loop)];
  const sender = loop.udp(LOCAL, udpHandler());
  const batch = equalDatagrams(60, 1000, 0);
  const peers = [one, two].map(({ socket }) => sender.addresses.intern("127.0.0.1", socket.local.port));
  for (let i = 0; i < 60; i++) {
    batch.peer[i] = peers[i % 7 < 4 ? 0 : 1]!;
    batch.end[i]! -= i % 5 === 0 ? 300 : i % 11 === 0 ? -200 : 0;
  }
  assert.equal(sender.send(batch, 0), 60);
  await until(() => one.order.length + two.order.length === 60);
  const expected = (which: number): number[] => Array.from({ length: 60 }, (_, i) => i).filter((i) => (i % 7 < 4 ? 0 : 1) === which);
  assert.deepEqual(one.order, expected(0));
  assert.deepEqual(two.order, expected(1));
});

let refusedSegments = 0;
onEpoll(
  "a path that refuses segments gets its datagrams one by one, from then on",
  async (loop) => {
    const listening = new Listening(loop);
    const sender = loop.udp(LOCAL, udpHandler());
    const batch = equalDatagrams(10, 500, sender.addresses.intern("127.0.0.1", listening.socket.local.port));
    for (let round = 1; round <= 3; round++) {
      assert.equal(sender.send(batch, 0), 10);
      await until(() => listening.order.length === 10 * round);
    }
    assert.equal(refusedSegments, 1);
    assert.deepEqual(listening.order.slice(0, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(sender.counters.sendErrors, 0);
    assert.equal(sender.counters.sentDatagrams, 30);
  },
  intercepted((_sys, headers) => {
    const control = controlLengthOf(headers);
    if (control > 0) refusedSegments++;
    return control > 0 ? EINVAL : 0;
  }),
);

onEpoll(
  "a full buffer stops sending, and writable follows",
  async (loop) => {
    const listening = new Listening(loop);
    let writable = 0;
    const sender = loop.udp(LOCAL, udpHandler({ writable: () => writable++ }));
    const batch = equalDatagrams(10, 500, sender.addresses.intern("127.0.0.1", listening.socket.local.port));
    assert.equal(sender.send(batch, 2), 2);
    await until(() => writable === 1);
    assert.equal(sender.send(batch, 2), 10);
    await until(() => listening.order.length === 8);
    await new Promise((settle) => setTimeout(settle, 5));
    assert.equal(writable, 1);
  },
  intercepted((_sys, _headers, _count, calls) => (calls === 0 ? EAGAIN : 0)),
);

onEpoll(
  "a datagram the kernel refuses is counted and the rest goes on",
  async (loop) => {
    const listening = new Listening(loop);
    const sender = loop.udp(LOCAL, udpHandler());
    const batch = equalDatagrams(3, 100, sender.addresses.intern("127.0.0.1", listening.socket.local.port));
    batch.peer[0] = sender.addresses.intern("127.0.0.1", 9);
    assert.equal(sender.send(batch, 0), 3);
    await until(() => listening.order.length === 2);
    assert.deepEqual(
      { ...sender.counters, sendCalls: 0 },
      { ...sender.counters, sendCalls: 0, sentDatagrams: 2, sendErrors: 1, sentBytes: 200 },
    );
  },
  intercepted((_sys, _headers, _count, calls) => (calls === 0 ? UNREACHABLE : 0)),
);

/** Read back where the kernel would have looked. */
function controlLengthOf(headers: number): number {
  return koffi.decode.uint32(BigInt(headers + CONTROL_LENGTH * 4));
}

onEpoll("the slab may be the memory of a WebAssembly module, before and after it has grown", async (loop) => {
  const listening = new Listening(loop);
  const sender = loop.udp(LOCAL, udpHandler());
  const peer = sender.addresses.intern("127.0.0.1", listening.socket.local.port);
  const memory = new wasm.Memory({ initial: 1, maximum: 4 });
  for (let mark = 1; mark <= 2; mark++) {
    const batch = new Batch(1, new Uint8Array(memory.buffer, 4096));
    batch.bytes[7] = mark;
    batch.start[0] = 7;
    batch.end[0] = 100;
    batch.peer[0] = peer;
    batch.length = 1;
    assert.equal(sender.send(batch, 0), 1);
    await until(() => listening.order.length === mark);
    memory.grow(1);
  }
  assert.deepEqual(listening.order, [1, 2]);
});
