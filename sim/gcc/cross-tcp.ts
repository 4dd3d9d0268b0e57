/** A TCP download without end that shares the bottleneck: the cross traffic of RFC 8867 5.6. */
import type { Bytes, Millis } from "../../src/base/units.ts";
import { TcpReceiver } from "../../src/emulator/tcp-receiver.ts";
import { SEGMENT_BYTES_MAX } from "../../src/emulator/tcp-segment.ts";
import { TcpSender } from "../../src/emulator/tcp-sender.ts";
import type { Member } from "../world.ts";
import type { Path, SegmentEnd } from "./path.ts";

const WINDOW: Bytes = 1 << 20;

export class CrossTcp implements Member {
  /** Bytes of data that arrived in order. */
  received: Bytes = 0;
  readonly #path: Path;
  readonly #startAt: Millis;
  readonly #sender = new TcpSender(WINDOW);
  readonly #receiver = new TcpReceiver(WINDOW);
  readonly #out = new Uint8Array(SEGMENT_BYTES_MAX);
  readonly #outView = new DataView(this.#out.buffer);
  readonly #data = new Uint8Array(65_536);
  readonly #far: SegmentEnd = {
    segment: (now, bytes, view, length) => {
      this.#receiver.receive(now, bytes, view, 0, length);
      this.received += this.#receiver.queue.length;
      this.#receiver.queue.consume(this.#receiver.queue.length);
      this.#acknowledge(now);
    },
  };
  readonly #near: SegmentEnd = { segment: (now, _bytes, view) => this.#sender.receive(now, view) };
  #started = false;

  constructor(path: Path, startAt: Millis = 0) {
    this.#path = path;
    this.#startAt = startAt;
  }

  turn(now: Millis): void {
    if (now < this.#startAt) return;
    this.#started = true;
    const sender = this.#sender;
    while (sender.room >= this.#data.length) sender.queue.push(this.#data, 0, this.#data.length);
    this.#acknowledge(now);
    sender.advance(now);
    for (let n = sender.transmit(now, this.#out, this.#outView); n > 0; n = sender.transmit(now, this.#out, this.#outView)) {
      this.#path.segment(now, this.#path.forward, this.#far, this.#out, n);
    }
  }

  deadline(): Millis {
    return this.#started ? Math.min(this.#sender.deadline(), this.#receiver.deadline()) : this.#startAt;
  }

  #acknowledge(now: Millis): void {
    const n = this.#receiver.transmit(now, this.#outView);
    if (n > 0) this.#path.segment(now, this.#path.backward, this.#near, this.#out, n);
  }
}
