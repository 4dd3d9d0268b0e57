/** An eventfd: one thread writes, another one that sleeps in epoll wakes. Source: eventfd(2). */
import { Block } from "./block.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK } from "./linux-abi.ts";
import { hostError, loadSys, type Sys } from "./sys.ts";

const COUNTER_BYTES = 8;

export class WakeEvent {
  readonly fd: number;
  readonly #sys: Sys;
  readonly #counter: Block;

  /** Makes one, or uses the descriptor of another thread's. @throws HostError */
  constructor(fd?: number) {
    this.#sys = loadSys();
    this.#counter = new Block(this.#sys, COUNTER_BYTES);
    this.fd = fd ?? this.#sys.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.fd < 0) throw hostError(this.#sys, "eventfd");
  }

  signal(): void {
    this.#counter.words[0] = 1;
    this.#counter.words[1] = 0;
    this.#sys.write(this.fd, this.#counter.address, COUNTER_BYTES);
  }

  /** Makes it unreadable until the next signal. */
  clear(): void {
    this.#sys.read(this.fd, this.#counter.address, COUNTER_BYTES);
  }

  close(): void {
    this.#sys.close(this.fd);
  }
}
