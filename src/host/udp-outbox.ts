/**
 * Sends the datagrams of a batch: sendmmsg with UDP_SEGMENT, gathered straight from the batch.
 *
 *   batch     d0 d1 d2 (peer A, 1350 1350 900) d3 (peer B) …
 *   messages  [to A, from our address that A asked, segments of 1350: iovec d0 d1 d2] [to B: iovec d3] …
 *
 * A path may refuse segments: its MTU is smaller than they are, or its device cannot sum them up. When the kernel refuses such a message,
 * its datagrams are sent again one by one, and so are all later ones to that peer.
 *
 * Source: udp(7), sendmmsg(2), ip(7), ipv6(7).
 *
 * Deviations: segments are given up by peer and not by socket, because the reason lies in the path, and one peer must not be able to
 * slow down the others.
 */
import type { Batch } from "../base/batch.ts";
import { ADDRESS_WORDS, type AddressTable, LOCAL_WORD } from "./address.ts";
import { type AddressCache, Block, writePointer } from "./block.ts";
import { EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE } from "./errno.ts";
import {
  AF_INET,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOL_UDP,
  UDP_SEGMENT,
} from "./linux-abi.ts";
import type { UdpCounters } from "./loop.ts";
import * as message from "./message.ts";
import { sockaddrFromRecord } from "./sockaddr.ts";
import type { Address, Sys } from "./sys.ts";

/** Tuning: datagrams in one message; the kernel's limit is 64 or more. */
const SEGMENTS_MAX = 48;
/** Payload of a message stays below what fits the length fields of both IP versions. */
const MESSAGE_BYTES_MAX = 65_000;
const MESSAGES_MAX = 64;
const VECTORS_MAX = 256;

const NAME_BYTES = 32;
const NAME_WORDS = NAME_BYTES >> 2;
/** UDP_SEGMENT first, PKTINFO behind it, so that either can be left out by moving an end. */
const SEGMENT_SPACE = 24;
const SEGMENT_WORDS = SEGMENT_SPACE >> 2;
const PKTINFO4_LENGTH = message.CMSG_HEADER_BYTES + 12;
const PKTINFO6_LENGTH = message.CMSG_HEADER_BYTES + 20;
const CONTROL_BYTES = 64;
const CONTROL_WORDS = CONTROL_BYTES >> 2;

/** Mark of a peer in the AddressTable: its datagrams are sent one by one. */
const UNSEGMENTED = 1;

/** What the outbox needs of a socket. */
export interface UdpSender {
  readonly fd: number;
  readonly family: number;
  readonly segments: boolean;
  readonly addresses: AddressTable;
  readonly counters: UdpCounters;
  /** The kernel refused a message for another reason than a full buffer. */
  failed(errno: number): void;
}

export class UdpOutbox {
  readonly #sys: Sys;
  readonly #addresses: AddressCache;
  readonly #headers: Block;
  readonly #vectors: Block;
  readonly #names: Block;
  readonly #controls: Block;
  /** Index in the batch of the first datagram of each message, and one past the last of all. */
  readonly #first = new Int32Array(MESSAGES_MAX + 1);
  readonly #bytes = new Int32Array(MESSAGES_MAX);

