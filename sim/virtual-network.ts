/**
 * Whole programs in virtual time: hosts whose `Loop` (host/loop.ts) is simulated, so that the tunnel's client and server run unchanged.
 *
 * UDP between hosts crosses a seeded EmulatedLink each way; TCP exists only inside a host (an application beside its tunnel end), as a pair
 * of bounded pipes. Nothing happens between events, so an hour of traffic takes as long as its packets need.
 */

import { SLOT_BYTES } from "../src/base/batch.ts";
import { Heap } from "../src/base/heap.ts";
import { type Millis, NEVER } from "../src/base/units.ts";
import { EmulatedLink } from "../src/emulator/link.ts";
import { parseLink } from "../src/emulator/parse.ts";
import { VirtualLoop } from "./virtual-loop.ts";
import type { VirtualUdpSocket } from "./virtual-udp.ts";

/** So often everybody may be called without time going on; more is a program that spins. */
const ROUNDS_PER_INSTANT_MAX = 100_000;

/** Two hosts and the link from one to the other; several may share one. */
interface Path {
  readonly link: EmulatedLink;
  readonly from: string;
  readonly to: string;
}

/** Where a datagram goes: its tag in the link is an index into `routes`. */
interface Route {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
}

export class VirtualNetwork {
  now: Millis = 0;
  readonly #loops = new Map<string, VirtualLoop>();
  readonly #sockets = new Map<string, VirtualUdpSocket>();
  readonly #paths: Path[] = [];
  readonly #links: EmulatedLink[] = [];
  readonly #routes: Route[] = [];
  readonly #routeIds = new Map<string, number>();
  readonly #timers = new Heap<() => void>();
  readonly #datagram = new Uint8Array(SLOT_BYTES);
  /** Addresses of names; undefined = every name is its own address. */
  names: Map<string, string> | undefined;
  /** Datagrams to a port nobody listens on. */
  unreachable = 0;

  /** How many hosts there are. */
  get loops(): number {
    return this.#loops.size;
  }

  host(address: string): VirtualLoop {
    let loop = this.#loops.get(address);
    if (loop === undefined) {
      loop = new VirtualLoop(this, address);
      this.#loops.set(address, loop);
    }
    return loop;
  }

  /** Joins two hosts: `link` as netlab writes it, for each direction. */
  join(a: string, b: string, link: string, seed: number): { ab: EmulatedLink; ba: EmulatedLink } {
    const ab = new EmulatedLink(parseLink(link), seed);
    const ba = new EmulatedLink(parseLink(link), seed + 1);
    this.#links.push(ab, ba);
    this.#paths.push({ link: ab, from: a, to: b }, { link: ba, from: b, to: a });
    return { ab, ba };
  }

  /** Lets two more hosts share the links that join others. */
  share(a: string, b: string, { ab, ba }: { ab: EmulatedLink; ba: EmulatedLink }): void {
    this.#paths.push({ link: ab, from: a, to: b }, { link: ba, from: b, to: a });
  }

  /** Calls back at a virtual time. */
  at(time: Millis, task: () => void): void {
    this.#timers.push(time, task);
  }

  bind(socket: VirtualUdpSocket): void {
    this.#sockets.set(`${socket.local.host} ${socket.local.port}`, socket);
  }

  unbind(socket: VirtualUdpSocket): void {
    this.#sockets.delete(`${socket.local.host} ${socket.local.port}`);
  }

  send(from: string, fromPort: number, to: string, toPort: number, bytes: Uint8Array, start: number, end: number): void {
    // Inside a host datagrams cross no link.
    if (from === to) {
      const socket = this.#sockets.get(`${to} ${toPort}`);
      if (socket === undefined) this.unreachable++;
      else socket.deliver(bytes.slice(start, end), end - start, from, fromPort);
      return;
    }
    const path = this.#paths.find((candidate) => candidate.from === from && candidate.to === to);
    if (path === undefined) {
      this.unreachable++;
      return;
    }
    const key = `${from} ${fromPort} ${to} ${toPort}`;
    let route = this.#routeIds.get(key);
    if (route === undefined) {
      route = this.#routes.push({ from, to, fromPort, toPort }) - 1;
      this.#routeIds.set(key, route);
    }
    path.link.receive(this.now, bytes, start, end, route);
  }

  /** Delivers a datagram at once, whoever it says it is from: an attacker's. */
  inject(from: string, fromPort: number, to: string, toPort: number, bytes: Uint8Array): void {
    const socket = this.#sockets.get(`${to} ${toPort}`);
    if (socket === undefined) this.unreachable++;
    else socket.deliver(bytes, bytes.length, from, fromPort);
  }

  /** Runs until `time` or until `done` says so; answers whether `done` did. */
  run(time: Millis, done: () => boolean = () => false): boolean {
    let roundsNow = 0;
    for (;;) {
      for (const loop of this.#loops.values()) loop.round(this.now);
      if (done()) return true;
      if (++roundsNow > ROUNDS_PER_INSTANT_MAX) throw new Error(`somebody wakes for ever at ${this.now} ms of virtual time`);
      const next = this.#next();
      if (next > time) {
        this.now = time;
        return done();
      }
      if (next > this.now) roundsNow = 0;
      this.now = Math.max(this.now, next);
      while (this.#timers.minimum <= this.now) this.#timers.pop()?.();
      for (const link of this.#links) this.#deliver(link);
    }
  }

  #next(): Millis {
    let next = this.#timers.minimum;
    for (const link of this.#links) next = Math.min(next, link.deadline());
    for (const loop of this.#loops.values()) next = Math.min(next, loop.deadline());
    return next === NEVER ? NEVER : next;
  }

  #deliver(link: EmulatedLink): void {
    for (;;) {
      const length = link.transmit(this.now, this.#datagram, 0);
      if (length === 0) return;
      const { from, to, fromPort, toPort } = this.#routes[link.tag]!;
      const socket = this.#sockets.get(`${to} ${toPort}`);
      if (socket === undefined) this.unreachable++;
      else socket.deliver(this.#datagram, length, from, fromPort);
    }
  }
}
