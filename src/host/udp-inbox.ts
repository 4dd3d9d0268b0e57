/**
 * Receives datagrams of any socket into one slab: recvmmsg with UDP_GRO, split without a copy.
 *
 *   slab     │ message 0, ≤ 64 KB: d0 d1 d2 … of one peer │ message 1: d │ … │          as the kernel wrote them
 *   control  │ GRO: bytes of each datagram · PKTINFO: the address of ours that was asked
 *   batch    start/end/peer of d0 d1 d2 … d …                                           what the handler is given
 *
 * A loop has one inbox for all its sockets, because the batch is borrowed only while the handler runs. Fewer messages are asked for
 * while they come full (the slab stays in the cache), more while they are small.
 *
 * Source: udp(7), ip(7), ipv6(7), recvmmsg(2).
 */
import { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { giveRegion, takeRegion } from "../kernel/kernels.ts";
import { type AddressTable, LOCAL_WORD } from "./address.ts";
import { type AddressCache, Block, writePointer } from "./block.ts";
import { EAGAIN, EINTR } from "./errno.ts";
import { IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO, MSG_DONTWAIT, MSG_TRUNC, SOL_UDP, UDP_GRO } from "./linux-abi.ts";
import type { UdpCounters, UdpHandler } from "./loop.ts";
import * as message from "./message.ts";
import { keyFromSockaddr } from "./sockaddr.ts";
import type { Sys } from "./sys.ts";

/** Tuning: messages asked for when they come full of datagrams, and when they come small. */
const MESSAGES_FULL = 8;
const MESSAGES_SMALL = 64;
/** Tuning: a call whose messages are smaller than this on average could have taken more of them. */
const SMALL_MESSAGE_BYTES = 8192;
/** Tuning: datagrams handed over at once. */
const BATCH_DATAGRAMS = 1024;

/** No UDP message is longer, however many datagrams are in it. */
const MESSAGE_BYTES = 65_536;
const NAME_BYTES = 32;
const CONTROL_BYTES = 128;
const NAME_WORDS = NAME_BYTES >> 2;
const CONTROL_WORDS = CONTROL_BYTES >> 2;
const MAPPED_WORD = 0xffff0000;

/** What the inbox needs of a socket. */
export interface UdpReceiver {
  readonly fd: number;
  readonly open: boolean;
  readonly addresses: AddressTable;
  readonly counters: UdpCounters;
  readonly handler: UdpHandler;
  /** What an ICMP message said of a datagram sent earlier. */
  failed(errno: number): void;
}

export class UdpInbox {
  readonly #sys: Sys;
  readonly #batch: Batch;
  readonly #headers: Block;
  readonly #vectors: Block;
  readonly #names: Block;
  readonly #controls: Block;
  /** Received since the beginning, of all sockets; what the kernel has joined is one. */
  messages = 0;
  #asked = MESSAGES_FULL;
  /** Bytes of each datagram of the message at hand, 0 when it is a single one. */
  #segmentBytes = 0;

  constructor(sys: Sys, addresses: AddressCache) {
    this.#sys = sys;
    const slab = takeRegion(MESSAGES_SMALL * MESSAGE_BYTES);
    const slabAddress = addresses.of(slab.bytes) + slab.at;
    this.#batch = new Batch(BATCH_DATAGRAMS, slab);
    this.#headers = new Block(sys, MESSAGES_SMALL * message.MMSGHDR_WORDS * 4);
    this.#vectors = new Block(sys, MESSAGES_SMALL * message.IOVEC_WORDS * 4);
    this.#names = new Block(sys, MESSAGES_SMALL * NAME_BYTES);
    this.#controls = new Block(sys, MESSAGES_SMALL * CONTROL_BYTES);
    for (let m = 0; m < MESSAGES_SMALL; m++) {
      const at = m * message.MMSGHDR_WORDS;
      const vector = m * message.IOVEC_WORDS;
      writePointer(this.#vectors.words, vector, slabAddress + m * MESSAGE_BYTES);
      this.#vectors.words[vector + message.IOVEC_LENGTH] = MESSAGE_BYTES;
      const { words } = this.#headers;
      writePointer(words, at + message.NAME, this.#names.address + m * NAME_BYTES);
      writePointer(words, at + message.IOV, this.#vectors.address + vector * 4);
      words[at + message.IOV_LENGTH] = 1;
      writePointer(words, at + message.CONTROL, this.#controls.address + m * CONTROL_BYTES);
      this.#rearm(at);
    }
  }

  /** Gives the slab back; nothing may be received any more. */
  close(): void {
    giveRegion(this.#batch.slab);
  }

  /** One call of recvmmsg and what it brought to the handler. False when nothing more waits for the time being. */
  receive(socket: UdpReceiver, now: Millis): boolean {
    const asked = this.#asked;
    const count = this.#sys.recvmmsg(socket.fd, this.#headers.address, asked, MSG_DONTWAIT, 0);
    socket.counters.receiveCalls++;
    if (count <= 0) {
      const errno = count < 0 ? this.#sys.errno() : EAGAIN;
      // Any other error is what an ICMP message said of a datagram sent earlier: that one is gone, nothing was received.
      if (errno !== EAGAIN && errno !== EINTR) {
        socket.counters.sendErrors++;
        socket.failed(errno);
      }
      return false;
    }
    this.messages += count;
    socket.addresses.turn();
    const batch = this.#batch;
    batch.length = 0;
    let bytes = 0;
    for (let m = 0; m < count; m++) {
      bytes += this.#split(socket, m, now);
      this.#rearm(m * message.MMSGHDR_WORDS);
    }
    this.#hand(socket, now);
    this.#asked = count === asked && bytes < count * SMALL_MESSAGE_BYTES ? MESSAGES_SMALL : MESSAGES_FULL;
    return count === asked && socket.open;
  }

  /** Lays the datagrams of message `m` into the batch; answers its bytes. */
  #split(socket: UdpReceiver, m: number, now: Millis): number {
    const { words } = this.#headers;
    const at = m * message.MMSGHDR_WORDS;
    const length = words[at + message.MESSAGE_LENGTH]!;
    const { addresses, counters } = socket;
    keyFromSockaddr(this.#names.words, m * NAME_WORDS, addresses.key);
    this.#readControl(m * CONTROL_WORDS, words[at + message.CONTROL_LENGTH]!, addresses.key);
    const segment = this.#segmentBytes > 0 ? this.#segmentBytes : length;
    const datagrams = length === 0 ? 1 : Math.ceil(length / segment);
    const peer = (words[at + message.FLAGS]! & MSG_TRUNC) !== 0 ? -1 : addresses.internKey();
    if (peer < 0) {
      counters.receiveDropped += datagrams;
      return length;
    }
    counters.receivedDatagrams += datagrams;
    counters.receivedBytes += length;
    const batch = this.#batch;
    let start = batch.slab.at + m * MESSAGE_BYTES;
    const end = start + length;
    for (let left = datagrams; left > 0; left--) {
      if (batch.length === BATCH_DATAGRAMS) this.#hand(socket, now);
      const i = batch.length++;
      batch.start[i] = start;
      start = Math.min(start + segment, end);
      batch.end[i] = start;
      batch.peer[i] = peer;
    }
    return length;
  }

  #hand(socket: UdpReceiver, now: Millis): void {
    const batch = this.#batch;
    // The handler may have closed the socket with an earlier part of what one call brought.
    if (batch.length > 0 && socket.open) socket.handler.receive(now, batch);
    batch.length = 0;
  }

  #readControl(start: number, lengthBytes: number, key: Uint32Array): void {
    const { words } = this.#controls;
    this.#segmentBytes = 0;
    key.fill(0, LOCAL_WORD);
    const end = start + (lengthBytes >> 2);
    for (let at = start; at + message.CMSG_DATA < end; ) {
      const length = words[at + message.CMSG_LENGTH]!;
      if (length < message.CMSG_HEADER_BYTES) return;
      const level = words[at + message.CMSG_LEVEL]!;
      const type = words[at + message.CMSG_TYPE]!;
      const data = at + message.CMSG_DATA;
      if (level === SOL_UDP && type === UDP_GRO) this.#segmentBytes = words[data]!;
      else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
        // A group or a broadcast address was asked; no answer can leave from it, so the route chooses.
        if ((words[data]! & 0xff) === 0xff || (words[data]! === 0 && (words[data + 3]! & 0xff) >= 224)) return;
        for (let i = 0; i < 4; i++) key[LOCAL_WORD + i] = words[data + i]!;
      } else if (level === IPPROTO_IP && type === IP_PKTINFO) {
        key[LOCAL_WORD + 2] = MAPPED_WORD;
        key[LOCAL_WORD + 3] = words[data + 1]!;
      }
      at += message.cmsgSpaceWords(length);
    }
  }

  /** The kernel overwrote these with what it delivered. */
  #rearm(at: number): void {
    const { words } = this.#headers;
    words[at + message.NAME_LENGTH] = NAME_BYTES;
    words[at + message.CONTROL_LENGTH] = CONTROL_BYTES;
    words[at + message.FLAGS] = 0;
  }
}
