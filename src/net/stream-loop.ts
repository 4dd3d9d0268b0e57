/**
 * The loop a tunnel of this process runs on: time and names are Node's, datagrams go by system calls where those work, TCP connections are streams
 * of the application.
 *
 *   tunnel ─ udp, resolve, drive ─▶ NodeLoop
 *   tunnel ─ connect(target) ─▶ `dialled`: a pipe whose other end a server's user gets
 *   tunnel ─ listen ─▶ `accept`: whom a client's user's streams are shown to
 */
import type { Millis } from "../base/units.ts";
import { chooseIo } from "../host/choose.ts";
import type { Accept, Driver, Endpoint, Listener, Loop, TcpHandler, TcpSocket, UdpHandler, UdpOptions, UdpSocket } from "../host/loop.ts";
import { NodeLoop } from "../host/loop-node.ts";
import { loadSys } from "../host/sys.ts";
import { UdpCalls } from "../host/udp-calls.ts";

/** Stands in a configuration where a tunnel of a process has the address of its applications or of its target. */
export const IN_PROCESS = "in-process";

/** The same for a target with a name. */
export function inProcess(name: string): string {
  return `${IN_PROCESS}/${name}`;
}

/** Makes the connection a tunnel server asks for, on behalf of `from`, to the target of that name, "" for the default one. */
export type Dialled = (handler: TcpHandler, from: string, target: string) => TcpSocket;

export class StreamLoop implements Loop {
  readonly kind = "node";
  readonly #loop = new NodeLoop({ udpCalls: chooseIo().kind === "epoll" ? new UdpCalls(loadSys()) : undefined });
  readonly #dialled: Dialled;
  #accept: Accept | undefined;

  constructor(dialled: Dialled) {
    this.#dialled = dialled;
  }

  /** The client's answer to a new connection; from a round. */
  accept(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    return this.#accept?.(socket, now);
  }

  now(): Millis {
    return this.#loop.now();
  }

  udp(options: UdpOptions, handler: UdpHandler): UdpSocket {
    return this.#loop.udp(options, handler);
  }

  connect(to: Endpoint, handler: TcpHandler, from = ""): TcpSocket {
    return this.#dialled(handler, from, "path" in to ? to.path.slice(IN_PROCESS.length + 1) : "");
  }

  listen(at: Endpoint, accept: Accept): Listener {
    this.#accept = accept;
    return {
      local: at,
      close: () => {
        this.#accept = undefined;
      },
    };
  }

  resolve(host: string, family: 0 | 4 | 6, done: (address: string | undefined, now: Millis) => void): void {
    this.#loop.resolve(host, family, done);
  }

  drive(driver: Driver): void {
    this.#loop.drive(driver);
  }

  wake(): void {
    this.#loop.wake();
  }

  readonly later = (task: (now: Millis) => void): void => this.#loop.later(task);

  /** Does what is due, so that farewells leave before `stop`. */
  round(): void {
    this.#loop.round();
  }

  stop(): void {
    this.#loop.stop();
  }
}
