/**
 * easyfaketcp at a server: the kernel takes TCP connections, each is deaf from then on, and raw packets go on in its name. A connection whose raw peer is not
 * known any more is closed.
 */
import type { Millis } from "../base/units.ts";
import type { RawPeer } from "../faketcp/server.ts";
import { muteTcp } from "../host/handshake-socket.ts";
import { formatAddress, formatHostPort } from "../host/ip-address.ts";
import type { Listener, TcpHandler, TcpSocket } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import type { EpollTcpSocket } from "../host/tcp-epoll.ts";
import type { HostPort } from "./settings.ts";

export class EasyListener {
  /** Connections refused because so many are open. */
  limitHits = 0;
  readonly #loop: EpollLoop;
  readonly #listener: Listener;
  readonly #connectionsMax: number;
  readonly #sockets = new Map<TcpSocket, Millis>();
  #sweepAt: Millis = 0;

  /** @throws HostError when somebody has the port */
  constructor(loop: EpollLoop, at: HostPort, connectionsMax: number) {
    this.#loop = loop;
    this.#connectionsMax = connectionsMax;
    this.#listener = loop.listen(at, (socket, now) => this.#accept(socket, now));
  }

  /** Called once a round; `peers` are those whose connections stay. */
  advance(now: Millis, peers: Iterable<RawPeer>): void {
    if (now < this.#sweepAt || this.#sockets.size === 0) return;
    this.#sweepAt = now + SWEEP_MS;
    const known = new Set(Array.from(peers, ({ address, port }) => formatHostPort(formatAddress(address), port)));
    for (const [socket, since] of this.#sockets) {
      if (now - since < YOUNG_MS || known.has(socket.remote)) continue;
      this.#sockets.delete(socket);
      socket.reset();
    }
  }

  close(): void {
    this.#listener.close();
    for (const socket of this.#sockets.keys()) socket.reset();
    this.#sockets.clear();
  }

  #accept(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    if (this.#sockets.size >= this.#connectionsMax) {
      this.limitHits++;
      return undefined;
    }
    muteTcp(this.#loop.sys, (socket as EpollTcpSocket).fd);
    this.#sockets.set(socket, now);
    const nothing = (): void => undefined;
    return { connected: nothing, readable: nothing, writable: nothing, closed: () => void this.#sockets.delete(socket) };
  }
}

const SWEEP_MS: Millis = 5_000;
/** Longer than a handshake may take. */
const YOUNG_MS: Millis = 20_000;
