/**
 * A UDP socket on node:dgram, for machines where foreign calls are not to be had.
 *
 *   message, message, … (one turn of Node's event loop) ─► copied back to back into one slab ─► handler.receive(batch) in the loop's round
 *   send(batch) ─► a copy of each datagram ─► dgram.send
 *
 * Deviations from udp-mmsg.ts: no DSCP and no choice of the address answers leave from, because dgram offers neither; `receiveCalls` counts
 * batches, `sendCalls` datagrams.
 */
import { createSocket, type Socket } from "node:dgram";
import { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { AddressTable } from "./address.ts";
import { ipFamily } from "./ip-address.ts";
import { newUdpCounters, type UdpHandler, type UdpOptions, type UdpSocket } from "./loop.ts";
import type { NodeReactor } from "./node-reactor.ts";
import type { Resource } from "./reactor.ts";

/** Tuning: datagrams and bytes collected in one turn, and datagrams that Node may hold on to when the kernel's buffer is full. */
const BATCH_DATAGRAMS = 256;
const SLAB_BYTES = 512 << 10;
const QUEUED_MAX = 256;

/** Names were resolved long before: answering at once lets bind and send happen inside the call. */
function literal(host: string, options: unknown, done: (error: null, host: string, family: number) => void): void {
  const answer = (typeof options === "function" ? options : done) as typeof done;
  answer(null, host, ipFamily(host));
}

export class DgramUdpSocket implements UdpSocket, Resource {
  readonly local: { readonly host: string; readonly port: number };
  readonly addresses: AddressTable;
  readonly counters = newUdpCounters();
  readonly #reactor: NodeReactor;
  readonly #handler: UdpHandler;
  readonly #socket: Socket;
  readonly #six: boolean;
  readonly #batch = new Batch(BATCH_DATAGRAMS, new Uint8Array(SLAB_BYTES));
  #filled = 0;
  #queued = 0;
  #blocked = false;
  #open = true;
  #lastHost = "";
  #lastName = "";

  /** @throws HostError when the address cannot be bound */
  constructor(reactor: NodeReactor, options: UdpOptions, handler: UdpHandler) {
    const family = ipFamily(options.host);
    if (family === 0) throw new HostError("EINVAL", "bind", options.host);
    this.#reactor = reactor;
    this.#handler = handler;
    this.#six = family === 6;
    this.addresses = new AddressTable({ peersMax: options.peersMax });
    const size = options.socketBufferBytes ? { recvBufferSize: options.socketBufferBytes, sendBufferSize: options.socketBufferBytes } : {};
    this.#socket = createSocket({ type: this.#six ? "udp6" : "udp4", lookup: literal as never, ...size });
    this.local = this.#bind(options);
    this.#socket.on("message", (bytes, from) => this.#message(bytes, from.address, from.port));
    this.#socket.on("error", () => this.counters.sendErrors++);
    reactor.resources.add(this);
  }

  send(batch: Batch, from: number): number {
    let next = from;
    for (; this.#open && next < batch.length; next++) {
      if (this.#queued >= QUEUED_MAX) {
        this.#blocked = true;
        return next;
      }
      const start = batch.start[next]!;
      const length = batch.end[next]! - start;
      // Node keeps what the kernel does not take at once, while the batch is reused: hence the copy.
      const copy = Buffer.allocUnsafe(length);
      copy.set(batch.bytes.subarray(start, start + length));
      const peer = batch.peer[next]!;
      const port = this.addresses.port(peer);
      // A forged sender; Node would throw.
      if (port === 0) {
        this.counters.sendErrors++;
        continue;
      }
      this.#queued++;
      this.counters.sendCalls++;
      this.counters.sentDatagrams++;
      this.counters.sentBytes += length;
      this.#socket.send(copy, 0, length, port, this.#hostOf(peer), this.#sent);
    }
    return batch.length;
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.resources.delete(this);
    this.#socket.close();
  }

  readonly #sent = (error: Error | null): void => {
    this.#queued--;
    if (error !== null) {
      this.counters.sendErrors++;
      this.counters.sentDatagrams--;
    }
    if (!this.#blocked || this.#queued > QUEUED_MAX / 2) return;
    this.#blocked = false;
    this.#reactor.later((now) => {
      if (this.#open) this.#handler.writable(now);
    });
  };

  #message(bytes: Uint8Array, host: string, port: number): void {
    const batch = this.#batch;
    if (batch.length === 0) {
      this.addresses.turn();
      this.#reactor.later((now) => this.#hand(now));
    }
    const peer = this.addresses.intern(host, port);
    if (peer < 0 || batch.full || this.#filled + bytes.length > SLAB_BYTES) {
      this.counters.receiveDropped++;
      return;
    }
    const i = batch.length++;
    batch.bytes.set(bytes, this.#filled);
    batch.start[i] = this.#filled;
    this.#filled += bytes.length;
    batch.end[i] = this.#filled;
    batch.peer[i] = peer;
    this.counters.receivedDatagrams++;
    this.counters.receivedBytes += bytes.length;
    // A full batch is handed over in a round of its own, inside this event, rather than dropping what comes next.
    if (batch.full || SLAB_BYTES - this.#filled < 65_536) this.#reactor.round();
  }

  #hand(now: Millis): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.counters.receiveCalls++;
    if (this.#open) this.#handler.receive(now, batch);
    batch.length = 0;
    this.#filled = 0;
  }

  /** The peer's host as this family of socket wants it. */
  #hostOf(peer: number): string {
    const host = this.addresses.host(peer);
    if (host === this.#lastHost) return this.#lastName;
    this.#lastHost = host;
    this.#lastName = this.#six && !host.includes(":") ? `::ffff:${host}` : host;
    return this.#lastName;
  }

  #bind(options: UdpOptions): { host: string; port: number } {
    let failure: NodeJS.ErrnoException | undefined;
    const failed = (error: NodeJS.ErrnoException): void => {
      failure = error;
    };
    this.#socket.on("error", failed);
    try {
      this.#socket.bind({ address: options.host, port: options.port, exclusive: true });
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
    }
    this.#socket.off("error", failed);
    if (failure !== undefined) {
      this.#socket.close();
      throw new HostError(failure.code ?? "EINVAL", "bind", `${options.host}:${options.port}`, failure);
    }
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }
}
