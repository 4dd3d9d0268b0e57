/**
 * Three namespaces in a row and sockets in them, all of this process: a thread that enters a namespace makes sockets there, which stay there.
 *
 *   client 10.1.0.2, fd01::2 ── 10.1.0.1, fd01::1 proxy 10.2.0.1, fd02::1 ── 10.2.0.2, fd02::2 backend
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { Block } from "../../src/host/block.ts";
import { AF_INET, AF_INET6, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from "../../src/host/linux-abi.ts";
import { SOCKADDR_BYTES, writeSockaddr } from "../../src/host/sockaddr.ts";
import { hostError, loadSys } from "../../src/host/sys.ts";

const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
const setns = koffi.load("libc.so.6").func("setns", "int", ["int", "int"]) as (fd: number, kind: number) => number;
const CLONE_NEWNET = 0x4000_0000;
const sys = loadSys();

export class Namespaces {
  readonly client: string;
  readonly proxy: string;
  readonly backend: string;

  constructor(prefix: string) {
    [this.client, this.proxy, this.backend] = [`${prefix}c`, `${prefix}p`, `${prefix}b`];
    this.remove();
    const { client, proxy, backend } = this;
    for (const name of [client, proxy, backend]) {
      ip(`netns add ${name}`, `-n ${name} link set lo up`);
      inside(name, "sysctl -qw net.ipv6.conf.default.accept_dad=0");
    }
    ip(
      `link add c0 netns ${client} type veth peer name p0 netns ${proxy}`,
      `link add b0 netns ${backend} type veth peer name p1 netns ${proxy}`,
    );
    const ends = [
      [client, "c0", "10.1.0.2", "fd01::2"],
      [proxy, "p0", "10.1.0.1", "fd01::1"],
      [proxy, "p1", "10.2.0.1", "fd02::1"],
      [backend, "b0", "10.2.0.2", "fd02::2"],
    ] as const;
    for (const [name, device, four, six] of ends)
      ip(
        `-n ${name} addr add ${four}/24 dev ${device}`,
        `-n ${name} -6 addr add ${six}/64 dev ${device} nodad`,
        `-n ${name} link set ${device} up`,
      );
    // Frames reach a veth only if its other end has NAPI, and must have their checksums.
    inside(client, "ethtool -K c0 tx off gro on");
    inside(backend, "ethtool -K b0 tx off gro on");
    inside(proxy, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
  }

  remove(): void {
    for (const name of [this.client, this.proxy, this.backend]) spawnSync("ip", ["netns", "del", name], { stdio: "ignore" });
  }
}

export function ip(...commands: string[]): void {
  for (const command of commands) {
    const { status, stderr } = spawnSync("ip", command.split(" "), { encoding: "utf8" });
    if (status !== 0) throw new Error(`ip ${command}: ${stderr}`);
  }
}

export function inside(namespace: string, command: string): string {
  const { status, stdout, stderr } = spawnSync("ip", ["netns", "exec", namespace, ...command.split(" ")], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}

/** A UDP socket of a namespace; every call returns at once. */
export class NamespaceSocket {
  readonly #fd: number;
  readonly #name = new Block(sys, SOCKADDR_BYTES + 8);
  readonly #bytes = new Block(sys, 65_536);
  /** Who sent what was received last, as the kernel wrote it; `reply` answers them. */
  readonly #message = new Block(sys, 64);
  readonly #vector = new Block(sys, 16);

  constructor(namespace: string, bind: { host: string; port: number }, connect?: { host: string; port: number }) {
    this.#fd = enter(namespace, () => sys.socket(bind.host.includes(":") ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (sys.bind(this.#fd, this.#name.address, writeSockaddr(this.#name, bind)) < 0)
      throw hostError(sys, "bind", `${bind.host} ${bind.port}`);
    if (connect !== undefined && sys.connect(this.#fd, this.#name.address, writeSockaddr(this.#name, connect)) < 0)
      throw hostError(sys, "connect");
    this.#vector.view.setBigUint64(0, BigInt(this.#bytes.address), true);
    // struct msghdr: name, its length, vector, their number
    this.#message.view.setBigUint64(0, BigInt(this.#name.address), true);
    this.#message.view.setBigUint64(16, BigInt(this.#vector.address), true);
    this.#message.view.setBigUint64(24, 1n, true);
  }

  /** Connected ones only; the error's name when the kernel refuses. */
  send(text: string | Uint8Array): number {
    const bytes = Buffer.from(text);
    this.#bytes.bytes.set(bytes);
    return sys.send(this.#fd, this.#bytes.address, bytes.length, MSG_DONTWAIT);
  }

  /** What is there; undefined: nothing. −errno: an error that waited on the socket. */
  receive(): Buffer | number | undefined {
    this.#vector.view.setBigUint64(8, 65_536n, true);
    this.#message.view.setUint32(8, SOCKADDR_BYTES, true);
    const length = sys.recvmsg(this.#fd, this.#message.address, MSG_DONTWAIT);
    if (length >= 0) return Buffer.from(this.#bytes.bytes.subarray(0, length));
    const errno = sys.errno();
    return errno === 11 ? undefined : -errno;
  }

  /** To whom sent what was received last: what is sent begins with their address. */
  reply(): void {
    const from = this.#name.view.getUint16(0, true) === AF_INET ? `${this.#name.bytes.subarray(4, 8).join(".")}` : "v6";
    const text = Buffer.from(`${from} ${this.#name.view.getUint16(2)} `);
    this.#bytes.bytes.set(text);
    this.#vector.view.setBigUint64(8, BigInt(text.length), true);
    sys.sendmsg(this.#fd, this.#message.address, MSG_DONTWAIT);
  }

  close(): void {
    sys.close(this.#fd);
  }
}

export function enter<T>(namespace: string, work: () => T): T {
  const [home, there] = [openSync("/proc/thread-self/ns/net", "r"), openSync(`/run/netns/${namespace}`, "r")];
  try {
    if (setns(there, CLONE_NEWNET) !== 0) throw new Error(`setns ${namespace}`);
    return work();
  } finally {
    setns(home, CLONE_NEWNET);
    closeSync(home);
    closeSync(there);
  }
}
