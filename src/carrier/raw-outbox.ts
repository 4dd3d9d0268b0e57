/** Packets on their way to a raw socket, gathered so that one call seals and one sends many. */
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { type Connection, HEADROOM_BYTES, TAIL_BYTES_MAX } from "../faketcp/connection.ts";
import type { Seal } from "../faketcp/seal.ts";
import { MERGE, type RawSocket } from "../host/raw-socket.ts";
import { copyInside, takeRegion } from "../kernel/kernels.ts";
import type { CarrierCounters } from "./settings.ts";

/** Longest datagram that has room in a slot; the core refuses shorter ones already. */
const DATAGRAM_BYTES_MAX = SLOT_BYTES - HEADROOM_BYTES - TAIL_BYTES_MAX;
/** Tuning: datagrams sealed at once. */
const DATAGRAMS = 64;
const CORE_PACKETS = 64;

export class RawOutbox {
  /** For packets of the core itself: answers, heartbeats. */
  readonly batch = new Batch(CORE_PACKETS);
  /** Datagrams: plain packets, and once they are sealed whole ones. */
  readonly #data = new Batch(DATAGRAMS, takeRegion(DATAGRAMS * SLOT_BYTES));
  readonly #connections: Connection[] = [];
  readonly #seal: Seal;
  readonly #socket: RawSocket;
  readonly #counters: CarrierCounters;
  #sealed = false;
  /** Sealed packets that are gone already. */
  #taken = 0;

  readonly #drops: (() => boolean) | undefined;

  /** `seal`: of all connections whose datagrams are added. `drops`: asked of every packet whether it shall not be sent. */
  constructor(seal: Seal, socket: RawSocket, counters: CarrierCounters, drops?: () => boolean) {
    this.#drops = drops;
    this.#seal = seal;
    this.#socket = socket;
    this.#counters = counters;
  }

  /** There is no room for a datagram before `push` has answered true. */
  get full(): boolean {
    return this.#sealed || this.#data.full;
  }

  /**
   * Lays the datagram bytes[start…end) of a conversation into the batch, as a packet of that connection; it goes out with the next `push`. Where that is
   * needed to make room and the socket is full, what waits is lost, as on any link.
   */
  add(now: Millis, connection: Connection, bytes: Uint8Array, start: number, end: number, conversation: number): void {
    if (end - start > DATAGRAM_BYTES_MAX) {
      connection.stats.tooLong++;
      return;
    }
    if (this.full && !this.push(now)) {
      this.#counters.droppedBusy += this.#data.length - this.#taken;
      this.#empty();
    }
    const data = this.#data;
    const at = data.slot(data.length) + HEADROOM_BYTES;
    if (!copyInside(bytes, start, end, data.bytes, at)) data.bytes.set(bytes.subarray(start, end), at);
    this.#connections[data.length] = connection;
    this.#counters.bytesOut += end - start;
    data.add(connection.lay(data.bytes, data.view, at, at + end - start, conversation), at + end - start);
  }

  /** Sends the datagrams. What a full socket does not take stays for the next time; true when nothing is left. */
  push(now: Millis): boolean {
    const data = this.#data;
    if (data.length === 0) return true;
    if (!this.#sealed) this.#close(now);
    if (this.#taken < data.length) this.#taken = this.#socket.send(data, this.#taken);
    if (this.#taken < data.length) return false;
    this.#empty();
    return true;
  }

  /** Sends what the core has laid into `batch`, or loses it. */
  pushCore(): void {
    const { batch } = this;
    if (this.#drops !== undefined) this.#dropSome(batch);
    if (batch.length > 0) this.#counters.droppedBusy += batch.length - this.#socket.send(batch, 0);
    batch.length = 0;
  }

  /** Seals the datagrams and closes their envelopes. */
  #close(now: Millis): void {
    const data = this.#data;
    const { bytes, view, start, end, peer } = data;
    this.#seal.sealAll(data);
    let packets = 0;
    for (let i = 0; i < data.length; i++) {
      const connection = this.#connections[i]!;
      const packet = connection.wrap(now, bytes, view, start[i]!, end[i]!);
      if (packet < 0) continue;
      peer[packets] = connection.place | (connection.peerSplits ? MERGE : 0);
      start[packets] = packet;
      end[packets++] = connection.packetEnd;
    }
    data.length = packets;
    this.#counters.carriedOut += packets;
    if (this.#drops !== undefined) this.#dropSome(data);
    this.#sealed = true;
  }

  #dropSome(batch: Batch): void {
    const { start, end, peer, length } = batch;
    batch.length = 0;
    for (let i = 0; i < length; i++) {
      if (this.#drops!()) this.#counters.droppedOnPurpose++;
      else batch.add(start[i]!, end[i]!, peer[i]);
    }
  }

  #empty(): void {
    this.#data.length = 0;
    this.#taken = 0;
    this.#sealed = false;
  }
}
