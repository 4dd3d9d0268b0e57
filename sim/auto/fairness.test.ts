import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../../src/base/batch.ts";
import { TcpReceiver } from "../../src/emulator/tcp-receiver.ts";
import { SEGMENT_BYTES_MAX } from "../../src/emulator/tcp-segment.ts";
import { TcpSender } from "../../src/emulator/tcp-sender.ts";
import type { UdpSocket } from "../../src/host/loop.ts";
import { TunnelWorld } from "../tunnel-world.ts";
import { auto, profiles } from "./case.ts";

const buffer = new Uint8Array(65_536);
/** Uploads without end through the tunnel: bytes received of each between `from` and `to`. */
function uploads(link: string, count: number, from: number, to: number): { world: TunnelWorld; received: number[] } {
  const received = new Array<number>(count).fill(0);
  let accepted = 0;
  const world = new TunnelWorld({ link, seed: 1, client: { ...auto, conn: count }, server: auto }, (socket) => {
    const index = accepted++;
    return {
      connected: () => {},
      readable: (now) => {
        for (let n = socket.read(buffer, 0, buffer.length); n > 0; n = socket.read(buffer, 0, buffer.length)) {
          if (now >= from && now < to) received[index]! += n;
        }
      },
      writable: () => {},
      closed: () => {},
    };
  });
  for (let i = 0; i < count; i++) {
    world.network.at(500 + i * 500, () =>
      world.connect((socket) => {
        const write = (): void => {
          while (socket().write(buffer, 0, buffer.length) === buffer.length);
        };
        return { connected: write, writable: write, readable: () => {}, closed: () => {} };
      }),
    );
  }
  return { world, received };
}

/** A modelled TCP download over the same link, its segments in datagrams. */
class Tcp {
  readonly sender = new TcpSender(4_194_304);
  readonly receiver = new TcpReceiver(6_291_456);
  received = 0;
  readonly #batch = new Batch(1);
  readonly #near: UdpSocket;
  readonly #far: UdpSocket;
  #to = -1;
  #back = -1;

  constructor(world: TunnelWorld) {
    const [near, far] = [world.network.host("10.0.0.1"), world.network.host("10.0.0.2")];
    this.#near = near.udp(
      { host: "10.0.0.1", port: 9 },
      { receive: (now, batch) => this.#each(batch, (view) => this.sender.receive(now, view)), writable: () => {} },
    );
    this.#far = far.udp(
      { host: "10.0.0.2", port: 9 },
      {
        receive: (now, batch) => {
          for (let i = 0; i < batch.length; i++) {
            const segment = batch.bytes.slice(batch.start[i]!, batch.end[i]!);
            const view = new DataView(segment.buffer);
            this.receiver.receive(now, segment, view, 0, segment.length);
            this.received += this.receiver.queue.length;
            this.receiver.queue.consume(this.receiver.queue.length);
            this.#acknowledge(now);
          }
        },
        writable: () => {},
      },
    );
    this.#to = this.#near.addresses.intern("10.0.0.2", 9);
    this.#back = this.#far.addresses.intern("10.0.0.1", 9);
    near.drive({ advance: (now) => this.#advance(now) });
    far.drive({
      advance: (now) => {
        this.#acknowledge(now);
        return this.receiver.deadline();
      },
    });
  }

  #each(batch: Batch, take: (view: DataView) => void): void {
    for (let i = 0; i < batch.length; i++) take(new DataView(batch.bytes.slice(batch.start[i]!, batch.end[i]!).buffer));
  }

  #advance(now: number): number {
    const { sender } = this;
    while (sender.room >= buffer.length) sender.queue.push(buffer, 0, buffer.length);
    sender.advance(now);
    const segment = new Uint8Array(SEGMENT_BYTES_MAX);
    const view = new DataView(segment.buffer);
    for (let n = sender.transmit(now, segment, view); n > 0; n = sender.transmit(now, segment, view)) {
      this.#send(this.#near, this.#to, segment, n);
    }
    return sender.deadline();
  }

  #acknowledge(now: number): void {
    const segment = new Uint8Array(SEGMENT_BYTES_MAX);
    const n = this.receiver.transmit(now, new DataView(segment.buffer));
    if (n > 0) this.#send(this.#far, this.#back, segment, n);
  }

  #send(socket: UdpSocket, peer: number, bytes: Uint8Array, length: number): void {
    const batch = this.#batch;
    batch.bytes.set(bytes.subarray(0, length));
    batch.length = 0;
    batch.add(0, length, peer);
    socket.send(batch, 0);
  }
}

test("four sessions that tune themselves share a path evenly", () => {
  // A quarter of profile f, so that a long time takes little.
  const { world, received } = uploads("delay=100 rate=5mbit qbytes=128k ovh=28", 4, 8000, 30_000);
  world.run(30);
  const sum = received.reduce((a, b) => a + b, 0);
  const jain = sum ** 2 / (4 * received.reduce((a, b) => a + b * b, 0));
  const shares = received.map((bytes) => (bytes / sum).toFixed(2)).join(" ");
  assert.ok(jain >= 0.9, `Jain ${jain.toFixed(3)}: ${shares}`);
  assert.ok((sum * 8) / 22_000 > 4200, `${(sum * 8) / 22_000} kbit/s altogether`);
});

for (const [what, link] of [
  ["profile f", profiles.f],
  ["a narrow path with a short queue", "delay=100 rate=5mbit qbytes=128k"],
] as const) {
  test(`beside a CUBIC download a session that tunes itself has between 0.3 and 0.7 of ${what}`, (t) => {
    const { world, received } = uploads(`${link} ovh=28`, 1, 5000, 25_000);
    const tcp = new Tcp(world);
    let before = 0;
    world.network.at(5000, () => (before = tcp.received));
    world.run(25);
    const share = received[0]! / (received[0]! + tcp.received - before);
    t.diagnostic(`share ${share.toFixed(2)}`);
    assert.ok(share >= 0.3 && share <= 0.7, `share ${share.toFixed(2)}`);
  });
}
