/**
 * Hostile datagrams against a whole tunnel server: 100,000 mutated packets of a real session, from its own address and from strangers, with the cipher off
 * so that every layer is reached. The server must not throw, must hold its limits, and must go on serving.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../src/base/prng.ts";
import { Traffic, TunnelWorld } from "./tunnel-world.ts";
import { UdpApplication, UdpEcho } from "./udp-application.ts";
import type { VirtualLoop } from "./virtual-loop.ts";

const datagrams = 100_000;
const sessionsMax = 50;
const seed = Number(process.env.SEED ?? 20_261_121);

/** Keeps copies of what the client really sent. */
function record(loop: VirtualLoop): Uint8Array[] {
  const sent: Uint8Array[] = [];
  const { network } = loop;
  const send = network.send.bind(network);
  network.send = (from, fromPort, to, toPort, bytes, start, end) => {
    if (from === loop.address && sent.length < 2000) sent.push(bytes.slice(start, end));
    send(from, fromPort, to, toPort, bytes, start, end);
  };
  return sent;
}

function mutate(prng: Prng, recorded: readonly Uint8Array[], into: Uint8Array): number {
  const base = recorded[prng.below(recorded.length)]!;
  into.set(base);
  let length = base.length;
  const kind = prng.below(6);
  if (kind === 0) length = prng.below(length + 1);
  else if (kind === 1) {
    length = prng.below(1500);
    prng.fill(into.subarray(0, length));
  } else if (kind === 2) {
    const other = recorded[prng.below(recorded.length)]!;
    into.set(other.subarray(0, Math.min(other.length, 1500 - length)), length >> 1);
  } else for (let flips = 1 + prng.below(8); flips > 0; flips--) into[prng.below(Math.min(length, 48))] = prng.below(256);
  return length;
}

test(`${datagrams} hostile datagrams into a tunnel server (seed ${seed})`, () => {
  const both = { crypt: "null", nocomp: "true", quiet: "true" };
  const world = new TunnelWorld(
    {
      link: "delay=5",
      seed: 1,
      client: { ...both, forward: ["udp:10.0.0.1:1053=echo"], reverse: ["web=10.0.0.1:80"] },
      server: { ...both, sessions: sessionsMax, streams: 100, flows: 64, targets: ["echo=udp:10.0.0.2:7"], reverse: ["web=10.0.0.2:8080"] },
    },
    (socket) => {
      const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 50_000 });
      traffic.connected(0);
      return traffic;
    },
  );
  const recorded = record(world.network.host("10.0.0.1"));
  const connect = (bytes: number): Traffic => {
    let traffic: Traffic | undefined;
    world.connect((socket) => {
      traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: bytes });
      return traffic;
    });
    return traffic!;
  };
  // Every kind of extension datagram is among what is recorded: HELLO, descriptions, a reverse listener, flows, datagrams in pieces.
  new UdpEcho(world.network.host("10.0.0.2"), 7);
  const application = new UdpApplication(world.network.host("10.0.0.1"), { host: "10.0.0.1", port: 1053 });
  for (const bytes of [100, 100, 4000, 1000, 100, 4000]) {
    application.send(bytes);
    world.run(0.1);
  }
  const first = connect(50_000);
  assert.ok(world.run(10, () => first.received === 50_000 && application.answers.length === 6));
  const { endpoint } = world.server;
  const socket = endpoint.socket as unknown as { deliver(bytes: Uint8Array, length: number, host: string, port: number): void };
  const prng = new Prng(seed);
  const datagram = new Uint8Array(4096);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < datagrams; i++) {
    const length = mutate(prng, recorded, datagram);
    socket.deliver(datagram, Math.min(length, 1500), "10.0.0.9", 1000 + prng.below(200));
    if (i % 100 === 0) world.run(0.01);
  }
  world.run(1);
  assert.ok(world.server.report(world.network.now).length <= sessionsMax, `seed ${seed}`);
  assert.ok(world.server.flows <= 64, `${world.server.flows} flows; seed ${seed}`);
  const grown = (process.memoryUsage().arrayBuffers - before) / 2 ** 20;
  assert.ok(grown < 500, `${grown.toFixed(0)} MiB more after the attack; seed ${seed}`);
  // Strangers who idle are forgotten; then there is room for whoever comes.
  world.run(120);
  const after = connect(50_000);
  assert.ok(
    world.run(30, () => after.received === 50_000),
    `the server serves nobody after the attack; seed ${seed}`,
  );
  const answered = application.answers.length;
  for (let i = 0; i < 3; i++) {
    application.send(100);
    world.run(1);
  }
  assert.ok(application.answers.length > answered, `no flow goes after the attack; seed ${seed}`);
});
