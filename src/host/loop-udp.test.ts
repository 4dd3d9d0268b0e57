import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import { Prng } from "../base/prng.ts";
import type { UdpSocket } from "./loop.ts";
import { type AnyLoop, eachLoop, eachUdp, onEpoll, onNode, onNodeCalls, udpHandler, until } from "./testing/each-loop.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };

function echo(loop: AnyLoop, options = LOCAL): UdpSocket {
  const socket: UdpSocket = loop.udp(options, udpHandler({ receive: (_now, batch) => assert.equal(socket.send(batch, 0), batch.length) }));
  return socket;
}

/** Lays datagrams of the given sizes into the batch, filled by the generator; answers their hashes. */
function fill(batch: Batch, sizes: readonly number[], peer: number, prng: Prng): string[] {
  batch.length = 0;
  return sizes.map((size) => {
    const i = batch.length++;
    const start = batch.slot(i) + prng.below(SLOT_BYTES - size);
    prng.fill(batch.bytes.subarray(start, start + size));
    batch.start[i] = start;
    batch.end[i] = start + size;
    batch.peer[i] = peer;
    return hash(batch.bytes.subarray(start, start + size));
  });
}

function hash(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

function hashes(batch: Batch): string[] {
  return Array.from({ length: batch.length }, (_, i) => hash(batch.bytes.subarray(batch.start[i], batch.end[i])));
}

eachUdp("200 datagrams of mixed sizes come back as they were, in order", async (loop) => {
  const prng = new Prng(200);
  const server = echo(loop);
  const heard: string[] = [];
  const client = loop.udp(LOCAL, udpHandler({ receive: (_now, batch) => heard.push(...hashes(batch)) }));
  const peer = client.addresses.intern("127.0.0.1", server.local.port);
  const batch = new Batch(50);
  const sent: string[] = [];
  for (let burst = 0; burst < 4; burst++) {
    const sizes = Array.from({ length: 50 }, () => (prng.chance(0.6) ? 1350 : prng.below(1500)));
    sent.push(...fill(batch, sizes, peer, prng));
    assert.equal(client.send(batch, 0), 50);
    await until(() => heard.length >= sent.length);
  }
  assert.deepEqual(heard, sent);
  assert.equal(server.counters.receivedDatagrams, 200);
  assert.equal(client.counters.sentDatagrams, 200);
  assert.equal(client.counters.sentBytes, server.counters.receivedBytes);
  assert.equal(client.counters.sendErrors + client.counters.receiveDropped, 0);
});

eachUdp("a datagram of 60,000 bytes and an empty one pass", async (loop) => {
  const server = echo(loop);
  const sizes: number[] = [];
  const client = loop.udp(
    LOCAL,
    udpHandler({ receive: (_now, b) => sizes.push(...b.end.subarray(0, b.length).map((end, i) => end - b.start[i]!)) }),
  );
  const batch = new Batch(2, new Uint8Array(60_000));
  batch.peer.fill(client.addresses.intern("127.0.0.1", server.local.port));
  batch.end.set([60_000, 0]);
  batch.length = 2;
  assert.equal(client.send(batch, 0), 2);
  await until(() => sizes.length === 2);
  assert.deepEqual(sizes, [60_000, 0]);
});

eachUdp("each of many peers is answered", async (loop) => {
  const server = echo(loop);
  const prng = new Prng(50);
  const answers: string[] = [];
  const clients = Array.from({ length: 50 }, () => {
    const client: UdpSocket = loop.udp(
      LOCAL,
      udpHandler({ receive: (_now, b) => answers.push(`${client.local.port} ${hashes(b)} ${client.addresses.format(b.peer[0]!)}`) }),
    );
    return client;
  });
  const batch = new Batch(1);
  const expected = clients.map((client) => {
    const [sum] = fill(batch, [100], client.addresses.intern("127.0.0.1", server.local.port), prng);
    client.send(batch, 0);
    return `${client.local.port} ${sum} 127.0.0.1:${server.local.port}`;
  });
  await until(() => answers.length === 50);
  assert.deepEqual(answers.sort(), expected.sort());
  assert.equal(server.addresses.counters.peers, 50);
});

eachLoop("strangers beyond peersMax are dropped and counted, held peers keep their place", async (loop) => {
  const heard: string[] = [];
  const server: UdpSocket = loop.udp(
    { ...LOCAL, peersMax: 2 },
    udpHandler({ receive: (_now, b) => heard.push(...Array.from(b.peer.subarray(0, b.length), (id) => server.addresses.format(id))) }),
  );
  const batch = new Batch(1);
  const clients = Array.from({ length: 4 }, () => loop.udp(LOCAL, udpHandler()));
  const speak = (client: UdpSocket): void => {
    fill(batch, [10], client.addresses.intern("127.0.0.1", server.local.port), new Prng(1));
    client.send(batch, 0);
  };
  for (const client of clients) speak(client);
  await until(() => heard.length + server.counters.receiveDropped === 4);
  assert.ok(heard.length >= 2);
  const held = `127.0.0.1:${clients[0]!.local.port}`;
  const id = server.addresses.intern("127.0.0.1", clients[0]!.local.port);
  if (id >= 0) server.addresses.hold(id);
  for (const client of clients.slice(1)) {
    const before = heard.length + server.counters.receiveDropped;
    speak(client);
    await until(() => heard.length + server.counters.receiveDropped > before);
  }
  assert.equal(server.addresses.format(id), held);
  assert.equal(server.addresses.counters.peers, 2);
});

eachUdp("an address in use or not ours is refused with errno's name", async (loop) => {
  const taken = loop.udp(LOCAL, udpHandler());
  const refusal = (host: string, port: number): string => {
    try {
      loop.udp({ host, port }, udpHandler());
    } catch (error) {
      if (error instanceof HostError) return `${error.syscall} ${error.code}`;
    }
    return "none";
  };
  assert.equal(refusal("127.0.0.1", taken.local.port), "bind EADDRINUSE");
  assert.equal(refusal("203.0.113.1", 0), "bind EADDRNOTAVAIL");
});

eachUdp("a socket on :: serves both families", async (loop) => {
  const server = echo(loop, { host: "::", port: 0 });
  const peers: string[] = [];
  for (const host of ["127.0.0.1", "::1"]) {
    const client: UdpSocket = loop.udp(
      { host, port: 0 },
      udpHandler({ receive: (_now, b) => peers.push(client.addresses.host(b.peer[0]!)) }),
    );
    const batch = new Batch(1);
    fill(batch, [10], client.addresses.intern(host, server.local.port), new Prng(1));
    client.send(batch, 0);
  }
  await until(() => peers.length === 2);
  assert.deepEqual(peers.sort(), ["127.0.0.1", "::1"]);
});

eachUdp("a handler may close its socket, and nothing is called after that", async (loop) => {
  let calls = 0;
  const server: UdpSocket = loop.udp(
    LOCAL,
    udpHandler({
      receive: () => {
        calls++;
        server.close();
      },
    }),
  );
  const client = loop.udp(LOCAL, udpHandler());
  const batch = new Batch(50);
  fill(batch, Array(50).fill(10), client.addresses.intern("127.0.0.1", server.local.port), new Prng(1));
  client.send(batch, 0);
  await until(() => calls > 0);
  client.send(batch, 0);
  await new Promise(setImmediate);
  assert.equal(calls, 1);
  assert.equal(server.send(batch, 0), 50, "sending to a closed socket is harmless");
});

onEpoll("answers leave from the address that was asked", async (loop) => {
  for (const [bound, from, asked] of [
    ["0.0.0.0", "127.0.0.1", "127.0.0.9"],
    ["::", "127.0.0.1", "127.0.0.9"],
  ] as const) {
    const server = echo(loop, { host: bound, port: 0 });
    let answered = "";
    const client: UdpSocket = loop.udp(
      { host: from, port: 0 },
      udpHandler({ receive: (_now, b) => (answered = client.addresses.host(b.peer[0]!)) }),
    );
    const batch = new Batch(1);
    fill(batch, [10], client.addresses.intern(asked, server.local.port), new Prng(1));
    client.send(batch, 0);
    await until(() => answered !== "");
    assert.equal(answered, asked);
  }
});

onNodeCalls("what waits behind the datagram that Node reads comes in batches, and leaves in few calls", async (loop) => {
  const lengths: number[] = [];
  const server = loop.udp(LOCAL, udpHandler({ receive: (_now, received) => void lengths.push(received.length) }));
  const client = loop.udp(LOCAL, udpHandler());
  const batch = new Batch(60);
  fill(batch, new Array(60).fill(1200), client.addresses.intern("127.0.0.1", server.local.port), new Prng(1));
  assert.equal(client.send(batch, 0), 60);
  assert.ok(client.counters.sendCalls <= 2, `${client.counters.sendCalls} calls to send`);
  await until(() => server.counters.receivedDatagrams === 60);
  assert.equal(lengths[0], 1);
  assert.ok(lengths.length <= 6, `received in ${lengths.join(", ")}`);
});

onNode("Node holds a bounded number of datagrams, and writable follows", async (loop) => {
  const server = loop.udp({ ...LOCAL, socketBufferBytes: 1 << 20 }, udpHandler());
  let writable = 0;
  const client = loop.udp(LOCAL, udpHandler({ writable: () => writable++ }));
  const batch = new Batch(260);
  fill(batch, Array(260).fill(10), client.addresses.intern("127.0.0.1", server.local.port), new Prng(1));
  assert.equal(client.send(batch, 0), 256);
  await until(() => writable === 1);
  assert.equal(client.send(batch, 256), 260);
  await until(() => server.counters.receivedDatagrams === 260);
});

eachUdp("a forged sender without a port cannot be answered, which is counted", async (loop) => {
  const socket = loop.udp(LOCAL, udpHandler());
  const batch = new Batch(2);
  fill(batch, [10, 10], socket.addresses.intern("127.0.0.1", 0), new Prng(1));
  assert.equal(socket.send(batch, 0), 2);
  assert.equal(socket.counters.sendErrors, 2);
  assert.equal(socket.counters.sentDatagrams, 0);
});

onEpoll("a connected socket hears of its peer's absence, and nothing from anybody else", async (loop) => {
  const nobody = loop.udp({ host: "127.0.0.1", port: 0 }, udpHandler());
  const { port } = nobody.local;
  nobody.close();
  const codes: string[] = [];
  const heard: number[] = [];
  const socket = loop.udp(
    { host: "127.0.0.1", port: 0, peer: { host: "127.0.0.1", port } },
    udpHandler({ receive: (_now, batch) => void heard.push(batch.length), unreachable: (_now, code) => void codes.push(code) }),
  );
  const stranger = loop.udp({ host: "127.0.0.1", port: 0 }, udpHandler());
  const send = (from: typeof socket, to: number): void => {
    const batch = new Batch(1);
    batch.add(0, 4, from.addresses.intern("127.0.0.1", to));
    from.send(batch, 0);
  };
  send(stranger, socket.local.port);
  send(socket, port);
  await until(() => codes.length > 0);
  assert.deepEqual([codes[0], heard], ["ECONNREFUSED", []]);
});
