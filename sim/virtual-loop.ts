/** One virtual host's `Loop`: rounds are run by the network, TCP is a pair of pipes inside the host. */
import { type Millis, NEVER } from "../src/base/units.ts";
import type { Driver, Endpoint, Listener, Loop, TcpHandler, TcpSocket, UdpHandler, UdpOptions, UdpSocket } from "../src/host/loop.ts";
import type { Stalls } from "./stalls.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import { type Accept, connectPipe } from "./virtual-tcp.ts";
import { VirtualUdpSocket } from "./virtual-udp.ts";

export class VirtualLoop implements Loop {
  readonly kind = "virtual";
  readonly network: VirtualNetwork;
  readonly address: string;
  /** Rounds in which something was done. */
  rounds = 0;
  /** The machine is suspended: it does nothing, and what comes for it is lost. */
  asleep = false;
  /** When it is kept from running; never by default. */
  stalls: Stalls | undefined;
  readonly #drivers: Driver[] = [];
  #tasks: ((now: Millis) => void)[] = [];
  #deadline: Millis = NEVER;
  #awake = false;
  #nextPort = 40_000;
  readonly #listeners = new Map<number, Accept>();

  constructor(network: VirtualNetwork, address: string) {
    this.network = network;
    this.address = address;
  }

  now(): Millis {
    return this.network.now;
  }

  udp(options: UdpOptions, handler: UdpHandler): UdpSocket {
    return new VirtualUdpSocket(this, options.port === 0 ? this.#nextPort++ : options.port, handler, options.peersMax ?? 1024);
  }

  connect(to: Endpoint, handler: TcpHandler): TcpSocket {
    const accept = "port" in to ? this.#listeners.get(to.port) : undefined;
    const name = "port" in to ? `${to.host}:${to.port}` : to.path;
    return connectPipe(this, `${this.address}:${this.#nextPort++}`, name, accept, handler);
  }

  listen(at: Endpoint, accept: Accept): Listener {
    if (!("port" in at)) throw new Error("a virtual host listens on ports only");
    this.#listeners.set(at.port, accept);
    return { local: at, close: () => this.#listeners.delete(at.port) };
  }

  resolve(host: string, _family: 0 | 4 | 6, done: (address: string | undefined, now: Millis) => void): void {
    const { names } = this.network;
    this.post((now) => done(names === undefined || /^[\d.]+$|:/.test(host) ? host : names.get(host), now));
  }

  drive(driver: Driver): void {
    this.#drivers.push(driver);
    this.#awake = true;
  }

  wake(): void {
    this.#awake = true;
  }

  stop(): void {
    this.#drivers.length = 0;
    this.#tasks = [];
  }

  /** Runs a task in the next round, before the drivers. */
  post(task: (now: Millis) => void): void {
    this.#tasks.push(task);
  }

  deadline(): Millis {
    if (this.asleep) return NEVER;
    const due = this.#awake || this.#tasks.length > 0 ? this.network.now : this.#deadline;
    return this.stalls === undefined ? due : Math.max(due, this.stalls.until(this.network.now));
  }

  round(now: Millis): void {
    if (this.asleep || (this.stalls !== undefined && now < this.stalls.until(now))) return;
    if (!this.#awake && this.#tasks.length === 0 && now < this.#deadline) return;
    this.#awake = false;
    this.rounds++;
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task(now);
    let next: Millis = NEVER;
    for (const driver of this.#drivers) next = Math.min(next, driver.advance(now));
    this.#deadline = next;
  }
}
