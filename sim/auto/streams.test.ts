import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket } from "../../src/host/loop.ts";
import { TunnelWorld } from "../tunnel-world.ts";
import { auto, profiles } from "./case.ts";

const buffer = new Uint8Array(65_536);
/** Of profile f. */
const ONE_WAY_MS = 100;
const LINK_BYTES_PER_MS = 2500;

/** Writes as much as is taken, or one byte at a time. */
class Writer implements TcpHandler {
  readonly socket: () => TcpSocket;
  readonly greedy: boolean;
  constructor(socket: () => TcpSocket, greedy: boolean) {
    this.socket = socket;
    this.greedy = greedy;
  }
  connected(): void {
    this.socket().write(buffer, 0, 1);
    this.writable();
  }
  writable(): void {
    if (this.greedy) while (this.socket().write(buffer, 0, buffer.length) === buffer.length);
  }
  readable(): void {}
  closed(): void {}
}

test("keystrokes pass six uploads, and uploads that are broken off stall nobody", () => {
  const arrivals: number[] = [];
  let uploaded = 0;
  const sockets: TcpSocket[] = [];
  const world = new TunnelWorld({ link: profiles.f, seed: 1, client: auto, server: auto }, (socket) => {
    const keys = sockets.push(socket) === 1;
    return {
      connected: () => {},
      readable: (now) => {
        for (let n = socket.read(buffer, 0, buffer.length); n > 0; n = socket.read(buffer, 0, buffer.length)) {
          if (!keys) uploaded += n;
          else for (let i = 0; i < n; i++) arrivals.push(now);
        }
      },
      writable: () => {},
      closed: () => {},
    };
  });
  const { network } = world;
  let typist!: Writer;
  const uploads: Writer[] = [];
  network.at(500, () => world.connect((socket) => (typist = new Writer(socket, false))));
  for (let i = 0; i < 6; i++) network.at(800 + i, () => world.connect((socket) => (uploads[i] = new Writer(socket, true))));
  const typed: number[] = [500];
  /** How long the path's own queue, whoever filled it, would hold each. */
  const queued: number[] = [0];
  for (let at = 3000; at < 8000; at += 50) {
    network.at(at, () => {
      typed.push(at);
      queued.push(world.links.ab.queuedBytes / LINK_BYTES_PER_MS);
      typist.socket().write(buffer, 0, 1);
    });
  }
  for (let i = 0; i < 3; i++) network.at(5000, () => uploads[i]!.socket().reset());
  world.run(9);
  assert.equal(arrivals.length, typed.length);
  const waits = arrivals.map((at, i) => at - typed[i]! - ONE_WAY_MS - queued[i]!).toSorted((a, b) => a - b);
  // Six uploads in turn would each send before it.
  const half = waits[Math.floor(waits.length * 0.5)]!;
  assert.ok(half < 20, `half of them took ${half} ms longer than the path`);
  assert.ok(uploaded > 9e6, `${uploaded} bytes were uploaded`);
});
