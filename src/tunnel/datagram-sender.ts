/**
 * Datagrams on their way to applications or targets: gathered in a batch, so that what comes in one round leaves in one call.
 *
 *   push, push, … (one socket) ─▶ full, another socket, or the end of the round ─▶ send
 *
 * What the socket does not take is thrown away and counted: a datagram that waits is worth less than the next one.
 */
import { Batch } from "../base/batch.ts";
import type { Bytes } from "../base/units.ts";
import type { UdpSocket } from "../host/loop.ts";
import type { ChannelCounters } from "./channel-counters.ts";

/** Tuning: datagrams and bytes in one batch; the longest datagram fits. */
const DATAGRAMS = 64;
const SLAB_BYTES: Bytes = 131_072;

export class DatagramSender {
  readonly #counters: ChannelCounters;
  readonly #batch = new Batch(DATAGRAMS, new Uint8Array(SLAB_BYTES));
  #socket: UdpSocket | undefined;
  #filled: Bytes = 0;

  constructor(counters: ChannelCounters) {
    this.#counters = counters;
  }

  push(socket: UdpSocket, peer: number, bytes: Uint8Array, start: number, end: number): void {
    const batch = this.#batch;
    if (this.#socket !== socket || batch.full || this.#filled + end - start > SLAB_BYTES) this.flush();
    this.#socket = socket;
    const i = batch.length++;
    batch.peer[i] = peer;
    batch.start[i] = this.#filled;
    const into = batch.bytes;
    let at = this.#filled;
    for (let from = start; from < end; from++) into[at++] = bytes[from]!;
    this.#filled = at;
    batch.end[i] = at;
  }

  /** At the end of each round, and before a socket is closed. */
  flush(): void {
    const batch = this.#batch;
    if (batch.length > 0 && this.#socket !== undefined) {
      const taken = this.#socket.send(batch, 0);
      this.#counters.datagramsOut += taken;
      this.#counters.datagramsBlocked += batch.length - taken;
    }
    batch.length = 0;
    this.#filled = 0;
    this.#socket = undefined;
  }
}
