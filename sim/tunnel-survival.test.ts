/**
 * What kcptun's users restart it for (reference kcptun.md 10.2, point 4), in virtual time: the server is restarted, it has moved to another address,
 * the client's machine has slept, a NAT gives the client another address. An application that tries again finds the tunnel working within 2 s.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpSocket } from "../src/host/loop.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";

const near = "10.0.0.1";
const name = "server.example";

function world(link: string, seed: number, log: LogLines, client: Record<string, unknown> = {}): TunnelWorld {
  const of = new TunnelWorld({ link, seed, log, client: { remoteaddr: `${name}:3000`, ...client } }, (socket: TcpSocket) => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 5000 });
    traffic.connected(0);
    return traffic;
  });
  of.network.names = new Map([[name, "10.0.0.2"]]);
  return of;
}

function connect(of: TunnelWorld): Traffic {
  let traffic: Traffic | undefined;
  of.connect((socket) => {
    traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 300 });
    return traffic;
  });
  return traffic!;
}

/** Opens a connection every 100 ms; answers after how many ms one had its answer. */
function firstAnswer(of: TunnelWorld): number {
  const began = of.network.now;
  const tries: Traffic[] = [];
  const answered = (): boolean => tries.some(({ received }) => received === 5000);
  while (!answered() && of.network.now < began + 10_000) {
    tries.push(connect(of));
    of.run(0.1, answered);
  }
  return of.network.now - began;
}

/** From now on a NAT shows the client at other ports, and what is sent to the old ones is lost. */
function rebind({ network }: TunnelWorld): void {
  const send = network.send.bind(network);
  const shift = 7000;
  network.send = (from, fromPort, to, toPort, bytes, start, end) => {
    if (from === near) send(from, fromPort + shift, to, toPort, bytes, start, end);
    else send(from, fromPort, to, toPort - shift, bytes, start, end);
  };
}

const events: Readonly<Record<string, (of: TunnelWorld) => void>> = {
  "the server is restarted": (of) => of.restartServer(),
  "the server's name has another address": (of) => {
    of.moveServer("10.0.0.3");
    of.network.names!.set(name, "10.0.0.3");
  },
  "a NAT gives the client another address": rebind,
  "the client's machine slept for 10 minutes": (of) => {
    of.network.host(near).asleep = true;
    of.run(600);
    of.network.host(near).asleep = false;
  },
  "the client's machine slept, and its NAT has forgotten it": (of) => {
    of.network.host(near).asleep = true;
    of.run(600);
    of.network.host(near).asleep = false;
    rebind(of);
  },
};

for (const [event, happen] of Object.entries(events)) {
  for (const link of ["delay=10", "delay=50 loss=10%"]) {
    test(`${event}, ${link}: a new connection is answered within 2 s`, () => {
      for (let seed = 1; seed <= 5; seed++) {
        for (const busy of [false, true]) {
          const log = new LogLines();
          const of = world(link, seed, log);
          const first = connect(of);
          assert.ok(of.run(20, () => first.received === 5000));
          of.run(busy ? 0 : 20);
          happen(of);
          const took = firstAnswer(of);
          assert.ok(
            took <= 2000,
            `${took} ms, seed ${seed}, ${busy ? "in the middle of traffic" : "idle before"}:\n${log.lines.slice(-12).join("\n")}`,
          );
        }
      }
    });
  }
}

test("a name that is not found ends the connection and says so; the next connection asks again", () => {
  const log = new LogLines();
  const of = world("delay=10", 1, log);
  of.network.names!.clear();
  const refused = connect(of);
  of.run(1);
  assert.ok(refused.broken !== undefined || refused.ended);
  assert.equal(log.count(`name \\"${name}\\" was not found`), 1, log.lines.join("\n"));
  of.network.names!.set(name, "10.0.0.2");
  const served = connect(of);
  assert.ok(of.run(1, () => served.received === 5000));
});
