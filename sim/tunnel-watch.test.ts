/** What a tunnel tells those who watch it, in virtual time: counters that move, survive their sessions and name what was dropped. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Question } from "../src/tunnel/observation.ts";
import { Traffic, TunnelWorld, type TunnelWorldOptions } from "./tunnel-world.ts";

const everything: Question = { sessionsMax: 100, streamsMax: 100 };

function world(options: Partial<TunnelWorldOptions>, answerBytes = 200_000): TunnelWorld {
  return new TunnelWorld({ link: "delay=40", seed: 7, ...options }, (socket) => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: answerBytes });
    traffic.connected(0);
    return traffic;
  });
}

function connect(of: TunnelWorld, sendBytes = 1000): Traffic {
  let traffic: Traffic | undefined;
  of.connect((socket) => {
    traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes });
    return traffic;
  });
  return traffic!;
}

/** A datagram from a stranger straight into the server's socket. */
function deliver(of: TunnelWorld, bytes: Uint8Array, port: number): void {
  const socket = of.server.endpoint.socket as unknown as { deliver(bytes: Uint8Array, length: number, host: string, port: number): void };
  socket.deliver(bytes, bytes.length, "10.0.0.9", port);
}

test("a lossy transfer: round trips, resends, FEC groups and payload are all counted, at both ends", () => {
  const of = world({ link: "delay=40 loss=15%", client: { nocomp: "true" } });
  const traffic = connect(of);
  assert.ok(of.run(60, () => traffic.received === 200_000));
  const near = of.client.observe(of.network.now, everything);
  const far = of.server.observe(of.network.now, everything);
  const { kcp, fec, smux, wire } = near.totals.counted;
  assert.ok(fec!.fullGroups! > 0 && fec!.repairedGroups! > 0, JSON.stringify(fec));
  assert.equal(smux!.bytesIn, 200_000);
  assert.equal(wire!.receivedDatagrams, near.sessions[0]!.receivedDatagrams);
  assert.equal(near.totals.counted.udp!.receivedDatagrams, wire!.receivedDatagrams);
  assert.ok(kcp!.retransSegs! + far.totals.counted.kcp!.retransSegs! > 0);
  const samples = near.totals.rtt.counts.reduce((sum, count) => sum + count, 0);
  assert.ok(samples > 0 && near.totals.rtt.sumMs / samples >= 80, `${near.totals.rtt.sumMs} ms in ${samples} samples`);
  const [session] = near.sessions;
  assert.ok(session!.rttLeastMs >= 80 && session!.rttMs >= session!.rttLeastMs && session!.windowSegments === 128);
  assert.deepEqual([session!.sentPayloadBytes, session!.receivedPayloadBytes], [1000, 200_000]);
  const columns = of.client.counters();
  assert.deepEqual([columns.FECFullShards, columns.FECShortShards], [fec!.fullGroups, fec!.short]);
  assert.ok(columns.FECShardMin! > 10 && columns.FECShardSet! <= 8);
});

test("sessions and streams are told of up to a limit; streams only of the session asked for", () => {
  const of = world({ client: { conn: 4 } }, 100);
  for (let i = 0; i < 12; i++) connect(of);
  of.run(1);
  const { sessions, totals } = of.client.observe(of.network.now, { sessionsMax: 3, streamsMax: 2 });
  assert.deepEqual([sessions.length, totals.now.sessions, totals.now.streams], [3, 4, 12]);
  const { streams } = of.client.observe(of.network.now, { sessionsMax: 0, streamsOf: 2, streamsMax: 2 });
  assert.deepEqual(
    streams.map(({ receivedBytes, sentBytes, state }) => [receivedBytes, sentBytes, state]),
    [
      [100, 1000, "open"],
      [100, 1000, "open"],
    ],
  );
  assert.deepEqual(of.client.observe(0, { sessionsMax: 1, streamsOf: 99, streamsMax: 9 }).streams, []);
});

test("counts outlive their sessions and sockets, and never fall", () => {
  const of = world({ client: { autoexpire: 1, scavengettl: 1 } }, 5000);
  connect(of);
  of.run(2);
  const first = of.client.observe(of.network.now, everything).totals;
  connect(of);
  of.run(8);
  const { counted, rtt, now } = of.client.observe(of.network.now, everything).totals;
  assert.deepEqual([counted.sessions!.started, counted.sessions!.ended, now.sessions, now.sessionsMost], [2, 1, 1, 2]);
  assert.equal(counted.smux!.bytesIn, 10_000, "what the ended session received is still counted");
  for (const [module, counts] of Object.entries(first.counted)) {
    for (const [name, value] of Object.entries(counts)) assert.ok(counted[module]![name]! >= value, `${module}.${name} fell`);
  }
  assert.ok(counted.udp!.sentDatagrams! > first.counted.udp!.sentDatagrams!);
  assert.ok(rtt.counts.every((count, i) => count >= first.rtt.counts[i]!));
});

test("garbage is counted by what was wrong with it, and what a limit refused by its limit", () => {
  const dropped = (of: TunnelWorld): readonly (number | undefined)[] => {
    const { cipher, endpoint, sessions } = of.server.observe(0, everything).totals.counted;
    return [cipher!.shortDatagrams, cipher!.checksumErrors, endpoint!.strayDatagrams, sessions!.refused];
  };
  const sealed = world({ server: { crypt: "aes" } });
  deliver(sealed, new Uint8Array(5), 1);
  deliver(sealed, new Uint8Array(500).fill(7), 1);
  sealed.run(0.1);
  assert.deepEqual(dropped(sealed), [1, 1, 0, 0]);
  const plain = world({ server: { crypt: "null", sessions: 1 } });
  const hello = new Uint8Array(24);
  hello.set([9, 9, 9, 9, 81, 0, 32]);
  deliver(plain, hello, 1);
  deliver(plain, new Uint8Array(500), 2);
  deliver(plain, hello, 2);
  plain.run(0.1);
  // Who is refused for want of room is a stranger as well.
  assert.deepEqual(dropped(plain), [0, 0, 2, 1]);
});
