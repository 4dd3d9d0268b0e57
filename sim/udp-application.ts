/** UDP programs on virtual hosts: one that sends numbered datagrams and checks what comes back, and a target that answers each. */
import type { Batch } from "../src/base/batch.ts";
import { Batch as NewBatch } from "../src/base/batch.ts";
import type { Millis } from "../src/base/units.ts";
import type { UdpHandler, UdpSocket } from "../src/host/loop.ts";
import type { VirtualLoop } from "./virtual-loop.ts";

/** Its datagrams: number u32, then bytes made from it. */
export class UdpApplication implements UdpHandler {
  readonly socket: UdpSocket;
  readonly #batch = new NewBatch(1, new Uint8Array(65_536));
  readonly #to: number;
  readonly #loop: VirtualLoop;
  sent = 0;
  /** Numbers that came back whole, in the order they came. */
  readonly answers: number[] = [];
  readonly delays: number[] = [];
  wrong = 0;
  readonly #sentAt: number[] = [];

  constructor(loop: VirtualLoop, to: { host: string; port: number }) {
    this.#loop = loop;
    this.socket = loop.udp({ host: loop.address, port: 0 }, this);
    this.#to = this.socket.addresses.intern(to.host, to.port);
    this.socket.addresses.hold(this.#to);
  }

  send(bytes: number): void {
    const batch = this.#batch;
    batch.view.setUint32(0, this.sent);
    for (let i = 4; i < bytes; i++) batch.bytes[i] = this.sent * 7 + i;
    batch.start[0] = 0;
    batch.end[0] = bytes;
    batch.peer[0] = this.#to;
    batch.length = 1;
    this.#sentAt.push(this.#loop.now());
    this.sent++;
    this.socket.send(batch, 0);
  }

  receive(now: Millis, batch: Batch): void {
    for (let i = 0; i < batch.length; i++) {
      const start = batch.start[i]!;
      const number = batch.view.getUint32(start);
      for (let at = start + 4; at < batch.end[i]!; at++) if (batch.bytes[at] !== ((number * 7 + at - start) & 255)) this.wrong++;
      this.answers.push(number);
      this.delays.push(now - this.#sentAt[number]!);
    }
  }

  writable(): void {}
}

/** Answers every datagram with itself. */
export class UdpEcho implements UdpHandler {
  readonly socket: UdpSocket;
  /** Ports of those who asked. */
  readonly sources = new Set<number>();
  received = 0;

  constructor(loop: VirtualLoop, port: number) {
    this.socket = loop.udp({ host: loop.address, port }, this);
  }

  receive(_now: Millis, batch: Batch): void {
    this.received += batch.length;
    for (let i = 0; i < batch.length; i++) this.sources.add(this.socket.addresses.port(batch.peer[i]!));
    this.socket.send(batch, 0);
  }

  writable(): void {}
}
