/**
 * bpf(2): one system call with a command and a structure, here filled field by field.
 *
 *   const attr = bpf.attr();  attr.u32(0, type).u32(4, keySize) …   bpf.call(BPF_MAP_CREATE, attr, "map flows4")
 *
 * Nothing of libbpf or bpftool is needed. What is missing is said as a sentence: the capability, the kernel's lock-down, the memory limit.
 *
 * Source: bpf(2), linux/bpf.h `union bpf_attr`.
 */
import { HostError } from "../../base/errors.ts";
import { Block } from "../block.ts";
import { E2BIG, EPERM, errnoName } from "../errno.ts";
import type { Address, Sys } from "../sys.ts";
import { BPF_SYSCALL } from "./bpf-abi.ts";

/** `union bpf_attr`: fields by their offset in bytes. */
export class Attr {
  readonly #block: Block;

  constructor(block: Block) {
    this.#block = block;
    block.bytes.fill(0);
  }

  u32(at: number, value: number): this {
    this.#block.view.setUint32(at, value >>> 0, true);
    return this;
  }

  u64(at: number, value: number | bigint): this {
    this.#block.view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  read32(at: number): number {
    return this.#block.view.getUint32(at, true);
  }
}

export class Bpf {
  readonly sys: Sys;
  readonly #number: number;
  readonly #block: Block;

  constructor(sys: Sys) {
    this.sys = sys;
    this.#number = BPF_SYSCALL[process.arch]!;
    this.#block = new Block(sys, ATTR_BYTES);
  }

  /** Zeroed; one at a time, as all calls share it. */
  attr(): Attr {
    return new Attr(this.#block);
  }

  /** What the kernel answers, or −1: `sys.errno()` says why. `bytes`: as many of the structure as the command has; longer ones must be zero. */
  try(command: number, bytes = ATTR_BYTES): number {
    return this.sys.syscall(this.#number, command, this.#block.address, bytes);
  }

  /** @throws HostError that says what is missing */
  call(command: number, what: string, bytes?: number): number {
    const result = this.try(command, bytes);
    if (result < 0) throw this.error(what);
    return result;
  }

  /** Of the call that has just failed. */
  error(what: string, detail = ""): HostError {
    const errno = this.sys.errno();
    const advice = errno === EPERM ? `; ${PERMISSION}` : errno === E2BIG ? "; the kernel is older than 5.15 or the map is full" : "";
    return new HostError(errnoName(errno), "bpf", `${what}${detail}${advice}`);
  }
}

/** A zero-terminated text for the kernel. */
export function cString(sys: Sys, text: string): Block & { readonly address: Address } {
  const bytes = Buffer.from(text);
  const block = new Block(sys, bytes.length + 1);
  block.bytes.set(bytes);
  return block;
}

const PERMISSION =
  "needs the capabilities CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (run as root, or AmbientCapabilities= in a systemd unit), and a kernel that is not locked down";
/** Those of Linux 5.15 are 128 long; what is behind is zero and ignored. */
const ATTR_BYTES = 128;
