/** The tunnel's client and server, unchanged, in virtual time over bad links. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpSocket } from "../src/host/loop.ts";
import { Traffic, TunnelWorld, type TunnelWorldOptions } from "./tunnel-world.ts";

interface Exchange {
  readonly world: TunnelWorld;
  readonly near: Traffic;
  readonly far: Traffic[];
}

function exchange(options: TunnelWorldOptions, upBytes: number, downBytes: number, ends = false): Exchange {
  const far: Traffic[] = [];
  const world = new TunnelWorld(options, (socket: TcpSocket) => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: downBytes, endAfterSending: ends });
    far.push(traffic);
    traffic.connected(0);
    return traffic;
  });
  let near: Traffic | undefined;
  world.connect((socket) => {
    near = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: upBytes, endAfterSending: ends });
    return near;
  });
  return { world, near: near!, far };
}

const replay = (seed: number): string => `seed ${seed}; replay: node --test sim/tunnel.test.ts`;

for (const [fec, smuxver, nocomp, crypt] of [
  [true, 2, "false", "aes"],
  [true, 1, "true", "none"],
  [false, 2, "true", "aes-128-gcm"],
  [false, 1, "false", "null"],
] as const) {
  test(`2 MB each way over 5 % loss: FEC ${fec}, smux ${smuxver}, nocomp ${nocomp}, ${crypt}`, () => {
    const both = { crypt, ...(fec ? {} : { datashard: 0 }) };
    const client = { ...both, smuxver, nocomp, mode: "fast3" };
    const { world, near, far } = exchange(
      { link: "delay=50 loss=5%", seed: 11, client, server: { ...both, mode: "fast3" } },
      2_000_000,
      2_000_000,
    );
    const done = world.run(120, () => near.received === 2_000_000 && far[0]?.received === 2_000_000);
    assert.ok(done, `${near.received} and ${far[0]?.received} bytes after 120 virtual seconds; ${replay(11)}`);
    assert.equal(near.wrong + far[0]!.wrong, 0, replay(11));
  });
}

test("the same seed gives the same run, to the datagram", () => {
  const run = (): unknown => {
    const { world, near } = exchange({ link: "delay=50 loss=10% jitter=5", seed: 3 }, 300_000, 300_000);
    world.run(60, () => near.received === 300_000);
    return [world.network.now, world.links.ab.counters, world.links.ba.counters, world.client.report(world.network.now)];
  };
  assert.deepEqual(run(), run());
});

test("half close: a request that ends its side still gets its answer, and both streams are forgotten", () => {
  const { world, near, far } = exchange({ link: "delay=50 loss=2%", seed: 5 }, 5_000, 400_000, true);
  world.run(30, () => near.ended && far[0]?.ended === true);
  assert.equal(near.received, 400_000, replay(5));
  assert.ok(near.ended && far[0]!.ended);
  world.run(2);
  assert.deepEqual([world.client.report(0)[0]?.streams, world.server.report(0)[0]?.streams], [0, 0]);
});

test("a slow target holds the sender back within the windows, then gets every byte", () => {
  let stalled: TcpSocket | undefined;
  let got = 0;
  const world = new TunnelWorld({ link: "delay=10", seed: 6 }, (socket) => {
    stalled = socket;
    return { connected() {}, readable() {}, writable() {}, closed() {} };
  });
  let near: Traffic | undefined;
  world.connect((socket) => {
    near = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 20_000_000 });
    return near;
  });
  world.run(30);
  const held = near!.sent;
  assert.ok(held < 5_000_000, `${held} bytes were taken for a target that reads nothing`);
  const buffer = new Uint8Array(65_536);
  world.run(60, () => {
    for (let n = stalled!.read(buffer, 0, buffer.length); n > 0; n = stalled!.read(buffer, 0, buffer.length)) got += n;
    return got === 20_000_000;
  });
  assert.equal(got, 20_000_000, replay(6));
});

test("an outage of 5 s loses nothing", () => {
  const { world, near, far } = exchange({ link: "delay=50 loss=1%", seed: 8 }, 3_000_000, 100_000);
  world.network.at(1000, () => [world.links.ab, world.links.ba].forEach((link) => void link.set("down=1")));
  world.network.at(6000, () => [world.links.ab, world.links.ba].forEach((link) => void link.set("down=0")));
  assert.ok(
    world.run(120, () => far[0]?.received === 3_000_000 && near.received === 100_000),
    replay(8),
  );
  assert.equal(near.wrong + far[0]!.wrong, 0);
});

test("a target that refuses ends the connection at the application", () => {
  const world = new TunnelWorld({ link: "delay=10", seed: 9, server: { target: "10.0.0.2:9" } }, () => assert.fail("no target"));
  let near: Traffic | undefined;
  world.connect((socket) => {
    near = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 100 });
    return near;
  });
  assert.ok(world.run(5, () => near!.ended || near!.broken !== undefined));
});
