/** Outgoing stream connections of the epoll loop. The caller limits how long it waits by calling `close`. */
import { HostError } from "../base/errors.ts";
import { Block } from "./block.ts";
import { bindToDevice } from "./departure.ts";
import { EINPROGRESS, errnoName } from "./errno.ts";
import { isUnspecified } from "./ip-address.ts";
import {
  AF_UNIX,
  IP_BIND_ADDRESS_NO_PORT,
  IPPROTO_IP,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from "./linux-abi.ts";
import type { Endpoint, SourceAddress, TcpHandler, TcpSocket } from "./loop.ts";
import type { Reactor } from "./reactor.ts";
import { familyOf, nameOf, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { setOption, setTransparent } from "./socket-option.ts";
import { hostError, type Sys } from "./sys.ts";
import { EpollTcpSocket } from "./tcp-epoll.ts";

/** Tuning: a peer that vanished without a word is noticed after IDLE + COUNT × INTERVAL seconds. */
const KEEPALIVE_IDLE_S = 60;
const KEEPALIVE_INTERVAL_S = 15;
const KEEPALIVE_COUNT = 4;

/** No waiting for full segments, and dead peers are noticed. For TCP, not for unix sockets. */
export function configureTcp(sys: Sys, fd: number): void {
  setOption(sys, fd, IPPROTO_TCP, TCP_NODELAY, 1);
  setOption(sys, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  setOption(sys, fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
  setOption(sys, fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
  setOption(sys, fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

/** Starts connecting. Whatever goes wrong is told to `handler.closed` in a later round. */
export function connectEpoll(reactor: Reactor, to: Endpoint, handler: TcpHandler, source?: SourceAddress): TcpSocket {
  const { sys } = reactor;
  try {
    const family = familyOf(to);
    const name = new Block(sys, SOCKADDR_BYTES);
    const length = writeSockaddr(name, to);
    const fd = sys.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw hostError(sys, "socket", nameOf(to));
    if (family !== AF_UNIX) configureTcp(sys, fd);
    if (source !== undefined) bindSource(sys, fd, source);
    const refused = sys.connect(fd, name.address, length) < 0 ? sys.errno() : 0;
    const socket = new EpollTcpSocket(reactor, fd, nameOf(to), true);
    socket.attach(handler);
    if (refused !== 0 && refused !== EINPROGRESS) socket.failLater(errnoName(refused));
    return socket;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return failedSocket(reactor, nameOf(to), handler, error.code);
  }
}

/** Closes the socket before it throws. @throws HostError */
function bindSource(sys: Sys, fd: number, source: SourceAddress): void {
  try {
    if (source.device !== undefined) bindToDevice(sys, fd, source.device);
    if (isUnspecified(source.host) && source.port === 0) return;
    const name = new Block(sys, SOCKADDR_BYTES);
    const length = writeSockaddr(name, source);
    // Without a port the kernel chooses it when it knows the destination, so that each port serves many destinations.
    if (source.port === 0) setOption(sys, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    setOption(sys, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    const allowed = source.transparent !== true || setTransparent(sys, fd, source);
    if (!allowed || sys.bind(fd, name.address, length) < 0) throw hostError(sys, "bind", nameOf(source));
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/** A socket that never was: it only tells its handler so. */
function failedSocket(reactor: Reactor, remote: string, handler: TcpHandler, code: string): TcpSocket {
  let open = true;
  const close = (): void => {
    open = false;
  };
  reactor.later((now) => {
    if (open) handler.closed(now, code);
  });
  const nothing = (): number => 0;
  return { remote, read: nothing, write: nothing, readv: nothing, writev: nothing, shutdown: () => {}, close, reset: close };
}
