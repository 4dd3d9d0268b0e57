/**
 * The loop on Linux: one epoll instance for everything, foreign calls instead of Node's sockets.
 *
 *   run (a thread by itself)              attach (inside Node's event loop)
 *     └────────────── round ──────────────┘
 *     sleep: epoll_pwait2 until the earliest of drivers' deadlines and timers, not at all when woken
 *     now ─► ready sockets ─► timers ─► later tasks ─► drivers
 *
 * Fairness: every ready socket is called once a round and does bounded work; who has more to do is ready again in the next round. What a
 * program does in `readable` and `advance` is its own affair.
 *
 * Source: epoll(7), epoll_pwait2(2).
 */
import { Heap } from "../base/heap.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { Agenda, type Task } from "./agenda.ts";
import { AddressCache } from "./block.ts";
import { connectEpoll } from "./connect-epoll.ts";
import { dualStack } from "./dual-stack.ts";
import { Epoll } from "./epoll.ts";
import { Gathering } from "./gathering.ts";
import { Handover, type HandoverData } from "./handover.ts";
import { IoVectors } from "./io-vectors.ts";
import { EPOLLIN } from "./linux-abi.ts";
import { EpollListener } from "./listener-epoll.ts";
import type {
  Accept,
  Driver,
  Endpoint,
  Listener,
  Loop,
  SourceAddress,
  TcpHandler,
  TcpSocket,
  UdpHandler,
  UdpOptions,
  UdpSocket,
} from "./loop.ts";
import { countRound, newLoopCounters } from "./loop-counters.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { lookUp, type Resolver, SystemResolver } from "./resolver.ts";
import { loadSys, type Poll, type Sys } from "./sys.ts";
import { UdpInbox } from "./udp-inbox.ts";
import { EpollUdpSocket } from "./udp-mmsg.ts";
import { UdpOutbox } from "./udp-outbox.ts";

export interface EpollLoopOptions {
  /** See Reactor; false by default. */
  readonly sharePorts?: boolean;
  /** See Reactor; none by default. */
  readonly handover?: HandoverData | undefined;
  /** By default the system's, which needs Node's event loop to run: `attach`, or a turn of it now and then. */
  readonly resolver?: Resolver;
  /** The system calls; tests put their own in between. */
  readonly sys?: Sys;
}

export class EpollLoop implements Loop, Reactor {
  readonly kind = "epoll";
  readonly sharePorts: boolean;
  readonly handover: Handover | undefined;
  readonly counters = newLoopCounters();
  readonly sys: Sys;
  readonly epoll: Epoll;
  readonly buffers: AddressCache;
  readonly vectors: IoVectors;
  readonly inbox: UdpInbox;
  readonly outbox: UdpOutbox;
  readonly resources = new Set<Resource>();
  readonly #resolver: Resolver;
  readonly #agenda = new Agenda();
  readonly #timers = new Heap<Task>();
  readonly #gathering = new Gathering();
  #deadline: Millis = NEVER;
  #woken = false;
  #inRound = false;
  #stopping = false;
  #closed = false;
  #attached: Attachment | undefined;

  /** @throws Error that says why foreign calls are not possible here, HostError when the kernel refuses */
  constructor(options: EpollLoopOptions = {}) {
    this.sharePorts = options.sharePorts ?? false;
    this.#resolver = options.resolver ?? new SystemResolver();
    this.sys = options.sys ?? loadSys();
    this.buffers = new AddressCache(this.sys);
    this.vectors = new IoVectors(this.sys, this.buffers);
    this.inbox = new UdpInbox(this.sys, this.buffers);
    this.outbox = new UdpOutbox(this.sys, this.buffers);
    this.epoll = new Epoll(this.sys);
    this.handover = options.handover === undefined ? undefined : new Handover(this, options.handover);
  }

  get stopped(): boolean {
    return this.#closed;
  }

  now(): Millis {
    return performance.now();
  }

  udp(options: UdpOptions, handler: UdpHandler): UdpSocket {
    return dualStack(options.host, (host) => new EpollUdpSocket(this, { ...options, host }, handler));
  }

  connect(to: Endpoint, handler: TcpHandler, _from?: string, source?: SourceAddress): TcpSocket {
    return connectEpoll(this, to, handler, source);
  }

  listen(at: Endpoint, accept: Accept): Listener {
    return "path" in at
      ? new EpollListener(this, at, accept)
      : dualStack(at.host, (host) => new EpollListener(this, { host, port: at.port }, accept));
  }

