/** Packets on their way to a raw socket, gathered so that one call takes many. */
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { type Connection, HEADROOM_BYTES, TAIL_BYTES_MAX } from "../faketcp/connection.ts";
import type { RawSocket } from "../host/raw-socket.ts";
import type { CarrierCounters } from "./settings.ts";

/** Longest datagram that has room in a slot; the core refuses shorter ones already. */
const DATAGRAM_BYTES_MAX = SLOT_BYTES - HEADROOM_BYTES - TAIL_BYTES_MAX;

export class RawOutbox {
  /** For packets of the core itself: answers, heartbeats. */
  readonly batch = new Batch(64);
  readonly #socket: RawSocket;
  readonly #counters: CarrierCounters;
  /** Packets of the batch that are gone already. */
  #taken = 0;

  constructor(socket: RawSocket, counters: CarrierCounters) {
    this.#socket = socket;
    this.#counters = counters;
  }

  /** Lays the datagram bytes[start…end) of a conversation into the batch, as a packet of that connection. */
  add(now: Millis, connection: Connection, bytes: Uint8Array, start: number, end: number, conversation: number): void {
    if (end - start > DATAGRAM_BYTES_MAX) {
      connection.stats.tooLong++;
      return;
    }
    if (this.batch.full) this.flush();
    const { batch } = this;
    const at = batch.slot(batch.length) + HEADROOM_BYTES;
    batch.bytes.set(bytes.subarray(start, end), at);
    const packet = connection.data(now, batch.bytes, batch.view, at, at + end - start, conversation);
    if (packet < 0) return;
    batch.add(packet, connection.packetEnd);
    this.#counters.carriedOut++;
  }

  /** What a full socket does not take is lost, as on any link. */
  flush(): void {
    if (this.push()) return;
    this.#counters.droppedBusy += this.batch.length - this.#taken;
    this.#empty();
  }

  /** What a full socket does not take stays for the next time; true when nothing is left. */
  push(): boolean {
    const { batch } = this;
    if (this.#taken < batch.length) this.#taken = this.#socket.send(batch, this.#taken);
    if (this.#taken < batch.length) return false;
    this.#empty();
    return true;
  }

  #empty(): void {
    this.batch.length = 0;
    this.#taken = 0;
  }
}
