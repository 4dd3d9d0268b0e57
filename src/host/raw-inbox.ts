/**
 * Receives whole packets from AF_PACKET sockets of a loop into one slab, packets that the kernel (GRO) has merged included: it tells how long each was.
 *
 *   message   virtio_net_hdr(10): was it merged, and of packets of how many bytes │ link header │ IP packet, up to 64 KB
 *   name      sockaddr_ll: interface, type of the link
 *
 * A loop has one for all of them, since the batch is borrowed only while the handler runs.
 *
 * Source: packet(7), PACKET_VNET_HDR; virtio_net.h.
 */
import { Batch } from "../base/batch.ts";
import { takeRegion } from "../kernel/kernels.ts";
import { Block, writePointer } from "./block.ts";
import { LINK_BYTES_MAX, linkBytes } from "./link-table.ts";
import { MSG_DONTWAIT, MSG_TRUNC } from "./linux-abi.ts";
import * as message from "./message.ts";
import type { Reactor } from "./reactor.ts";

export const VNET_BYTES = 10;
/** Offsets in it. */
const GSO_TYPE = 1;
const GSO_SIZE = 4;
export const PACKETS = 64;
const PACKET_BYTES = 65_536 + LINK_BYTES_MAX;
const AUX_BYTES = 16;
const NAME_BYTES = 32;
/** sockaddr_ll */
const INTERFACE = 4;
const LINK_TYPE = 8;

export interface RawInboxCounters {
  receiveCalls: number;
  /** Packets in which the kernel had merged several. */
  receiveMerged: number;
  /** Longer than any packet may be. */
  receiveCut: number;
}

export class RawInbox {
  /** IP packets; peer[i] is message i's number. */
  readonly batch: Batch;
  /** Of packet i of the batch: payload bytes of each of the packets that were merged into this one, 0: it is one. */
  readonly segmentBytes = new Int32Array(PACKETS);
  readonly #reactor: Reactor;
  /** Headers, and behind them two vectors for each. */
  readonly #headers: Block;
  readonly #names: Block;
  readonly #aux: Block;

  private constructor(reactor: Reactor) {
    const { sys } = reactor;
    this.#reactor = reactor;
    const slab = takeRegion(PACKETS * PACKET_BYTES);
    this.batch = new Batch(PACKETS, slab);
    const address = reactor.buffers.of(slab.bytes) + slab.at;
    this.#headers = new Block(sys, PACKETS * (message.MMSGHDR_WORDS + 2 * message.IOVEC_WORDS) * 4);
    this.#names = new Block(sys, PACKETS * NAME_BYTES);
    this.#aux = new Block(sys, PACKETS * AUX_BYTES);
    const { words } = this.#headers;
    for (let i = 0; i < PACKETS; i++) {
      const at = i * message.MMSGHDR_WORDS;
      const vector = PACKETS * message.MMSGHDR_WORDS + i * 2 * message.IOVEC_WORDS;
      writePointer(words, at + message.NAME, this.#names.address + i * NAME_BYTES);
      writePointer(words, at + message.IOV, this.#headers.address + vector * 4);
      words[at + message.IOV_LENGTH] = 2;
      writePointer(words, vector, this.#aux.address + i * AUX_BYTES);
      words[vector + message.IOVEC_LENGTH] = VNET_BYTES;
      writePointer(words, vector + message.IOVEC_WORDS, address + i * PACKET_BYTES);
      words[vector + message.IOVEC_WORDS + message.IOVEC_LENGTH] = PACKET_BYTES;
    }
  }

  static of(reactor: Reactor): RawInbox {
    let inbox = inboxes.get(reactor);
    if (inbox === undefined) {
      inbox = new RawInbox(reactor);
      inboxes.set(reactor, inbox);
    }
    return inbox;
  }

  /** One call: lays what came into the batch; answers the messages it brought, fewer than 1: none. */
  receive(fd: number, counters: RawInboxCounters): number {
    const { batch } = this;
    const { words } = this.#headers;
    for (let i = 0; i < PACKETS; i++) {
      words[i * message.MMSGHDR_WORDS + message.NAME_LENGTH] = NAME_BYTES;
      words[i * message.MMSGHDR_WORDS + message.FLAGS] = 0;
    }
    counters.receiveCalls++;
    const count = this.#reactor.sys.recvmmsg(fd, this.#headers.address, PACKETS, MSG_DONTWAIT | MSG_TRUNC, 0);
    batch.length = 0;
    for (let i = 0; i < count; i++) {
      const length = words[i * message.MMSGHDR_WORDS + message.MESSAGE_LENGTH]! - VNET_BYTES;
      if (length > PACKET_BYTES) {
        counters.receiveCut++;
        continue;
      }
      const aux = i * AUX_BYTES;
      const merged = this.#aux.bytes[aux + GSO_TYPE] !== 0;
      if (merged) counters.receiveMerged++;
      this.segmentBytes[batch.length] = merged ? this.#aux.view.getUint16(aux + GSO_SIZE, true) : 0;
      const start = batch.slab.at + i * PACKET_BYTES;
      const skipped = linkBytes(this.#names.view.getUint16(i * NAME_BYTES + LINK_TYPE, true));
      if (length > skipped) batch.add(start + skipped, start + length, i);
    }
    return count;
  }

  /** Of message i: the interface it came by, and how many bytes of its link stand before the IP packet. */
  interfaceOf(i: number): number {
    return this.#names.view.getInt32(i * NAME_BYTES + INTERFACE, true);
  }
  linkBytesOf(i: number): number {
    return linkBytes(this.#names.view.getUint16(i * NAME_BYTES + LINK_TYPE, true));
  }
}

const inboxes = new WeakMap<Reactor, RawInbox>();
