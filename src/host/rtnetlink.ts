/**
 * rtnetlink: routes, neighbours and what becomes of them, asked of the kernel and told by it.
 *
 *   message    length u32 · type u16 · flags u16 · sequence u32 · port u32 · fixed part · attributes, each on a multiple of 4
 *   attribute  length u16 · type u16 · value
 *
 * Source: netlink(7), rtnetlink(7); linux/rtnetlink.h, linux/neighbour.h.
 */
import { HostError } from "../base/errors.ts";
import { Block } from "./block.ts";
import { EAGAIN, EINTR, ENOBUFS, errnoName } from "./errno.ts";
import { MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_RAW } from "./linux-abi.ts";
import { hostError, type Sys } from "./sys.ts";

export const RTM_NEWLINK = 16;
export const RTM_GETLINK = 18;
export const RTM_NEWROUTE = 24;
export const RTM_GETROUTE = 26;
export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;

export interface RouteMessage {
  readonly type: number;
  /** Behind the head; borrowed until the callback returns. */
  readonly body: DataView;
}

export class RouteSocket {
  readonly fd: number;
  readonly #sys: Sys;
  readonly #out: Block;
  readonly #in: Block;
  #sequence = 0;

  /** `groups`: what is heard without asking. `protocol`: of another family that speaks alike. @throws HostError */
  constructor(sys: Sys, groups: number, protocol = NETLINK_ROUTE) {
    this.#sys = sys;
    this.#out = new Block(sys, OUT_BYTES);
    this.#in = new Block(sys, IN_BYTES);
    this.fd = sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (this.fd < 0) throw hostError(sys, "socket", "rtnetlink");
    // struct sockaddr_nl { family u16, pad u16, port u32, groups u32 }
    this.#out.view.setUint16(0, AF_NETLINK, true);
    this.#out.view.setUint32(8, groups, true);
    if (sys.bind(this.fd, this.#out.address, 12) === 0) return;
    const error = hostError(sys, "bind", "rtnetlink");
    sys.close(this.fd);
    throw error;
  }

  /** @throws HostError */
  send(type: number, flags: number, fixed: Uint8Array, attributes: readonly (readonly [type: number, value: Uint8Array])[]): void {
    const { bytes, view } = this.#out;
    bytes.fill(0);
    bytes.set(fixed, HEADER_BYTES);
    let at = HEADER_BYTES + fixed.length;
    for (const [kind, value] of attributes) {
      view.setUint16(at, value.length + 4, true);
      view.setUint16(at + 2, kind, true);
      bytes.set(value, at + 4);
      at += align(value.length + 4);
    }
    view.setUint32(0, at, true);
    view.setUint16(4, type, true);
    view.setUint16(6, NLM_F_REQUEST | flags, true);
    view.setUint32(8, ++this.#sequence, true);
    if (this.#sys.send(this.fd, this.#out.address, at, 0) < 0) throw hostError(this.#sys, "send", "rtnetlink");
  }

  /** Hands over what has come, or waits for it. False: something was lost, since nobody listened for too long. @throws HostError */
  receive(take: (message: RouteMessage) => void, wait = false): boolean {
    for (;;) {
      const length = this.#sys.recv(this.fd, this.#in.address, IN_BYTES, wait ? 0 : MSG_DONTWAIT);
      if (length < 0) {
        const errno = this.#sys.errno();
        if (errno === EAGAIN) return true;
        if (errno === EINTR) continue;
        if (errno === ENOBUFS) return false;
        throw new HostError(errnoName(errno), "recv", "rtnetlink");
      }
      const { view } = this.#in;
      for (let at = 0; at + HEADER_BYTES <= length; ) {
        const bytes = view.getUint32(at, true);
        if (bytes < HEADER_BYTES || at + bytes > length) break;
        const body = new DataView(view.buffer, view.byteOffset + at + HEADER_BYTES, bytes - HEADER_BYTES);
        take({ type: view.getUint16(at + 4, true), body });
        at += align(bytes);
      }
      if (wait) return true;
    }
  }

  close(): void {
    this.#sys.close(this.fd);
  }
}

/** The value of an attribute behind a fixed part of so many bytes. */
export function attribute(body: DataView, fixedBytes: number, wanted: number): DataView | undefined {
  for (let at = align(fixedBytes); at + 4 <= body.byteLength; ) {
    const length = body.getUint16(at, true);
    if (length < 4 || at + length > body.byteLength) return undefined;
    if ((body.getUint16(at + 2, true) & NLA_TYPE_MASK) === wanted) return new DataView(body.buffer, body.byteOffset + at + 4, length - 4);
    at += align(length);
  }
  return undefined;
}

function align(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** Type of the answer to a request that failed; the body begins with the error number, negative. */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_DUMP = 0x300;
export const NLM_F_CREATE = 0x400;
export const NLM_F_REPLACE = 0x100;
const NLM_F_REQUEST = 1;
const NLA_TYPE_MASK = 0x3fff;
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
/** IPsec's policies. */
export const NETLINK_XFRM = 6;
const HEADER_BYTES = 16;
const OUT_BYTES = 256;
const IN_BYTES = 65_536;
