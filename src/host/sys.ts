/**
 * The system calls Longhaul makes, as foreign functions of the C library: the only file that knows how they are called, so that another
 * way of calling (node:ffi, once it is no longer experimental) replaces this file alone.
 *
 *   sys.recvmmsg(fd, address, count, flags, 0) ─► koffi ─► libc ─► kernel        0.24 µs around the call, nothing is allocated
 *
 * Pointers are numbers: addresses of memory that does not move (block.ts), below 2^47 and thus exact. A call answers what C answers,
 * −1 for an error whose number `errno()` gives, provided no other call was made since.
 */
import { createRequire } from "node:module";
import { endianness } from "node:os";
import type * as Koffi from "koffi";
import { HostError } from "../base/errors.ts";
import { errnoName } from "./errno.ts";

/** An address in this process's memory. */
export type Address = number;

/** Watches a descriptor from inside Node's own event loop. */
export interface Poll {
  stop(): void;
}

export interface Sys {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, name: Address, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, name: Address, length: Address, flags: number): number;
  connect(fd: number, name: Address, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Address, length: Address): number;
  setsockopt(fd: number, level: number, option: number, value: Address, length: number): number;
  getsockname(fd: number, name: Address, length: Address): number;
  recv(fd: number, bytes: Address, length: number, flags: number): number;
  send(fd: number, bytes: Address, length: number, flags: number): number;
  recvmsg(fd: number, message: Address, flags: number): number;
  sendmsg(fd: number, message: Address, flags: number): number;
  recvmmsg(fd: number, messages: Address, count: number, flags: number, timeout: Address): number;
  sendmmsg(fd: number, messages: Address, count: number, flags: number): number;
  read(fd: number, bytes: Address, length: number): number;
  write(fd: number, bytes: Address, length: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  eventfd(initial: number, flags: number): number;
  epoll_create1(flags: number): number;
  /** Sleeps, at least so long; less than a second. */
  usleep(microseconds: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Address): number;
  epoll_wait(epoll: number, events: Address, count: number, milliseconds: number): number;
  /** What has no function in the C library, by its number; answers stay below 2^31. */
  syscall(number: number, a: number | Address, b: number | Address, c: number | Address): number;
  mount(source: Address, target: Address, type: Address, flags: number, data: Address): number;
  munmap(address: Address, length: number): number;
  getrlimit(resource: number, limit: Address): number;
  setrlimit(resource: number, limit: Address): number;
  /** 0 or above: where it is mapped; −1: an error. */
  mmap(at: Address, length: number, protection: number, flags: number, fd: number, offset: number): Address;
  /** Memory that was mapped, as a buffer: not to be touched after munmap. */
  mapped(address: Address, length: number): ArrayBuffer;
  /** Undefined where the C library does not have it; ENOSYS where the kernel does not. */
  readonly epoll_pwait2: ((epoll: number, events: Address, count: number, timeout: Address, signals: Address) => number) | undefined;
  /** glibc's, not musl's: hands free pages to the kernel, all but `pad` bytes; 1 when there were some. */
  readonly malloc_trim: ((pad: number) => number) | undefined;
  /** Error number of the last call that answered −1. */
  errno(): number;
  /** Where the first byte of the buffer lies. Slow (0.1 µs): keep the answer, through block.ts. */
  addressOf(buffer: ArrayBufferLike): Address;
  /** Calls `readable` from Node's event loop whenever the descriptor is. */
  poll(fd: number, readable: () => void): Poll;
}

/** Lengths and counts here stay below 2^31, so that int carries every answer without a BigInt. */
const signatures = {
  socket: ["int", "int", "int"],
  bind: ["int", "uint64", "uint"],
  listen: ["int", "int"],
  accept4: ["int", "uint64", "uint64", "int"],
  connect: ["int", "uint64", "uint"],
  getsockopt: ["int", "int", "int", "uint64", "uint64"],
  setsockopt: ["int", "int", "int", "uint64", "uint"],
  getsockname: ["int", "uint64", "uint64"],
  recv: ["int", "uint64", "uint64", "int"],
  send: ["int", "uint64", "uint64", "int"],
  recvmsg: ["int", "uint64", "int"],
  sendmsg: ["int", "uint64", "int"],
  recvmmsg: ["int", "uint64", "uint", "int", "uint64"],
  sendmmsg: ["int", "uint64", "uint", "int"],
  read: ["int", "uint64", "uint64"],
  write: ["int", "uint64", "uint64"],
  shutdown: ["int", "int"],
  close: ["int"],
  eventfd: ["uint", "int"],
  epoll_create1: ["int"],
  usleep: ["uint"],
  epoll_ctl: ["int", "int", "int", "uint64"],
  epoll_wait: ["int", "uint64", "int", "int"],
  syscall: ["int64", "uint64", "uint64", "uint64"],
  mount: ["uint64", "uint64", "uint64", "uint64", "uint64"],
  munmap: ["uint64", "uint64"],
  getrlimit: ["int", "uint64"],
  setrlimit: ["int", "uint64"],
} as const;

let loaded: Sys | undefined;

/** @throws Error that says why foreign calls are not possible here */
export function loadSys(): Sys {
  loaded ??= bindSys();
  return loaded;
}

/** The error of the system call that has just failed. */
export function hostError(sys: Sys, syscall: string, address?: string): HostError {
  return new HostError(errnoName(sys.errno()), syscall, address);
}

function bindSys(): Sys {
  if (process.platform !== "linux") throw new Error(`the system calls of Linux are not those of ${process.platform}`);
  if (endianness() !== "LE" || (process.arch !== "x64" && process.arch !== "arm64")) {
    throw new Error(`the structures of the kernel are laid out for x64 and arm64, not for ${process.arch}`);
  }
  // Loaded here and not by an import, so that a machine without a prebuilt koffi can fall back to Node's own sockets.
  const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
  const libc = openLibc(koffi);
  const calls = Object.fromEntries(
    Object.entries(signatures).map(([name, parameters]) => [name, libc.func(name, "int", [...parameters]) as unknown]),
  ) as unknown as Omit<Sys, "epoll_pwait2" | "malloc_trim" | "errno" | "addressOf" | "poll" | "mmap" | "mapped">;
  return {
    ...calls,
    mmap: libc.func("mmap", "int64", ["uint64", "uint64", "int", "int", "int", "int64"]) as unknown as Sys["mmap"],
    mapped: (address, length) => koffi.view(address, length),
    epoll_pwait2: optional(libc, "epoll_pwait2", ["int", "uint64", "int", "uint64", "uint64"]) as Sys["epoll_pwait2"],
    malloc_trim: optional(libc, "malloc_trim", ["uint64"]) as Sys["malloc_trim"],
    errno: () => koffi.errno(),
    addressOf: (buffer) => Number(koffi.address(new Uint8Array(buffer))),
    poll: (fd, readable) => {
      const handle = koffi.node.poll(fd, { readable: true }, () => readable());
      return {
        stop: () => {
          handle.stop();
          handle.close();
        },
      };
    },
  };
}

function openLibc(koffi: typeof Koffi): Koffi.LibraryHandle {
  try {
    return koffi.load("libc.so.6");
  } catch {
    // musl's libc has another name, but its symbols are in the process already.
    return koffi.load(null);
  }
}

function optional(libc: Koffi.LibraryHandle, name: string, parameters: string[]): unknown {
  try {
    return libc.func(name, "int", parameters);
  } catch {
    return undefined;
  }
}
