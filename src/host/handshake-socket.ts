/**
 * A TCP connection of the kernel of which only the handshake is wanted: as soon as it stands, its socket is deaf (socket-filter.ts) and says nothing more, while
 * raw packets go on in its name. It ends with a RST, which tells the other end and all boxes on the way.
 *
 *   bound ─▶ connecting ─▶ standing, deaf
 *                └──▶ failed
 */
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { Block } from "./block.ts";
import { bindToDevice } from "./departure.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { EINPROGRESS, errnoName } from "./errno.ts";
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLOUT,
  SO_KEEPALIVE,
  SO_LINGER,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./linux-abi.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { familyOf, nameOf, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { deafen } from "./socket-filter.ts";
import { setOption, takeError } from "./socket-option.ts";
import { hostError, type Sys } from "./sys.ts";

interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface HandshakeUser {
  /** It stands. Not from inside `connect`. */
  standing(now: Millis): void;
  /** It could not be made; the socket is closed. */
  failed(now: Millis, code: string): void;
}

export class HandshakeSocket implements Pollable, Resource {
  readonly fd: number;
  /** Where it comes from. */
  readonly local: HostPort;
  readonly #reactor: Reactor;
  readonly #user: HandshakeUser;
  #registration: Registration = -1;
  #open = true;

  /** Bound, to an interface where one is named; port 0 is any free one. @throws HostError */
  constructor(reactor: Reactor, from: HostPort & { readonly device?: string }, user: HandshakeUser) {
    const { sys } = reactor;
    this.#reactor = reactor;
    this.#user = user;
    this.fd = sys.socket(familyOf(from), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw hostError(sys, "socket", nameOf(from));
    try {
      if (from.device !== undefined) bindToDevice(sys, this.fd, from.device);
      const name = new Block(sys, SOCKADDR_BYTES + 8);
      if (sys.bind(this.fd, name.address, writeSockaddr(name, from)) < 0) throw hostError(sys, "bind", nameOf(from));
      name.words[SOCKADDR_BYTES >> 2] = SOCKADDR_BYTES;
      if (sys.getsockname(this.fd, name.address, name.address + SOCKADDR_BYTES) < 0) throw hostError(sys, "getsockname", nameOf(from));
      this.local = readSockaddr(name);
    } catch (error) {
      sys.close(this.fd);
      throw error;
    }
    reactor.resources.add(this);
  }

  /** Begins the handshake. @throws HostError when the kernel refuses at once */
  connect(to: HostPort): void {
    const { sys, epoll } = this.#reactor;
    const name = new Block(sys, SOCKADDR_BYTES);
    const refused = sys.connect(this.fd, name.address, writeSockaddr(name, to)) < 0 ? sys.errno() : 0;
    if (refused !== 0 && refused !== EINPROGRESS) throw new HostError(errnoName(refused), "connect", nameOf(to));
    this.#registration = epoll.add(this, EPOLLOUT);
  }

  ready(events: number, now: Millis): void {
    if (!this.#open || (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) === 0) return;
    const { sys, epoll } = this.#reactor;
    epoll.remove(this.#registration);
    this.#registration = -1;
    const errno = takeError(sys, this.fd);
    if (errno === 0) {
      muteTcp(sys, this.fd);
      this.#user.standing(now);
      return;
    }
    this.destroy();
    this.#user.failed(now, errnoName(errno));
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.resources.delete(this);
    if (this.#registration >= 0) this.#reactor.epoll.remove(this.#registration);
    setOption(this.#reactor.sys, this.fd, SOL_SOCKET, SO_LINGER, 1, 0);
    this.#reactor.sys.close(this.fd);
  }
}

/** A connection that stands says nothing any more, not even that it lives. */
export function muteTcp(sys: Sys, fd: number): void {
  setOption(sys, fd, SOL_SOCKET, SO_KEEPALIVE, 0);
  deafen(sys, fd);
}
