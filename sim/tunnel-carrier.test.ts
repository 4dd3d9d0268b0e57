/** The tunnel over links that somebody else makes, in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Carrier } from "../src/host/link.ts";
import { udpCarrier } from "../src/host/link.ts";
import type { Loop, TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { Traffic, TunnelWorld, type TunnelWorldOptions } from "./tunnel-world.ts";
import { Wire } from "./wire.ts";

const bytes = 50_000;

function answer(socket: TcpSocket): TcpHandler {
  const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: bytes });
  traffic.connected(0);
  return traffic;
}

/** Moves bytes both ways; answers the longest datagram of either end. */
function moved(options: Partial<TunnelWorldOptions>): [client: number, server: number] {
  const world = new TunnelWorld({ link: "delay=10", seed: 7, ...options }, answer);
  const [near, far] = [new Wire(world.network, "10.0.0.1"), new Wire(world.network, "10.0.0.2")];
  let traffic: Traffic | undefined;
  world.connect((socket) => {
    traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: bytes });
    return traffic;
  });
  assert.ok(world.run(20, () => traffic!.received === bytes));
  return [near.largest, far.largest];
}

/** Lets through no more than that. */
const narrow = (loop: Loop, datagramBytesMax: number): Carrier => ({ ...udpCarrier(loop), name: "narrow", datagramBytesMax });

test("a carrier that lets less through than option mtu says shortens the datagrams of its end, and lengthens none", () => {
  const plain = { client: { nocomp: "true" }, server: { nocomp: "true" } };
  const [near, far] = moved(plain);
  assert.ok(near > 1300 && near <= 1350 && far > 1300 && far <= 1350, `${near} and ${far}`);
  const [nearNarrow, farNarrow] = moved({ ...plain, carriers: (loop) => [{ carrier: narrow(loop, 600) }] });
  assert.ok(nearNarrow > 550 && nearNarrow <= 600 && farNarrow > 550 && farNarrow <= 600, `${nearNarrow} and ${farNarrow}`);
  const mtu = { client: { nocomp: "true", mtu: 400 }, server: { nocomp: "true", mtu: 400 } };
  assert.ok(Math.max(...moved({ ...mtu, carriers: (loop) => [{ carrier: narrow(loop, 600) }] })) <= 400);
});

test("a client whose carrier has to connect dials at its start, for each of its sessions; others with their first connection", () => {
  for (const connects of [true, false]) {
    const dialled: string[] = [];
    const carriers = (loop: Loop) => {
      const carrier = narrow(loop, 600);
      const dial: Carrier["dial"] = (to, ...rest) => {
        dialled.push(`${to.host}:${to.port}`);
        return carrier.dial(to, ...rest);
      };
      return [{ carrier: { ...carrier, connects, dial } }];
    };
    const world = new TunnelWorld({ link: "delay=10", seed: 7, carriers, client: { conn: 2 } }, answer);
    world.run(1, () => false);
    assert.deepEqual(dialled, connects ? ["10.0.0.2:3000", "10.0.0.2:3000"] : []);
  }
});

test("a server listens with all its carriers, each at its own address", () => {
  const carriers = (loop: Loop) => [{ carrier: udpCarrier(loop) }, { carrier: narrow(loop, 600), at: { host: "10.0.0.2", port: 4000 } }];
  for (const remoteaddr of ["10.0.0.2:3000", "10.0.0.2:4000"]) {
    const [, far] = moved({ carriers, client: { remoteaddr, nocomp: "true" }, server: { nocomp: "true" } });
    assert.equal(far <= 600, remoteaddr.endsWith("4000"), `${far} from ${remoteaddr}`);
  }
});