  resolve(host: string, family: 0 | 4 | 6, done: (address: string | undefined, now: Millis) => void): void {
    lookUp(this, this.#resolver, host, family, done);
  }

  drive(driver: Driver): void {
    this.#agenda.drive(driver);
    this.wake();
  }

  wake(): void {
    this.#woken = true;
    if (!this.#inRound) this.#attached?.soon();
  }

  later(task: Task): void {
    this.#agenda.later(task);
    this.wake();
  }

  after(delay: Millis, task: Task): void {
    this.#timers.push(this.now() + delay, task);
    if (!this.#inRound) this.#attached?.soon();
  }

  /** Watches a descriptor of somebody else's, level-triggered, such as the eventfd by which another thread wakes this one. */
  watch(fd: number, readable: (now: Millis) => void): void {
    this.epoll.add({ fd, ready: (_events, now) => readable(now) }, EPOLLIN);
  }

  /**
   * Blocks the thread and runs rounds until `stop`, or until the first round that ends after `until`: then Node's event loop of this
   * thread can have its turn. True when the loop has stopped.
   */
  run(until: Millis = NEVER): boolean {
    while (!this.#closed) {
      this.round(NEVER);
      if (until !== NEVER && this.now() >= until) break;
    }
    return this.#closed;
  }

  /**
   * Runs the loop inside Node's event loop of this thread instead of blocking it: a call more a round, and coarser deadlines. `gather`: where sockets become ready
   * faster than that, their input gathers for so long between two rounds (connections that bring a little often; nothing waits where little comes). Default 0.
   */
  attach({ gather = 0 }: { readonly gather?: Millis } = {}): void {
    this.#attached ??= new Attachment(this, gather);
  }

  /** When the next round is due if no socket becomes ready: the time it was due, or now. */
  get due(): Millis {
    return this.#woken ? 0 : Math.min(this.#deadline, this.#timers.minimum);
  }

  /** One round, that sleeps `sleepMax` at most; answers how many sockets were ready. */
  round(sleepMax: Millis): number {
    const { due } = this;
    const sleep = due === 0 || sleepMax === 0 ? 0 : Math.min(sleepMax, due === NEVER ? NEVER : due - this.now());
    if (sleep > 0) this.#gather(sleep);
    const ready = this.epoll.wait(sleep);
    const now = this.now();
    countRound(this.counters, due, now);
    this.#inRound = true;
    this.#woken = false;
    try {
      this.epoll.dispatch(ready, now);
      while (this.#timers.minimum <= now) this.#timers.pop()!(now);
      this.#deadline = this.#agenda.run(now);
    } finally {
      this.#inRound = false;
    }
    if (this.#stopping) this.#close();
    return ready;
  }

  /** Sleeps a little where much comes one by one; whatever is due is not late by more than that. */
  #gather(sleep: Millis): void {
    const pause = this.#gathering.pause(this.now(), this.inbox.messages);
    if (pause === 0 || pause > sleep) return;
    this.counters.pauses++;
    this.sys.usleep(Math.round(pause * 1000));
  }

  stop(): void {
    this.#stopping = true;
    if (!this.#inRound) this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#attached?.stop();
    for (const resource of this.resources) resource.destroy();
    this.epoll.close();
    this.inbox.close();
  }
}

/**
 * Ties the loop to Node's: an epoll descriptor can itself be watched. Where input gathers it is not watched but looked at by the clock, as long as each look finds
 * as much as makes that worth it.
 */
class Attachment {
  readonly #loop: EpollLoop;
  readonly #gather: Millis;
  #poll: Poll | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** When the current span of `#gather` began, and sockets ready in it. */
  #since: Millis = 0;
  #ready = 0;

  constructor(loop: EpollLoop, gather: Millis) {
    this.#loop = loop;
    this.#gather = gather;
    this.#watch();
    this.soon();
  }

  soon(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#turn();
    });
  }

  stop(): void {
    this.#poll?.stop();
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #watch(): void {
    // Not from within the foreign callback: behind that Node runs no promises, and whoever waits for what a round brings would wait for the next event.
    this.#poll ??= this.#loop.sys.poll(this.#loop.epoll.fd, () => this.soon());
  }

  #turn(): void {
    const loop = this.#loop;
    if (loop.stopped) return;
    const ready = loop.round(0);
    clearTimeout(this.#timer);
    if (loop.stopped) return;
    const gathers = this.#gather > 0 && this.#busy(ready);
    if (gathers) {
      this.#poll?.stop();
      this.#poll = undefined;
    } else this.#watch();
    if (loop.due === NEVER && !gathers) return;
    const delay = Math.min(loop.due - loop.now(), gathers ? this.#gather : NEVER);
    if (delay <= 0) this.soon();
    else this.#timer = setTimeout(() => this.#turn(), Math.ceil(delay));
  }

  /** Whether so much became ready within a span of `#gather` that the next may gather for as long. */
  #busy(ready: number): boolean {
    const now = this.#loop.now();
    if (this.#poll === undefined) return ready >= BUSY_READY;
    if (now - this.#since >= this.#gather) {
      this.#since = now;
      this.#ready = 0;
    }
    this.#ready += ready;
    return this.#ready >= BUSY_READY;
  }
}

/** Sockets ready in a span that input gathers for. */
const BUSY_READY = 8;
