/**
 * The loop anywhere: Node's own sockets and timers behind the same contract.
 *
 *   event of Node ─► flags and copies ─► setImmediate ─► round: tasks (receive, readable, …) ─► drivers ─► setTimeout(deadline)
 *
 * All events of one turn of Node's event loop meet in one round, so handlers see batches here too.
 *
 * Deviations from loop-epoll.ts: deadlines hold to a millisecond or two, and the timers of a process that computes come later still.
 */
import { Socket, type SocketConstructorOpts } from "node:net";
import { type Millis, NEVER } from "../base/units.ts";
import { Agenda, type Task } from "./agenda.ts";
import { dualStack } from "./dual-stack.ts";
import { formatHostPort, ipFamily } from "./ip-address.ts";
import { NetListener, type NetListenerOptions } from "./listener-net.ts";
import type { Accept, Driver, Endpoint, Listener, Loop, TcpHandler, TcpSocket, UdpHandler, UdpOptions, UdpSocket } from "./loop.ts";
import { countRound, newLoopCounters } from "./loop-counters.ts";
import type { NodeReactor } from "./node-reactor.ts";
import type { Resource } from "./reactor.ts";
import { lookUp, type Resolver, SystemResolver } from "./resolver.ts";
import { NetTcpSocket, QUEUE_BYTES } from "./tcp-net.ts";
import { CallsUdpSocket, type UdpCalls } from "./udp-calls.ts";
import { DgramUdpSocket } from "./udp-dgram.ts";

/** Node's timers take no more. */
const TIMEOUT_MAX: Millis = 2_147_483_647;

export interface NodeLoopOptions {
  readonly resolver?: Resolver;
  readonly stopped?: () => void;
  /** Datagrams go by system calls; without it by node:dgram. */
  readonly udpCalls?: UdpCalls | undefined;
}

export class NodeLoop implements Loop, NodeReactor {
  readonly kind = "node";
  readonly counters = newLoopCounters();
  readonly resources = new Set<Resource>();
  readonly #resolver: Resolver;
  readonly #agenda = new Agenda();
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerDue: Millis = NEVER;
  /** When the next round is due whatever the sockets do. */
  #deadline: Millis = NEVER;
  #inRound = false;
  #stopping = false;
  #stopped = false;
  readonly #whenStopped: (() => void) | undefined;
  readonly #udpCalls: UdpCalls | undefined;

  constructor(options: NodeLoopOptions = {}) {
    this.#udpCalls = options.udpCalls;
    this.#resolver = options.resolver ?? new SystemResolver();
    this.#whenStopped = options.stopped;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  now(): Millis {
    return performance.now();
  }

  udp(options: UdpOptions, handler: UdpHandler): UdpSocket {
    const calls = this.#udpCalls;
    return dualStack(options.host, (host) =>
      calls === undefined
        ? new DgramUdpSocket(this, { ...options, host }, handler)
        : new CallsUdpSocket(this, calls, { ...options, host }, handler),
    );
  }

  connect(to: Endpoint, handler: TcpHandler): TcpSocket {
    const socket = new Socket({ allowHalfOpen: true, highWaterMark: QUEUE_BYTES } as SocketConstructorOpts);
    const wrapped = new NetTcpSocket(this, socket, "path" in to ? to.path : formatHostPort(to.host, to.port));
    wrapped.attach(handler);
    if ("path" in to) socket.connect({ path: to.path });
    else if (ipFamily(to.host) === 0) wrapped.failLater("EINVAL");
    else socket.connect({ host: to.host, port: to.port, autoSelectFamily: false });
    return wrapped;
  }

  listen(at: Endpoint, accept: Accept): Listener {
    return "path" in at
      ? new NetListener(this, at, accept)
      : dualStack(at.host, (host) => new NetListener(this, { host, port: at.port }, accept));
  }

  /**
   * As `listen`, for connections inside TLS, or behind proxies that say by the PROXY protocol from where they come.
   * @throws HostError; Error when the certificate or its key is none
   */
  listenWith(at: Exclude<Endpoint, { readonly path: string }>, options: NetListenerOptions, accept: Accept): Listener {
    return dualStack(at.host, (host) => new NetListener(this, { host, port: at.port }, accept, options));
  }

  resolve(host: string, family: 0 | 4 | 6, done: (address: string | undefined, now: Millis) => void): void {
    lookUp(this, this.#resolver, host, family, done);
  }

  drive(driver: Driver): void {
    this.#agenda.drive(driver);
    this.wake();
  }

  wake(): void {
    if (this.#stopped) return;
    this.#immediate ??= setImmediate(this.#turn);
  }

  later(task: Task): void {
    this.#agenda.later(task);
    this.wake();
  }

  round(): void {
    if (this.#inRound || this.#stopped) return;
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    const now = this.now();
    countRound(this.counters, this.#deadline, now);
    let deadline: Millis = NEVER;
    this.#inRound = true;
    try {
      deadline = this.#agenda.run(now);
    } finally {
      this.#inRound = false;
    }
    if (this.#stopping) this.#close();
    else this.#schedule(deadline);
  }

  stop(): void {
    this.#stopping = true;
    if (!this.#inRound) this.#close();
  }

  #close(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    for (const resource of this.resources) resource.destroy();
    this.#agenda.clear();
    this.#whenStopped?.();
  }

  readonly #turn = (): void => {
    this.#immediate = undefined;
    this.round();
  };

  readonly #timeout = (): void => {
    this.#timer = undefined;
    this.#timerDue = NEVER;
    this.round();
  };

  #schedule(deadline: Millis): void {
    this.#deadline = deadline;
    const now = this.now();
    if (deadline <= now) {
      this.wake();
      return;
    }
    if (deadline === this.#timerDue) return;
    clearTimeout(this.#timer);
    this.#timerDue = deadline;
    this.#timer = deadline === NEVER ? undefined : setTimeout(this.#timeout, Math.min(Math.ceil(deadline - now), TIMEOUT_MAX));
  }
}
