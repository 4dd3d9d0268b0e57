/** What came for a tunnel by a raw socket, handed over by the batch: where each datagram lies in the socket's slab is noted, nothing is copied. */
import { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { LinkHandler } from "../host/link.ts";
import type { UdpCounters } from "../host/loop.ts";
import type { CarrierCounters } from "./settings.ts";

const DATAGRAMS = 256;

export class Arrivals {
  readonly #handler: LinkHandler;
  readonly #counters: UdpCounters;
  readonly #carried: CarrierCounters;
  #batch: Batch | undefined;

  constructor(handler: LinkHandler, counters: UdpCounters, carried: CarrierCounters) {
    this.#handler = handler;
    this.#counters = counters;
    this.#carried = carried;
  }

  /** Bytes `start`…`end` of `slab`, which stay there until `deliver`; the slab is the same each time. */
  add(now: Millis, slab: Batch, start: number, end: number, peer = 0): void {
    this.#batch ??= new Batch(DATAGRAMS, slab.bytes);
    if (this.#batch.full) this.deliver(now);
    this.#batch.add(start, end, peer);
    this.#counters.receivedDatagrams++;
    this.#counters.receivedBytes += end - start;
  }

  /** Call when a batch of the socket's is at its end. */
  deliver(now: Millis): void {
    const batch = this.#batch;
    if (batch === undefined || batch.length === 0) return;
    this.#counters.receiveCalls++;
    this.#carried.carriedIn += batch.length;
    this.#handler.receive(now, batch);
    batch.length = 0;
  }
}
