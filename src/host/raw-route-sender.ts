/** Sends whole IP packets by the routing table: AF_INET or AF_INET6, SOCK_RAW, IPPROTO_RAW. They go where their headers say. Source: raw(7). */
import type { Batch } from "../base/batch.ts";
import { Block, writePointer } from "./block.ts";
import { EAGAIN, EINTR } from "./errno.ts";
import { AF_INET, AF_INET6, MSG_DONTWAIT } from "./linux-abi.ts";
import * as message from "./message.ts";
import type { RawCounters } from "./raw-socket.ts";
import type { Reactor } from "./reactor.ts";

const MESSAGES = 64;
const NAME_BYTES = 32;
const IPV4_DESTINATION = 16;
const IPV6_DESTINATION = 24;

export class RawRouteSender {
  readonly fd: number;
  readonly #reactor: Reactor;
  readonly #version: 4 | 6;
  readonly #headers: Block;
  readonly #vectors: Block;
  readonly #names: Block;

  /** `fd`: the caller's to close. */
  constructor(reactor: Reactor, version: 4 | 6, fd: number) {
    const { sys } = reactor;
    this.fd = fd;
    this.#reactor = reactor;
    this.#version = version;
    this.#headers = new Block(sys, MESSAGES * message.MMSGHDR_WORDS * 4);
    this.#vectors = new Block(sys, MESSAGES * message.IOVEC_WORDS * 4);
    this.#names = new Block(sys, MESSAGES * NAME_BYTES);
    const { words } = this.#headers;
    for (let i = 0; i < MESSAGES; i++) {
      const at = i * message.MMSGHDR_WORDS;
      writePointer(words, at + message.IOV, this.#vectors.address + i * message.IOVEC_WORDS * 4);
      words[at + message.IOV_LENGTH] = 1;
      writePointer(words, at + message.NAME, this.#names.address + i * NAME_BYTES);
      words[at + message.NAME_LENGTH] = version === 4 ? 16 : 28;
      this.#names.view.setUint16(i * NAME_BYTES, version === 4 ? AF_INET : AF_INET6, true);
    }
  }

  /** Sends from…until−1; answers the first not taken because the buffer is full. Others that the kernel refuses are counted and gone. */
  send(batch: Batch, from: number, until: number, counters: RawCounters): number {
    const { sys } = this.#reactor;
    const base = this.#reactor.buffers.of(batch.bytes);
    let next = from;
    while (next < until) {
      const count = Math.min(until - next, MESSAGES);
      for (let i = 0; i < count; i++) this.#point(i, batch.bytes, base, batch.start[next + i]!, batch.end[next + i]!);
      counters.sendCalls++;
      const sent = sys.sendmmsg(this.fd, this.#headers.address, count, MSG_DONTWAIT);
      if (sent > 0) {
        counters.sentPackets += sent;
        next += sent;
        continue;
      }
      const errno = sys.errno();
      if (errno === EAGAIN) return next;
      if (errno === EINTR) continue;
      counters.sendErrors++;
      next++;
    }
    return next;
  }

  #point(i: number, bytes: Uint8Array, base: number, start: number, end: number): void {
    const at = i * message.IOVEC_WORDS;
    writePointer(this.#vectors.words, at, base + start);
    this.#vectors.words[at + message.IOVEC_LENGTH] = end - start;
    const names = this.#names.bytes;
    const four = this.#version === 4;
    const to = i * NAME_BYTES + (four ? 4 : 8);
    const address = start + (four ? IPV4_DESTINATION : IPV6_DESTINATION);
    for (let k = four ? 4 : 16; k-- > 0; ) names[to + k] = bytes[address + k]!;
  }
}
