/** setsockopt and getsockopt for the options that are one or two integers: all that Longhaul sets. */
import type { Bytes } from "../base/units.ts";
import { Block } from "./block.ts";
import {
  IP_TRANSPARENT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TRANSPARENT,
  SO_ERROR,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOL_SOCKET,
} from "./linux-abi.ts";
import type { Sys } from "./sys.ts";

let scratch: Block | undefined;

/** False when the kernel refuses; `sys.errno()` says why. `second` is for struct linger. */
export function setOption(sys: Sys, fd: number, level: number, option: number, value: number, second?: number): boolean {
  scratch ??= new Block(sys, 16);
  scratch.words[0] = value;
  scratch.words[1] = second ?? 0;
  return sys.setsockopt(fd, level, option, scratch.address, second === undefined ? 4 : 8) === 0;
}

/** The socket may be bound to an address that this machine does not have. False without CAP_NET_ADMIN. */
export function setTransparent(sys: Sys, fd: number, { host }: { readonly host: string }): boolean {
  return host.includes(":") ? setOption(sys, fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1) : setOption(sys, fd, IPPROTO_IP, IP_TRANSPARENT, 1);
}

/** The option's value, −1 when it cannot be had. */
export function getOption(sys: Sys, fd: number, level: number, option: number): number {
  scratch ??= new Block(sys, 16);
  scratch.words[0] = -1;
  scratch.words[2] = 4;
  return sys.getsockopt(fd, level, option, scratch.address, scratch.address + 8) === 0 ? scratch.words[0]! : -1;
}

/** The error that waits on the socket, 0 for none; asking clears it. */
export function takeError(sys: Sys, fd: number): number {
  return Math.max(0, getOption(sys, fd, SOL_SOCKET, SO_ERROR));
}

/** Beyond the system's limit when the process may (CAP_NET_ADMIN), up to it otherwise. */
export function setBufferBytes(sys: Sys, fd: number, bytes: Bytes): void {
  if (!setOption(sys, fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) setOption(sys, fd, SOL_SOCKET, SO_RCVBUF, bytes);
  if (!setOption(sys, fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes)) setOption(sys, fd, SOL_SOCKET, SO_SNDBUF, bytes);
}
