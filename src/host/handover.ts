/**
 * Connections go to the thread that has fewest. The kernel gives a new one to any of the threads that listen at a port (SO_REUSEPORT), whatever they have to do;
 * whoever accepts it hands it over when another has fewer.
 *
 *   accept ─► pass ─┬─ mine are not more ─► ours
 *                   └─ the other's ring (shared memory), its eventfd ─► drain ─► its listener of the same place ─► accept
 *                                                                         └ none there yet, or no more ─► back to whom it came from
 *
 * The rings have many writers and one reader: a writer takes the next place by compare-and-swap and marks it when it is written; the reader stops at the first one
 * that is not marked. A full ring hands nothing over. Descriptors are the process's, so that they need no passing.
 */
import type { Millis } from "../base/units.ts";
import { Block } from "./block.ts";
import type { Pollable } from "./epoll.ts";
import { isUnspecified, splitHostPort } from "./ip-address.ts";
import { EPOLLIN, SO_LINGER, SOL_SOCKET } from "./linux-abi.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { localName, SOCKADDR_BYTES } from "./sockaddr.ts";
import { setOption } from "./socket-option.ts";
import { WakeEvent } from "./wake-event.ts";

/** What a thread is given: by structured clone, the memory shared. */
export interface HandoverData {
  readonly memory: SharedArrayBuffer;
  readonly wakeFds: readonly number[];
  readonly index: number;
}

/** Takes a connection whose peer's sockaddr is at `name`. */
export type Take = (fd: number, name: Int32Array, now: Millis) => void;

/** Connections that wait for a thread to wake. */
const PLACES = 256; // a power of two
/** Words of a thread: how many connections it has, the next place to be written, the next to be read, then the places. */
const LOAD = 0;
const WRITTEN = 1;
const READ = 2;
const HEAD_WORDS = 4;
/** Words of a place: mark, descriptor, who handed it over, the peer's sockaddr. */
const FD = 1;
const FROM = 2;
const NAME = 3;
const NAME_WORDS = SOCKADDR_BYTES >> 2;
const PLACE_WORDS = NAME + NAME_WORDS;
const THREAD_WORDS = HEAD_WORDS + PLACES * PLACE_WORDS;
const EMPTY = 0;
const NEW = 1;
const BACK = 2;
/** Tuning: a difference of less than a sixteenth is left alone, so that many short connections stay where they come in. */
const SLACK_SHIFT = 4;

/** Made by whoever starts the threads. */
export class HandoverTable {
  readonly #memory: SharedArrayBuffer;
  readonly #wakes: readonly WakeEvent[];

  /** @throws HostError when there are no descriptors left */
  constructor(threads: number) {
    this.#memory = new SharedArrayBuffer(threads * THREAD_WORDS * 4);
    this.#wakes = Array.from({ length: threads }, () => new WakeEvent());
  }

