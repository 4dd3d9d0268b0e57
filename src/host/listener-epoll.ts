/**
 * Listening stream sockets of the epoll loop.
 *
 *   readable ─► accept4, at most ACCEPTS_PER_ROUND ─► (another thread has fewer: handover.ts) ─► accept(socket) ─► a handler: watched · undefined: reset
 *
 * When no descriptor or memory is left, the listener rests for a while instead of being woken again at once for ever; the kernel's
 * backlog holds new connections meanwhile. Source: listen(2), accept(2) and its list of errors to be taken lightly.
 */
import { unlinkSync } from "node:fs";
import type { Millis } from "../base/units.ts";
import { Block } from "./block.ts";
import { configureTcp } from "./connect-epoll.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM } from "./errno.ts";
import { formatHostPort, isUnspecified } from "./ip-address.ts";
import {
  AF_INET6,
  AF_UNIX,
  EPOLLIN,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./linux-abi.ts";
import { type Accept, BACKLOG, type Endpoint, type Listener } from "./loop.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { familyOf, nameOf, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { setOption } from "./socket-option.ts";
import { hostError } from "./sys.ts";
import { EpollTcpSocket } from "./tcp-epoll.ts";

/** Tuning. */
const ACCEPTS_PER_ROUND = 64;
const REST_MS: Millis = 100;

export class EpollListener implements Listener, Pollable, Resource {
  readonly fd: number;
  readonly local: Endpoint;
  readonly #reactor: Reactor;
  readonly #accept: Accept;
  readonly #family: number;
  readonly #name: Block;
  readonly #registration: Registration;
  #open = true;

  /** @throws HostError when the address cannot be listened on */
  constructor(reactor: Reactor, at: Endpoint, accept: Accept) {
    const { sys } = reactor;
    this.#reactor = reactor;
    this.#accept = accept;
    this.#family = familyOf(at);
    this.#name = new Block(sys, SOCKADDR_BYTES + 8);
    this.fd = sys.socket(this.#family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw hostError(sys, "socket", nameOf(at));
    try {
      this.local = this.#listen(at);
      this.#registration = reactor.epoll.add(this, EPOLLIN);
    } catch (error) {
      sys.close(this.fd);
      throw error;
    }
    reactor.resources.add(this);
    reactor.handover?.serve(nameOf(this.local), (fd, peer, now) => {
      this.#name.words.set(peer);
      this.#take(fd, now);
    });
  }

  ready(_events: number, now: Millis): void {
    const { sys, counters, handover } = this.#reactor;
    const name = this.#name;
    for (let i = 0; i < ACCEPTS_PER_ROUND && this.#open; i++) {
      name.words[SOCKADDR_BYTES >> 2] = SOCKADDR_BYTES;
      const fd = sys.accept4(this.fd, name.address, name.address + SOCKADDR_BYTES, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        if (handover?.pass(fd, name.words) !== true) this.#take(fd, now);
        continue;
      }
      const errno = sys.errno();
      if (errno === EAGAIN) return;
      if (errno === EMFILE || errno === ENFILE || errno === ENOBUFS || errno === ENOMEM) {
        this.#rest();
        return;
      }
      // What is left are errors of the connection that was to be accepted; the next one is another.
      counters.acceptRefused++;
    }
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.resources.delete(this);
    this.#reactor.handover?.leave(nameOf(this.local));
    this.#reactor.epoll.remove(this.#registration);
    this.#reactor.sys.close(this.fd);
    if ("path" in this.local) unlinkQuietly(this.local.path);
  }

  #take(fd: number, now: Millis): void {
    const { sys, counters } = this.#reactor;
    let remote = nameOf(this.local);
    if (this.#family !== AF_UNIX) {
      configureTcp(sys, fd);
      const { host, port } = readSockaddr(this.#name);
      remote = formatHostPort(host, port);
    }
    const socket = new EpollTcpSocket(this.#reactor, fd, remote, false);
    const handler = this.#accept(socket, now);
    if (handler === undefined) {
      counters.acceptRefused++;
      socket.reset();
      return;
    }
    counters.accepted++;
    socket.attach(handler);
  }

  #rest(): void {
    const { epoll, counters } = this.#reactor;
    counters.acceptPaused++;
    epoll.modify(this.#registration, 0);
    this.#reactor.after(REST_MS, () => {
      if (this.#open) epoll.modify(this.#registration, EPOLLIN);
    });
  }

  #listen(at: Endpoint): Endpoint {
    const { sys } = this.#reactor;
    const name = this.#name;
    if (this.#family !== AF_UNIX) setOption(sys, this.fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (this.#reactor.sharePorts && "port" in at && at.port !== 0) setOption(sys, this.fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (this.#family === AF_INET6 && "host" in at && isUnspecified(at.host)) setOption(sys, this.fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (sys.bind(this.fd, name.address, writeSockaddr(name, at)) < 0) throw hostError(sys, "bind", nameOf(at));
    if (sys.listen(this.fd, BACKLOG) < 0) throw hostError(sys, "listen", nameOf(at));
    if (this.#family === AF_UNIX) return at;
    name.words[SOCKADDR_BYTES >> 2] = SOCKADDR_BYTES;
    if (sys.getsockname(this.fd, name.address, name.address + SOCKADDR_BYTES) < 0) throw hostError(sys, "getsockname", nameOf(at));
    return readSockaddr(name);
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else has removed the socket's file already: that is what was wanted.
  }
}