  constructor(sys: Sys, addresses: AddressCache) {
    this.#sys = sys;
    this.#addresses = addresses;
    this.#headers = new Block(sys, MESSAGES_MAX * message.MMSGHDR_WORDS * 4);
    this.#vectors = new Block(sys, VECTORS_MAX * message.IOVEC_WORDS * 4);
    this.#names = new Block(sys, MESSAGES_MAX * NAME_BYTES);
    this.#controls = new Block(sys, MESSAGES_MAX * CONTROL_BYTES);
    for (let m = 0; m < MESSAGES_MAX; m++) {
      writePointer(this.#headers.words, m * message.MMSGHDR_WORDS + message.NAME, this.#names.address + m * NAME_BYTES);
      const at = m * CONTROL_WORDS;
      const { words } = this.#controls;
      words[at + message.CMSG_LENGTH] = message.CMSG_HEADER_BYTES + 2;
      words[at + message.CMSG_LEVEL] = SOL_UDP;
      words[at + message.CMSG_TYPE] = UDP_SEGMENT;
    }
  }

  /** Sends from…batch.length−1; answers the index of the first datagram not taken because the socket's buffer is full. */
  send(socket: UdpSender, batch: Batch, from: number): number {
    const { counters } = socket;
    const base = this.#addresses.of(batch.bytes);
    let next = from;
    while (next < batch.length) {
      const messages = this.#gather(socket, batch, base, next);
      const sent = this.#sys.sendmmsg(socket.fd, this.#headers.address, messages, MSG_DONTWAIT | MSG_NOSIGNAL);
      counters.sendCalls++;
      if (sent > 0) {
        counters.sentDatagrams += this.#first[sent]! - next;
        for (let m = 0; m < sent; m++) counters.sentBytes += this.#bytes[m]!;
        next = this.#first[sent]!;
        continue;
      }
      const errno = this.#sys.errno();
      if (errno === EAGAIN) return next;
      if (errno === EINTR) continue;
      // The error belongs to the first message: had it been a later one, the call would have answered how many went before.
      const refused = this.#first[1]! - next;
      const segmentsRefused = refused > 1 && (errno === EINVAL || errno === EIO || errno === EMSGSIZE);
      if (segmentsRefused) socket.addresses.setMark(batch.peer[next]!, UNSEGMENTED);
      else {
        counters.sendErrors += refused;
        socket.failed(errno);
        next += refused;
      }
    }
    return next;
  }

  /** Lays as many datagrams from `from` on as fit into messages; answers how many messages there are. */
  #gather(socket: UdpSender, batch: Batch, base: Address, from: number): number {
    const { start, end, peer, length } = batch;
    let next = from;
    let vectors = 0;
    let m = 0;
    while (next < length && m < MESSAGES_MAX && vectors < VECTORS_MAX) {
      const id = peer[next]!;
      const size = end[next]! - start[next]!;
      const firstVector = vectors;
      this.#first[m] = next;
      this.#addVector(vectors++, base + start[next]!, size);
      next++;
      let bytes = size;
      if (socket.segments && size > 0 && socket.addresses.mark(id) !== UNSEGMENTED) {
        const last = Math.min(length, this.#first[m]! + SEGMENTS_MAX, next + VECTORS_MAX - vectors);
        for (let shorter = false; next < last && !shorter && peer[next] === id; next++) {
          const n = end[next]! - start[next]!;
          if (n > size || n === 0 || bytes + n > MESSAGE_BYTES_MAX) break;
          this.#addVector(vectors++, base + start[next]!, n);
          bytes += n;
          shorter = n < size;
        }
      }
      this.#bytes[m] = bytes;
      this.#fill(socket, m, id, firstVector, vectors - firstVector, size);
      m++;
    }
    this.#first[m] = next;
    return m;
  }

  #addVector(index: number, address: Address, length: number): void {
    const at = index * message.IOVEC_WORDS;
    const { words } = this.#vectors;
    writePointer(words, at, address);
    words[at + message.IOVEC_LENGTH] = length;
  }

  #fill(socket: UdpSender, m: number, id: number, firstVector: number, vectors: number, size: number): void {
    const { words } = this.#headers;
    const at = m * message.MMSGHDR_WORDS;
    const records = socket.addresses.words;
    words[at + message.NAME_LENGTH] = sockaddrFromRecord(this.#names.words, m * NAME_WORDS, socket.family, records, id);
    writePointer(words, at + message.IOV, this.#vectors.address + firstVector * message.IOVEC_WORDS * 4);
    words[at + message.IOV_LENGTH] = vectors;
    let control = this.#controls.address + m * CONTROL_BYTES;
    let length = this.#fillLocal(m * CONTROL_WORDS + SEGMENT_WORDS, socket.family, records, id * ADDRESS_WORDS + LOCAL_WORD);
    if (vectors > 1) {
      this.#controls.words[m * CONTROL_WORDS + message.CMSG_DATA] = size;
      length += SEGMENT_SPACE;
    } else control += SEGMENT_SPACE;
    writePointer(words, at + message.CONTROL, length === 0 ? 0 : control);
    words[at + message.CONTROL_LENGTH] = length;
  }

  /** The control message that makes the datagram leave from the address the peer asked; answers its bytes, 0 when that is unknown. */
  #fillLocal(at: number, family: number, records: Uint32Array, local: number): number {
    const { words } = this.#controls;
    if (records[local + 3] === 0 && records[local] === 0 && records[local + 1] === 0 && records[local + 2] === 0) return 0;
    const data = at + message.CMSG_DATA;
    if (family === AF_INET) {
      words[at + message.CMSG_LENGTH] = PKTINFO4_LENGTH;
      words[at + message.CMSG_LEVEL] = IPPROTO_IP;
      words[at + message.CMSG_TYPE] = IP_PKTINFO;
      words[data] = 0;
      words[data + 1] = records[local + 3]!;
      words[data + 2] = 0;
      return message.cmsgSpaceWords(PKTINFO4_LENGTH) << 2;
    }
    words[at + message.CMSG_LENGTH] = PKTINFO6_LENGTH;
    words[at + message.CMSG_LEVEL] = IPPROTO_IPV6;
    words[at + message.CMSG_TYPE] = IPV6_PKTINFO;
    for (let i = 0; i < 4; i++) words[data + i] = records[local + i]!;
    words[data + 4] = 0;
    return message.cmsgSpaceWords(PKTINFO6_LENGTH) << 2;
  }
}
