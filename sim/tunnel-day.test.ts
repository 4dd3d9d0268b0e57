/**
 * A day of virtual time: idle with keep-alives, a burst of connections every half hour. Nothing grows: neither tables nor memory. The whole day takes ten
 * seconds and is `npm run sim:day`; among the other tests it ends after some hours.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { TcpSocket } from "../src/host/loop.ts";
import { Traffic, TunnelWorld } from "./tunnel-world.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const hours = Number(process.env.DAY_HOURS ?? 6);
const burst = 8;

/** What a run holds after an hour of it. */
interface Held {
  readonly hour: number;
  readonly megabytes: number;
  readonly tables: Readonly<Record<string, number>>;
}

function hold(of: TunnelWorld, hour: number): Held {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const question = { sessionsMax: 0, streamsMax: 0 } as never;
  const now = of.network.now;
  const [client, server] = [of.client.observe(now, question).totals.now, of.server.observe(now, question).totals.now];
  const tables = {
    clientSessions: client.sessions,
    serverSessions: server.sessions,
    streams: client.streams + server.streams,
    waiting: client.waitingSegments + server.waitingSegments + client.inFlightSegments + server.inFlightSegments,
    heldBytes: client.heldBytes + server.heldBytes,
    peers: client.peers + server.peers,
  };
  return { hour, megabytes: (heapUsed + arrayBuffers) / 1e6, tables };
}

for (const [name, client] of [
  ["one session for all", {}],
  ["a new session every half hour (autoexpire)", { autoexpire: 900, scavengettl: 60, conn: 2 }],
] as const) {
  test(`${hours} hours without growth: ${name}`, () => {
    const of = new TunnelWorld(
      { link: "delay=20 loss=1%", seed: 12, client: { keepalive: 25, ...client }, server: { keepalive: 25, sessions: 6 } },
      (socket: TcpSocket) => {
        const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 6000, endAfterSending: true });
        traffic.connected(0);
        return traffic;
      },
    );
    const log: Held[] = [];
    let served = 0;
    for (let half = 0; half < hours * 2; half++) {
      const all: Traffic[] = [];
      for (let i = 0; i < burst; i++) {
        of.connect((socket) => {
          const traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 6000, endAfterSending: true });
          all.push(traffic);
          return traffic;
        });
      }
      of.run(1800);
      served += all.filter(({ received, wrong, ended }) => received === 6000 && wrong === 0 && ended).length;
      if (half % 2 === 1) log.push(hold(of, (half + 1) / 2));
    }
    assert.equal(served, burst * hours * 2);
    const [early, late] = [log[3]!, log.at(-1)!];
    // A keep-alive may be under way as the clock stops.
    const { heldBytes, waiting } = late.tables;
    assert.deepEqual(late.tables, { ...early.tables, heldBytes, waiting });
    assert.ok(heldBytes! <= early.tables.heldBytes! * 1.5, JSON.stringify([early, late]));
    assert.ok(late.tables.streams === 0 && waiting! <= 4, JSON.stringify(late));
    assert.ok(
      late.megabytes - early.megabytes < 1.5,
      `${early.megabytes} MB after ${early.hour} h, ${late.megabytes} MB after ${late.hour} h`,
    );
  });
}
