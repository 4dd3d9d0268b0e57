/**
 * Netlink of the kernel's packet filter: messages of attributes, asked and answered through one socket.
 *
 *   nlmsghdr    length u32 · type u16 (subsystem << 8 | what) · flags u16 · sequence u32 · port u32         in the machine's byte order
 *   nfgenmsg    family u8 · version u8 · resource u16be
 *   attribute   length u16 · type u16 (0x8000: nested) · value, filled up to 4 bytes                        numbers in network order
 *
 * Source: netlink(7); linux/netlink.h, linux/netfilter/nfnetlink.h.
 */
import { HostError } from "../base/errors.ts";
import { Block } from "./block.ts";
import { EAGAIN, EINTR, ENOBUFS, EPERM, errnoName } from "./errno.ts";
import { MSG_DONTWAIT, SO_SNDBUFFORCE, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_RAW, SOL_SOCKET } from "./linux-abi.ts";
import { setBufferBytes, setOption } from "./socket-option.ts";
import { hostError, loadSys, type Poll, type Sys } from "./sys.ts";

const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const SOCKADDR_NL_BYTES = 12;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
/** What was listed changed while it was. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_HEADER = 16;
export const NFGEN_BYTES = 4;
/** In the answer to a message that failed: an error number, and the head of that message. */
const ERROR_SEQUENCE = 12;
const DATAGRAM_EXTRA_BYTES = 4096;
/** The kernel's dumps come in pieces of up to 32 KiB. */
const RECEIVE_BYTES = 65_536;
const SEND_BYTES = 65_536;