  data(index: number): HandoverData {
    return { memory: this.#memory, wakeFds: this.#wakes.map(({ fd }) => fd), index };
  }

  /** Once the threads have ended. */
  close(): void {
    for (const wake of this.#wakes) wake.close();
  }
}

/** A thread's end. */
export class Handover implements Pollable, Resource {
  readonly fd: number;
  readonly #reactor: Reactor;
  readonly #words: Int32Array;
  readonly #wakes: readonly WakeEvent[];
  readonly #index: number;
  readonly #name: Block;
  readonly #listeners = new Map<string, Take>();

  constructor(reactor: Reactor, { memory, wakeFds, index }: HandoverData) {
    this.#reactor = reactor;
    this.#words = new Int32Array(memory);
    this.#wakes = wakeFds.map((fd) => new WakeEvent(fd));
    this.#index = index;
    this.#name = new Block(reactor.sys, SOCKADDR_BYTES);
    this.fd = wakeFds[index]!;
    reactor.epoll.add(this, EPOLLIN);
    reactor.resources.add(this);
  }

  /** `place`: a listener's address and port; of one at all addresses the port alone is asked. */
  serve(place: string, take: Take): void {
    this.#listeners.set(keyOf(place), take);
  }

  leave(place: string): void {
    this.#listeners.delete(keyOf(place));
  }

  /** True: another thread has it. False: it is ours, and counted as such until `ended`. */
  pass(fd: number, name: Int32Array): boolean {
    const words = this.#words;
    const mine = Atomics.load(words, this.#at(this.#index) + LOAD);
    let least = mine;
    let thread = this.#index;
    for (let i = 0; i < this.#wakes.length; i++) {
      const load = Atomics.load(words, this.#at(i) + LOAD);
      if (load >= least) continue;
      least = load;
      thread = i;
    }
    if (mine - least > least >> SLACK_SHIFT && this.#put(thread, NEW, fd, name)) return true;
    Atomics.add(words, this.#at(this.#index) + LOAD, 1);
    return false;
  }

  /** A connection of ours is no more. */
  ended(): void {
    Atomics.sub(this.#words, this.#at(this.#index) + LOAD, 1);
  }

  /** What was handed over to us. */
  ready(_events: number, now: Millis): void {
    this.#wakes[this.#index]!.clear();
    this.#drain((fd, mark, from) => {
      const local = localName(this.#reactor.sys, fd);
      const take = this.#listeners.get(local) ?? this.#listeners.get(portKey(local));
      if (take !== undefined) take(fd, this.#name.words, now);
      else {
        this.ended();
        if (mark === BACK || !this.#put(from, BACK, fd, this.#name.words)) this.#refuse(fd);
      }
    });
  }

  /** The loop stops. */
  destroy(): void {
    this.#reactor.resources.delete(this);
    this.#drain((fd) => {
      this.ended();
      this.#refuse(fd);
    });
  }

  #drain(each: (fd: number, mark: number, from: number) => void): void {
    const words = this.#words;
    const at = this.#at(this.#index);
    for (let left = PLACES; left > 0; left--) {
      const read = Atomics.load(words, at + READ);
      const place = at + HEAD_WORDS + (read & (PLACES - 1)) * PLACE_WORDS;
      const mark = Atomics.load(words, place);
      if (mark === EMPTY) return;
      const fd = words[place + FD]!;
      const from = words[place + FROM]!;
      for (let i = 0; i < NAME_WORDS; i++) this.#name.words[i] = words[place + NAME + i]!;
      Atomics.store(words, place, EMPTY);
      Atomics.store(words, at + READ, (read + 1) | 0);
      each(fd, mark, from);
    }
  }

  /** False: no place is free. */
  #put(thread: number, mark: number, fd: number, name: Int32Array): boolean {
    const words = this.#words;
    const at = this.#at(thread);
    for (;;) {
      const written = Atomics.load(words, at + WRITTEN);
      if (((written - Atomics.load(words, at + READ)) | 0) >= PLACES) return false;
      if (Atomics.compareExchange(words, at + WRITTEN, written, (written + 1) | 0) !== written) continue;
      const place = at + HEAD_WORDS + (written & (PLACES - 1)) * PLACE_WORDS;
      words[place + FD] = fd;
      words[place + FROM] = this.#index;
      for (let i = 0; i < NAME_WORDS; i++) words[place + NAME + i] = name[i]!;
      Atomics.add(words, at + LOAD, 1);
      Atomics.store(words, place, mark);
      this.#wakes[thread]!.signal();
      this.#reactor.counters.handedOver++;
      return true;
    }
  }

  #refuse(fd: number): void {
    const { sys, counters } = this.#reactor;
    counters.acceptRefused++;
    setOption(sys, fd, SOL_SOCKET, SO_LINGER, 1, 0);
    sys.close(fd);
  }

  #at(thread: number): number {
    return thread * THREAD_WORDS;
  }
}

const portKey = (place: string): string => `*${place.slice(place.lastIndexOf(":"))}`;

function keyOf(place: string): string {
  const { host } = splitHostPort(place);
  return isUnspecified(host) ? portKey(place) : place;
}
