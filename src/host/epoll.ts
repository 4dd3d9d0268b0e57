/**
 * One epoll instance: descriptors in, readiness out.
 *
 *   epoll_event   events u32 · data u64        12 bytes on x86-64 (packed), 16 on arm64 (data after 4 bytes of padding)
 *   data          slot u32 · generation u32
 *
 * The generation tells an event for a socket that was closed earlier in the same round from one for the socket that has taken
 * its slot since. Source: epoll(7), epoll_ctl(2), epoll_pwait2(2).
 */
import type { Millis } from "../base/units.ts";
import { Block } from "./block.ts";
import { EINTR, ENOSYS } from "./errno.ts";
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from "./linux-abi.ts";
import { hostError, type Sys } from "./sys.ts";

/** Something with a descriptor that is told when it is ready. */
export interface Pollable {
  readonly fd: number;
  /** `events` are EPOLL… bits. Must do bounded work: others wait. */
  ready(events: number, now: Millis): void;
}

/** Where a pollable is registered; handed back to `modify` and `remove`. */
export type Registration = number;

/** Events taken in one round; more wait for the next one. */
const EVENTS_MAX = 256;
const PACKED = process.arch === "x64";
const EVENT_WORDS = PACKED ? 3 : 4;
const DATA_WORD = PACKED ? 1 : 2;
/** Longest sleep, so that every timeout fits the kernel's types: an hour. */
const SLEEP_MAX: Millis = 3_600_000;

export class Epoll {
  readonly fd: number;
  readonly #sys: Sys;
  readonly #events: Block;
  readonly #one: Block;
  readonly #timeout: Block;
  readonly #pollables: (Pollable | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #fine: boolean;

  constructor(sys: Sys) {
    this.#sys = sys;
    this.#events = new Block(sys, EVENTS_MAX * EVENT_WORDS * 4);
    this.#one = new Block(sys, EVENT_WORDS * 4);
    this.#timeout = new Block(sys, 16);
    this.#fine = sys.epoll_pwait2 !== undefined;
    this.fd = sys.epoll_create1(EPOLL_CLOEXEC);
    if (this.fd < 0) throw hostError(sys, "epoll_create1");
  }

  /** @throws HostError when the kernel refuses to watch one more */
  add(pollable: Pollable, events: number): Registration {
    const slot = this.#free.pop() ?? this.#pollables.push(undefined) - 1;
    this.#generations[slot] ??= 0;
    this.#pollables[slot] = pollable;
    if (this.#control(EPOLL_CTL_ADD, slot, events) < 0) {
      const error = hostError(this.#sys, "epoll_ctl");
      this.#vacate(slot);
      throw error;
    }
    return slot;
  }

  modify(registration: Registration, events: number): void {
    this.#control(EPOLL_CTL_MOD, registration, events);
  }

  /** Call it before the descriptor is closed. */
  remove(registration: Registration): void {
    this.#control(EPOLL_CTL_DEL, registration, 0);
    this.#vacate(registration);
  }

  /** Sleeps until something is ready or `timeout` has passed; answers how many events `dispatch` will find. */
  wait(timeout: Millis): number {
    const sys = this.#sys;
    const sleep = Math.min(Math.max(timeout, 0), SLEEP_MAX);
    for (;;) {
      const n = this.#fine ? this.#waitFine(sleep) : sys.epoll_wait(this.fd, this.#events.address, EVENTS_MAX, Math.ceil(sleep));
      if (n >= 0) return n;
      const errno = sys.errno();
      // A signal cuts the sleep short; a round more does no harm.
      if (errno === EINTR) return 0;
      if (errno !== ENOSYS || !this.#fine) throw hostError(sys, "epoll_wait");
      this.#fine = false;
    }
  }

  dispatch(count: number, now: Millis): void {
    const { words } = this.#events;
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_WORDS;
      const slot = words[at + DATA_WORD]!;
      if (this.#generations[slot] === words[at + DATA_WORD + 1]) this.#pollables[slot]?.ready(words[at]!, now);
    }
  }

  close(): void {
    this.#sys.close(this.fd);
  }

  #waitFine(sleep: Millis): number {
    const { words, address } = this.#timeout;
    const seconds = Math.floor(sleep / 1000);
    words[0] = seconds;
    words[2] = Math.ceil((sleep - seconds * 1000) * 1e6);
    if (words[2] === 1_000_000_000) words[2] = 999_999_999;
    return this.#sys.epoll_pwait2!(this.fd, this.#events.address, EVENTS_MAX, address, 0);
  }

  #control(operation: number, slot: number, events: number): number {
    const { words, address } = this.#one;
    words[0] = events;
    words[DATA_WORD] = slot;
    words[DATA_WORD + 1] = this.#generations[slot]!;
    return this.#sys.epoll_ctl(this.fd, operation, this.#pollables[slot]!.fd, address);
  }

  #vacate(slot: number): void {
    this.#pollables[slot] = undefined;
    this.#generations[slot] = (this.#generations[slot]! + 1) | 0;
    this.#free.push(slot);
  }
}