/** One message that was received: bytes[at…end) behind nlmsghdr; borrowed until the next receive. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly view: DataView;
  readonly at: number;
  readonly end: number;
}

export class NetlinkSocket {
  readonly #sys: Sys;
  readonly #fd: number;
  readonly #in: Block;
  readonly #out: Block;
  #length = 0;
  #sequence = 0;
  #poll: Poll | undefined;
  /** Messages that the kernel could not deliver because this socket's buffer was full. */
  overruns = 0;

  /** `groups`: bits of the multicast groups to hear. @throws HostError */
  constructor(groups = 0, bufferBytes = 4 << 20) {
    this.#sys = loadSys();
    this.#fd = this.#sys.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (this.#fd < 0) throw hostError(this.#sys, "socket", "netlink");
    setBufferBytes(this.#sys, this.#fd, bufferBytes);
    // Without it an error comes with the whole message that failed, and there is no room for others.
    setOption(this.#sys, this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    this.#in = new Block(this.#sys, RECEIVE_BYTES);
    this.#out = new Block(this.#sys, SEND_BYTES);
    const name = new Block(this.#sys, SOCKADDR_NL_BYTES);
    name.view.setUint16(0, AF_NETLINK, true);
    name.view.setUint32(8, groups, true);
    if (this.#sys.bind(this.#fd, name.address, SOCKADDR_NL_BYTES) < 0) {
      const error = this.#error("bind");
      this.#sys.close(this.#fd);
      throw error;
    }
  }

  /** Begins a message; what is sent next ends with it. `write` puts attributes at the view and answers where they end. */
  add(type: number, flags: number, family: number, resource: number, write: (view: DataView, at: number) => number): void {
    const { view } = this.#out;
    const start = this.#length;
    view.setUint32(start + 8, ++this.#sequence, true);
    view.setUint16(start + 4, type, true);
    view.setUint16(start + 6, flags | NLM_F_REQUEST, true);
    view.setUint32(start + 12, 0, true);
    view.setUint8(start + NLMSG_HEADER, family);
    view.setUint8(start + NLMSG_HEADER + 1, 0);
    view.setUint16(start + NLMSG_HEADER + 2, resource);
    const end = write(view, start + NLMSG_HEADER + NFGEN_BYTES);
    view.setUint32(start, end - start, true);
    this.#length = (end + 3) & ~3;
  }

  /** Whether another message of so many bytes fits before `flush`. */
  hasRoom(bytes: number): boolean {
    return this.#length + bytes + NLMSG_HEADER + NFGEN_BYTES <= SEND_BYTES;
  }

  /** Sends what was added. @throws HostError */
  flush(): void {
    const length = this.#length;
    this.#length = 0;
    if (length > 0 && this.#sys.send(this.#fd, this.#out.address, length, 0) < 0) throw this.#error("send");
  }

  /**
   * Sends what was added and hands over all answers, until `expected` acknowledgements or the end of a dump came. Answers error numbers of those
   * that failed. @throws HostError
   */
  ask(expected: number, each: (message: NetlinkMessage) => void): number[] {
    this.flush();
    const errors: number[] = [];
    let left = expected;
    while (left > 0) {
      left -= this.#receive((message) => {
        if (message.type !== NLMSG_ERROR) each(message);
        else {
          const errno = -message.view.getInt32(message.at, true);
          if (errno !== 0) errors.push(errno);
        }
      }, errors);
    }
    return errors;
  }

  /**
   * Sends messages that the caller has written, as one datagram; answers the error numbers of those that failed, by their sequence numbers (0: acknowledged).
   * @throws HostError
   */
  post(bytes: Uint8Array<ArrayBuffer>): Map<number, number> {
    // The kernel copies all of it before it looks at it.
    setOption(this.#sys, this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes.length + DATAGRAM_EXTRA_BYTES);
    const address = this.#sys.addressOf(bytes.buffer) + bytes.byteOffset;
    if (this.#sys.send(this.#fd, address, bytes.length, 0) < 0) throw this.#error("send");
    const answers = new Map<number, number>();
    // The kernel answers within the call that sends.
    while (
      this.#take(({ type, view, at }) => {
        if (type === NLMSG_ERROR) answers.set(view.getUint32(at + ERROR_SEQUENCE, true), -view.getInt32(at, true));
      }) > 0
    );
    return answers;
  }

  /** Hands over what comes by itself, from Node's event loop, until `close`. */
  listen(each: (message: NetlinkMessage) => void): void {
    this.#poll ??= this.#sys.poll(this.#fd, () => {
      for (let calls = CALLS_PER_TURN; calls > 0 && this.#take(each) > 0; calls--);
    });
  }

  close(): void {
    this.#poll?.stop();
    this.#poll = undefined;
    this.#sys.close(this.#fd);
  }

  /** One receive; answers how many requests it ended. */
  #receive(each: (message: NetlinkMessage) => void, errors: number[]): number {
    let ended = 0;
    const length = this.#take((message) => {
      if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) ended++;
      if (message.type !== NLMSG_DONE) each(message);
    });
    // The kernel answers within the call that asks: nothing more will come.
    if (length <= 0) {
      errors.push(ENOBUFS);
      return Number.MAX_SAFE_INTEGER;
    }
    return ended;
  }

  /** Bytes of one receive, 0 when there was nothing, 1 when some were lost. */
  #take(each: (message: NetlinkMessage) => void): number {
    const { view } = this.#in;
    const length = this.#sys.recv(this.#fd, this.#in.address, RECEIVE_BYTES, MSG_DONTWAIT);
    if (length < 0) {
      const errno = this.#sys.errno();
      if (errno === EAGAIN) return 0;
      if (errno === ENOBUFS) this.overruns++;
      else if (errno !== EINTR) throw this.#error("recv");
      return 1;
    }
    for (let at = 0; at + NLMSG_HEADER <= length; ) {
      const bytes = view.getUint32(at, true);
      if (bytes < NLMSG_HEADER || at + bytes > length) break;
      each({ type: view.getUint16(at + 4, true), flags: view.getUint16(at + 6, true), view, at: at + NLMSG_HEADER, end: at + bytes });
      at += (bytes + 3) & ~3;
    }
    return length;
  }

  #error(call: string): HostError {
    const errno = this.#sys.errno();
    const error = hostError(this.#sys, call, "netlink");
    return errno === EPERM ? new HostError("EPERM", "netlink", "needs the capability CAP_NET_ADMIN: run as root") : error;
  }
}

/** Calls `each` with type (without the nested flag), start and end of each attribute's value in view[at…end). */
export function attributes(view: DataView, at: number, end: number, each: (type: number, at: number, end: number) => void): void {
  for (let next = at; next + 4 <= end; ) {
    const length = view.getUint16(next, true);
    if (length < 4 || next + length > end) return;
    each(view.getUint16(next + 2, true) & 0x3fff, next + 4, next + length);
    next += (length + 3) & ~3;
  }
}

/** Writes an attribute around what `write` puts at the place given; answers where the next one begins. */
export function attribute(view: DataView, at: number, type: number, write: (at: number) => number): number {
  const end = write(at + 4);
  view.setUint16(at, end - at, true);
  view.setUint16(at + 2, type, true);
  for (let i = end; i < ((end + 3) & ~3); i++) view.setUint8(i, 0);
  return (end + 3) & ~3;
}

export const NESTED = 0x8000;
/** Tuning: receives before others get their turn. */
const CALLS_PER_TURN = 16;

/** For a log line about errors that `ask` answered. */
export function errnoNames(errors: readonly number[]): string {
  return [...new Set(errors)].map(errnoName).join(", ");
}
