/** Two datagram cores joined by an emulated link each way. */
import { SLOT_BYTES } from "../src/base/batch.ts";
import type { Bytes, Millis } from "../src/base/units.ts";
import type { EmulatedLink } from "../src/emulator/link.ts";
import type { Member } from "./world.ts";

/** What KCP, and any core that follows DESIGN.md "Contracts", offers. */
export interface DatagramCore {
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number, regular: boolean): boolean;
  advance(now: Millis): void;
  deadline(): Millis;
  transmit(now: Millis, into: Uint8Array, view: DataView, offset: number): Bytes;
}

export class Joint implements Member {
  readonly #directions: readonly { readonly from: DatagramCore; readonly to: DatagramCore; readonly link: EmulatedLink }[];
  readonly #bytes = new Uint8Array(SLOT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(a: DatagramCore, b: DatagramCore, ab: EmulatedLink, ba: EmulatedLink) {
    this.#directions = [
      { from: a, to: b, link: ab },
      { from: b, to: a, link: ba },
    ];
  }

  turn(now: Millis): void {
    for (const { link, to } of this.#directions) {
      for (let n = link.transmit(now, this.#bytes, 0); n > 0; n = link.transmit(now, this.#bytes, 0)) {
        to.receive(now, this.#bytes, this.#view, 0, n, true);
        this.#drain(now, to);
      }
    }
    for (const { from } of this.#directions) {
      from.advance(now);
      this.#drain(now, from);
    }
  }

  deadline(): Millis {
    const [ab, ba] = this.#directions;
    return Math.min(ab!.link.deadline(), ba!.link.deadline(), ab!.from.deadline(), ba!.from.deadline());
  }

  /** Puts what the core has to send on its link: after every mutation from outside. */
  #drain(now: Millis, core: DatagramCore): void {
    const link = this.#directions.find(({ from }) => from === core)!.link;
    for (let n = core.transmit(now, this.#bytes, this.#view, 0); n > 0; n = core.transmit(now, this.#bytes, this.#view, 0)) {
      link.receive(now, this.#bytes, 0, n);
    }
  }
}
