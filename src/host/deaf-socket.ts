/**
 * Keeps a port from the rest of the machine while raw packets use it, and the kernel silent about it: what arrives there has a socket, so that it is answered
 * with neither RST nor ICMP error, and is thrown away before TCP would answer. Source: socket(7), ipv6(7).
 */
import { HostError } from "../base/errors.ts";
import { Block } from "./block.ts";
import { AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, SO_REUSEADDR, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from "./linux-abi.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { familyOf, nameOf, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { deafen } from "./socket-filter.ts";
import { setOption } from "./socket-option.ts";
import { hostError, type Sys } from "./sys.ts";

export class DeafSocket implements Resource {
  /** False: the kernel does not allow it (newer ones want CAP_NET_ADMIN for TCP), the port is held and no more: the firewall has to keep it quiet. */
  readonly deaf: boolean;
  readonly #reactor: Reactor;
  readonly #fd: number;

  /** One family only: "::" leaves the port of IPv4 to others. @throws HostError when somebody has the port */
  constructor(reactor: Reactor, kind: "tcp" | "udp", at: { readonly host: string; readonly port: number }) {
    const { sys } = reactor;
    this.#reactor = reactor;
    const family = familyOf(at);
    this.#fd = sys.socket(family, (kind === "tcp" ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw hostError(sys, "socket", nameOf(at));
    try {
      this.deaf = deafened(sys, this.#fd);
      if (family === AF_INET6) setOption(sys, this.#fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      if (kind === "tcp") setOption(sys, this.#fd, SOL_SOCKET, SO_REUSEADDR, 1);
      const name = new Block(sys, SOCKADDR_BYTES);
      if (sys.bind(this.#fd, name.address, writeSockaddr(name, at)) < 0) throw hostError(sys, "bind", nameOf(at));
      if (kind === "tcp" && this.deaf && sys.listen(this.#fd, 1) < 0) throw hostError(sys, "listen", nameOf(at));
    } catch (error) {
      sys.close(this.#fd);
      throw error;
    }
    reactor.resources.add(this);
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#reactor.resources.delete(this)) this.#reactor.sys.close(this.#fd);
  }
}

function deafened(sys: Sys, fd: number): boolean {
  try {
    deafen(sys, fd);
    return true;
  } catch (error) {
    if (error instanceof HostError && error.code === "EPERM") return false;
    throw error;
  }
}
