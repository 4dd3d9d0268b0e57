/** The receiving end of the modelled TCP: puts segments in order, acknowledges every second one, and at once what is out of order (RFC 5681, 2018). */
import { ByteQueue } from "../base/byte-queue.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { HEADER_BYTES, readIndex, writeAck } from "./tcp-segment.ts";

/** Tuning of Linux. */
const DELAYED_ACK_MS: Millis = 40;

export class TcpReceiver {
  /** In order, not read yet. */
  readonly queue: ByteQueue;
  duplicates = 0;
  /** Segments not taken because the window was full. The model tells its sender no window: it sends them again. */
  droppedSegments = 0;
  readonly #ahead = new Map<number, Uint8Array>();
  /** Newest block first, as SACK wants it. */
  #recent: number[] = [];
  #next = 0;
  #unacked = 0;
  #ackAt: Millis = NEVER;
  readonly #segmentsMax: number;

  /** `windowBytes` bounds what is held in order and out of order, each. */
  constructor(windowBytes: Bytes) {
    this.queue = new ByteQueue(windowBytes);
    this.#segmentsMax = Math.ceil(windowBytes / 1024);
  }

  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const index = readIndex(view, start);
    const payload = start + HEADER_BYTES;
    if (index < this.#next || this.#ahead.has(index)) {
      this.duplicates++;
      this.#ackAt = now;
    } else if (index > this.#next) {
      if (this.#ahead.size < this.#segmentsMax) this.#ahead.set(index, bytes.slice(payload, end));
      else this.droppedSegments++;
      this.#recent = [index, ...this.#recent.slice(0, 7)];
      this.#ackAt = now;
    } else if (this.queue.push(bytes, payload, end)) {
      this.#next++;
      const filled = this.#ahead.size > 0;
      this.#takeAhead();
      this.#unacked++;
      this.#ackAt = filled || this.#unacked >= 2 ? now : Math.min(this.#ackAt, now + DELAYED_ACK_MS);
    } else this.droppedSegments++;
  }

  deadline(): Millis {
    return this.#ackAt;
  }

  /** Writes the ACK that is due; answers its length, 0 = none. */
  transmit(now: Millis, view: DataView): number {
    if (now < this.#ackAt) return 0;
    this.#ackAt = NEVER;
    this.#unacked = 0;
    return writeAck(view, this.#next, this.#blocks());
  }

  #takeAhead(): void {
    for (let held = this.#ahead.get(this.#next); held !== undefined; held = this.#ahead.get(this.#next)) {
      if (!this.queue.push(held, 0, held.length)) return;
      this.#ahead.delete(this.#next++);
    }
    this.#recent = this.#recent.filter((index) => index >= this.#next);
  }

  #blocks(): [number, number][] {
    const blocks: [number, number][] = [];
    for (const index of this.#recent) {
      if (!this.#ahead.has(index) || blocks.some(([first, behind]) => index >= first && index < behind)) continue;
      let [first, behind] = [index, index + 1];
      while (this.#ahead.has(first - 1)) first--;
      while (this.#ahead.has(behind)) behind++;
      blocks.push([first, behind]);
    }
    return blocks;
  }
}
