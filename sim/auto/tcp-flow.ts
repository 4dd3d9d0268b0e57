/** A modelled TCP transfer over the same link as a tunnel, its segments in datagrams: as much as the path takes. */
import { Batch } from "../../src/base/batch.ts";
import { TcpReceiver } from "../../src/emulator/tcp-receiver.ts";
import { SEGMENT_BYTES_MAX } from "../../src/emulator/tcp-segment.ts";
import { TcpSender } from "../../src/emulator/tcp-sender.ts";
import type { UdpSocket } from "../../src/host/loop.ts";
import type { TunnelWorld } from "../tunnel-world.ts";

const written = new Uint8Array(65_536);

export class TcpFlow {
  readonly sender = new TcpSender(4_194_304);
  readonly receiver = new TcpReceiver(6_291_456);
  received = 0;
  readonly #batch = new Batch(1);
  readonly #near: UdpSocket;
  readonly #far: UdpSocket;
  #to = -1;
  #back = -1;

  /** `port`: its own at both hosts. Sends from the near host to the far one. */
  constructor(world: Pick<TunnelWorld, "network" | "near" | "far">, port: number) {
    const [near, far] = [world.network.host(world.near), world.network.host(world.far)];
    this.#near = near.udp(
      { host: world.near, port },
      { receive: (now, batch) => this.#each(batch, (view) => this.sender.receive(now, view)), writable: () => {} },
    );
    this.#far = far.udp(
      { host: world.far, port },
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
    this.#to = this.#near.addresses.intern(world.far, port);
    this.#back = this.#far.addresses.intern(world.near, port);
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
    while (sender.room >= written.length) sender.queue.push(written, 0, written.length);
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
