/**
 * Sends whole IP packets to a place on a link, past routing and the firewall's output rules: AF_PACKET, SOCK_RAW. TCP segments that follow each other leave as
 * one packet that the interface splits (TSO), where the receiver can take them apart again when they were merged on the way.
 *
 *   message   virtio_net_hdr(10) link header(14) │ first packet, its lengths and checksum those of the whole │ payload of the second │ …
 *
 * Source: packet(7), PACKET_VNET_HDR; virtio_net.h; the kernel's Documentation/networking/segmentation-offloads.rst.
 */
import type { Batch } from "../base/batch.ts";
import { addInternet, foldInternet } from "../faketcp/checksum.ts";
import { Block, writePointer } from "./block.ts";
import { EAGAIN, EINTR } from "./errno.ts";
import { LINK_BYTES_MAX, type LinkTable } from "./link-table.ts";
import { AF_PACKET, ETH_P_IP, ETH_P_IPV6, MSG_DONTWAIT } from "./linux-abi.ts";
import * as message from "./message.ts";
import { VNET_BYTES } from "./raw-inbox.ts";
import type { RawCounters } from "./raw-socket.ts";
import type { Reactor } from "./reactor.ts";

/** In batch.peer: packets to this place may leave as one. The rest is the place's number. */
export const MERGE = 0x40000000;

const MESSAGES = 64;
const VECTORS = 192;
/** Tuning: packets that leave as one; together they stay below what an IP packet may be. */
const SEGMENTS_MAX = 44;
const MERGED_BYTES_MAX = 65_000;
const NAME_BYTES = 32;
const HEAD_BYTES = 32;
const TCP_PROTOCOL = 6;
const TCP_CHECKSUM = 16;
const NEEDS_CHECKSUM = 1;
const GSO_TCP4 = 1;
const GSO_TCP6 = 4;

export class RawLinkSender {
  readonly fd: number;
  readonly #reactor: Reactor;
  readonly #places: LinkTable;
  readonly #version: 4 | 6;
  readonly #ipBytes: number;
  readonly #headers: Block;
  readonly #vectors: Block;
  readonly #names: Block;
  readonly #heads: Block;
  /** Index in the batch of the first packet of each message, and one past the last of all. */
  readonly #first = new Int32Array(MESSAGES + 1);
  #merges = true;

