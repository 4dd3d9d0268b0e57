/** The last moments of a stream socket that was closed: its input is read and thrown away until the peer ends too (see tcp-epoll.ts). */
import type { Bytes, Millis } from "../base/units.ts";
import { Block } from "./block.ts";
import { EAGAIN } from "./errno.ts";
import { MSG_DONTWAIT } from "./linux-abi.ts";
import type { Reactor } from "./reactor.ts";

/** Tuning: how long, how much and how many. */
const LINGER_MS: Millis = 2000;
const LINGER_BYTES_MAX: Bytes = 4 << 20;
const LINGERING_MAX = 1024;

const WASTE_BYTES = 65_536;
let waste: Block | undefined;

export class Linger {
  readonly #reactor: Reactor;
  readonly #fd: number;
  #left: Bytes = LINGER_BYTES_MAX;
  #release: (() => void) | undefined;

  /** Undefined when too many linger already. `release` is called once, when the descriptor can be closed. */
  static begin(reactor: Reactor, fd: number, release: () => void): Linger | undefined {
    if (reactor.counters.lingering >= LINGERING_MAX) {
      reactor.counters.lingerCut++;
      return undefined;
    }
    return new Linger(reactor, fd, release);
  }

  private constructor(reactor: Reactor, fd: number, release: () => void) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#release = release;
    reactor.counters.lingering++;
    reactor.after(LINGER_MS, () => this.#cut());
  }

  readable(): void {
    const { sys } = this.#reactor;
    waste ??= new Block(sys, WASTE_BYTES);
    while (this.#left > 0) {
      const n = sys.recv(this.#fd, waste.address, WASTE_BYTES, MSG_DONTWAIT);
      if (n > 0) this.#left -= n;
      else if (n < 0 && sys.errno() === EAGAIN) return;
      else {
        this.end();
        return;
      }
    }
    this.#cut();
  }

  end(): void {
    const release = this.#release;
    if (release === undefined) return;
    this.#release = undefined;
    this.#reactor.counters.lingering--;
    release();
  }

  #cut(): void {
    if (this.#release === undefined) return;
    this.#reactor.counters.lingerCut++;
    this.end();
  }
}
