/** A UDP socket of a virtual host: batches are handed over in the host's next round. */
import { Batch } from "../src/base/batch.ts";
import type { Millis } from "../src/base/units.ts";
import { AddressTable } from "../src/host/address.ts";
import { newUdpCounters, type UdpCounters, type UdpHandler, type UdpSocket } from "../src/host/loop.ts";
import type { VirtualLoop } from "./virtual-loop.ts";

export class VirtualUdpSocket implements UdpSocket {
  readonly local: { readonly host: string; readonly port: number };
  readonly addresses: AddressTable;
  readonly counters: UdpCounters = newUdpCounters();
  readonly #loop: VirtualLoop;
  readonly #handler: UdpHandler;
  readonly #batch = new Batch(256, new Uint8Array(1 << 20));
  #filled = 0;

  constructor(loop: VirtualLoop, port: number, handler: UdpHandler, peersMax: number) {
    this.#loop = loop;
    this.#handler = handler;
    this.local = { host: loop.address, port };
    this.addresses = new AddressTable({ peersMax });
    loop.network.bind(this);
  }

  deliver(bytes: Uint8Array, length: number, host: string, port: number): void {
    const batch = this.#batch;
    if (this.#loop.asleep) return;
    if (batch.length === 0) this.addresses.turn();
    const peer = this.addresses.intern(host, port);
    if (batch.full || peer < 0 || this.#filled + length > batch.bytes.length) {
      this.counters.receiveDropped++;
      return;
    }
    const start = this.#filled;
    this.#filled += length;
    batch.bytes.set(bytes.subarray(0, length), start);
    batch.start[batch.length] = start;
    batch.end[batch.length] = start + length;
    batch.peer[batch.length++] = peer;
    this.counters.receivedDatagrams++;
    this.counters.receivedBytes += length;
    if (batch.length === 1) this.#loop.post((now) => this.#hand(now));
  }

  send(batch: Batch, from: number): number {
    for (let i = from; i < batch.length; i++) {
      const peer = batch.peer[i]!;
      const [start, end] = [batch.start[i]!, batch.end[i]!];
      this.counters.sentDatagrams++;
      this.counters.sentBytes += end - start;
      const { network, address } = this.#loop;
      network.send(address, this.local.port, this.addresses.host(peer), this.addresses.port(peer), batch.bytes, start, end);
    }
    return batch.length;
  }

  close(): void {
    this.#loop.network.unbind(this);
  }

  #hand(now: Millis): void {
    this.#handler.receive(now, this.#batch);
    this.#batch.length = 0;
    this.#filled = 0;
  }
}