  /** `fd`: the caller's to close. */
  constructor(reactor: Reactor, version: 4 | 6, fd: number, places: LinkTable) {
    const { sys } = reactor;
    this.fd = fd;
    this.#reactor = reactor;
    this.#places = places;
    this.#version = version;
    this.#ipBytes = version === 4 ? 20 : 40;
    this.#headers = new Block(sys, MESSAGES * message.MMSGHDR_WORDS * 4);
    this.#vectors = new Block(sys, VECTORS * message.IOVEC_WORDS * 4);
    this.#names = new Block(sys, MESSAGES * NAME_BYTES);
    this.#heads = new Block(sys, MESSAGES * HEAD_BYTES);
    for (let m = 0; m < MESSAGES; m++) {
      writePointer(this.#headers.words, m * message.MMSGHDR_WORDS + message.NAME, this.#names.address + m * NAME_BYTES);
      // sockaddr_ll, of 20 bytes
      this.#headers.words[m * message.MMSGHDR_WORDS + message.NAME_LENGTH] = 20;
      this.#names.view.setUint16(m * NAME_BYTES, AF_PACKET, true);
      this.#names.view.setUint16(m * NAME_BYTES + 2, version === 4 ? ETH_P_IP : ETH_P_IPV6);
    }
  }

  /** As RawRouteSender's. The headers of packets that leave as one are changed. */
  send(batch: Batch, from: number, until: number, counters: RawCounters): number {
    const { sys } = this.#reactor;
    let next = from;
    while (next < until) {
      const messages = this.#gather(batch, next, until);
      counters.sendCalls++;
      const sent = sys.sendmmsg(this.fd, this.#headers.address, messages, MSG_DONTWAIT);
      if (sent > 0) {
        counters.sentPackets += this.#first[sent]! - next;
        counters.sentByLink += this.#first[sent]! - next;
        counters.sentMerged += this.#first[sent]! - next - sent;
        next = this.#first[sent]!;
        continue;
      }
      const errno = sys.errno();
      if (errno === EAGAIN) return next;
      if (errno === EINTR) continue;
      // What could not leave as one is lost, as on any link; later ones go by themselves.
      const refused = this.#first[1]! - next;
      if (refused > 1) this.#merges = false;
      counters.sendErrors += refused;
      next += refused;
    }
    return next;
  }

  /** Lays packets from `from` on into messages; answers how many there are. */
  #gather(batch: Batch, from: number, until: number): number {
    const { start, end, peer, bytes, view } = batch;
    const base = this.#reactor.buffers.of(bytes);
    let next = from;
    let vectors = 0;
    let m = 0;
    // A message takes two vectors at least.
    while (next < until && m < MESSAGES && vectors + 1 < VECTORS) {
      const first = next++;
      const firstVector = vectors;
      const place = this.#places.place(peer[first]! & ~MERGE);
      this.#first[m] = first;
      this.#vector(vectors++, this.#heads.address + m * HEAD_BYTES, VNET_BYTES + place.header.length);
      this.#vector(vectors++, base + start[first]!, end[first]! - start[first]!);
      const headBytes = this.#headBytes(bytes, start[first]!, end[first]!);
      const payload = end[first]! - start[first]! - headBytes;
      if (this.#merges && (peer[first]! & MERGE) !== 0 && headBytes > 0 && payload > 0) {
        let total = payload;
        let seq = view.getUint32(start[first]! + this.#ipBytes + 4);
        const last = Math.min(until, first + SEGMENTS_MAX, next + VECTORS - vectors);
        for (let shorter = false; next < last && !shorter && peer[next] === peer[first]; next++) {
          const n = end[next]! - start[next]! - headBytes;
          seq = (seq + payload) >>> 0;
          if (n > payload || n <= 0 || total + n > MERGED_BYTES_MAX || !this.#follows(view, start[first]!, start[next]!, seq)) break;
          this.#vector(vectors++, base + start[next]! + headBytes, n);
          total += n;
          shorter = n < payload;
        }
        if (next - first > 1) this.#unite(bytes, view, start[first]!, headBytes + total);
      }
      this.#describe(m, place, firstVector, vectors - firstVector, next - first > 1 ? payload : 0, headBytes);
      m++;
    }
    this.#first[m] = next;
    return m;
  }

  /** Bytes of the IP and TCP headers; 0 for what is no TCP. */
  #headBytes(bytes: Uint8Array, start: number, end: number): number {
    const tcp = start + this.#ipBytes;
    if (bytes[start + (this.#version === 4 ? 9 : 6)] !== TCP_PROTOCOL || end - start < this.#ipBytes + 20) return 0;
    return this.#ipBytes + (bytes[tcp + 12]! >> 4) * 4;
  }

  /** Whether the headers of two packets say the same but for length, id, checksums and sequence number, which is to be `seq`. */
  #follows(view: DataView, first: number, next: number, seq: number): boolean {
    const v4 = this.#version === 4;
    if (v4 ? view.getUint16(first + 8) !== view.getUint16(next + 8) : view.getInt32(first) !== view.getInt32(next)) return false;
    for (let at = v4 ? 12 : 8; at < this.#ipBytes; at += 4) if (view.getInt32(first + at) !== view.getInt32(next + at)) return false;
    const [a, b] = [first + this.#ipBytes, next + this.#ipBytes];
    if (view.getInt32(a) !== view.getInt32(b) || view.getUint32(b + 4) !== seq) return false;
    if (view.getInt32(a + 8) !== view.getInt32(b + 8) || view.getInt32(a + 12) !== view.getInt32(b + 12)) return false;
    const options = (view.getUint8(a + 12) >> 4) * 4;
    for (let at = 20; at < options; at += 4) if (view.getInt32(a + at) !== view.getInt32(b + at)) return false;
    return true;
  }

  /** Makes the first packet's headers those of `length` bytes. The checksum of TCP is finished by the kernel or the interface. */
  #unite(bytes: Uint8Array, view: DataView, start: number, length: number): void {
    const tcp = start + this.#ipBytes;
    const tcpBytes = length - this.#ipBytes;
    const [addresses, addressesEnd] = this.#version === 4 ? [start + 12, start + 20] : [start + 8, start + 40];
    if (this.#version === 4) {
      view.setUint16(start + 2, length);
      view.setUint16(start + 10, 0);
      view.setUint16(start + 10, foldInternet(addInternet(bytes, start, tcp)));
    } else view.setUint16(start + 4, tcpBytes);
    const pseudo = foldInternet(addInternet(bytes, addresses, addressesEnd, TCP_PROTOCOL + tcpBytes));
    view.setUint16(tcp + TCP_CHECKSUM, pseudo ^ 0xffff);
  }

  #describe(
    m: number,
    place: { interfaceIndex: number; header: Uint8Array },
    firstVector: number,
    vectors: number,
    segment: number,
    headBytes: number,
  ): void {
    const { words } = this.#headers;
    const at = m * message.MMSGHDR_WORDS;
    writePointer(words, at + message.IOV, this.#vectors.address + firstVector * message.IOVEC_WORDS * 4);
    words[at + message.IOV_LENGTH] = vectors;
    this.#names.view.setInt32(m * NAME_BYTES + 4, place.interfaceIndex, true);
    const head = m * HEAD_BYTES;
    const { bytes, view } = this.#heads;
    const link = place.header.length;
    bytes.fill(0, head, head + VNET_BYTES);
    if (segment > 0) {
      bytes[head] = NEEDS_CHECKSUM;
      bytes[head + 1] = this.#version === 4 ? GSO_TCP4 : GSO_TCP6;
      view.setUint16(head + 2, link + headBytes, true);
      view.setUint16(head + 4, segment, true);
      view.setUint16(head + 6, link + this.#ipBytes, true);
      view.setUint16(head + 8, TCP_CHECKSUM, true);
    }
    for (let i = 0; i < link && i < LINK_BYTES_MAX; i++) bytes[head + VNET_BYTES + i] = place.header[i]!;
  }

  #vector(index: number, address: number, length: number): void {
    const at = index * message.IOVEC_WORDS;
    writePointer(this.#vectors.words, at, address);
    this.#vectors.words[at + message.IOVEC_LENGTH] = length;
  }
}
