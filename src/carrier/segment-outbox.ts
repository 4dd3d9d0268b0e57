/** Datagrams on their way to a raw socket as segments of tcpraw flows, gathered so that one call takes many. */
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { SEGMENT_HEAD_BYTES, type SegmentFlow } from "../faketcp/segment-flow.ts";
import type { UdpCounters } from "../host/loop.ts";
import type { RawSocket } from "../host/raw-socket.ts";

export class SegmentOutbox {
  readonly #batch = new Batch(64);
  readonly #socket: RawSocket;
  readonly #counters: UdpCounters;
  #taken = 0;

  constructor(socket: RawSocket, counters: UdpCounters) {
    this.#socket = socket;
    this.#counters = counters;
  }

  /** Lays the datagram bytes[start…end) into the batch; false, and nothing done, when the socket takes no more for now. */
  add(now: Millis, flow: SegmentFlow, bytes: Uint8Array, start: number, end: number): boolean {
    const counters = this.#counters;
    const batch = this.#batch;
    if (batch.full && !this.push()) return false;
    if (end - start > SLOT_BYTES - SEGMENT_HEAD_BYTES) {
      counters.sendErrors++;
      return true;
    }
    const at = batch.slot(batch.length) + SEGMENT_HEAD_BYTES;
    batch.bytes.set(bytes.subarray(start, end), at);
    batch.add(flow.write(now, batch.bytes, batch.view, at, at + end - start), at + end - start);
    counters.sentDatagrams++;
    counters.sentBytes += end - start;
    return true;
  }

  /** What a full socket does not take stays for the next time; true when nothing is left. */
  push(): boolean {
    const batch = this.#batch;
    if (this.#taken < batch.length) this.#taken = this.#socket.send(batch, this.#taken);
    if (this.#taken < batch.length) return false;
    batch.length = 0;
    this.#taken = 0;
    return true;
  }
}
