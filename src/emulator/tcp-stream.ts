/**
 * One direction of a TCP connection as a kernel would carry it over a bad link: a model for machines where no root is at hand to put a real one there.
 *
 *   write ─▶ TcpSender ─▶ [link ahead] ─▶ TcpReceiver ─▶ read
 *                ◀──────── [link back] ◀── ACKs
 *
 * Checked against kernel TCP over the same links (reference/baseline.md): tcp-stream.test.ts.
 */
import type { Bytes, Millis } from "../base/units.ts";
import { EmulatedLink } from "./link.ts";
import type { LinkParameters } from "./parameters.ts";
import { TcpReceiver } from "./tcp-receiver.ts";
import { SEGMENT_BYTES_MAX } from "./tcp-segment.ts";
import { TcpSender } from "./tcp-sender.ts";

export interface TcpStreamOptions {
  /** Bytes written and not acknowledged; default 4 MiB, Linux's largest. Linux gives a slow connection far less. */
  readonly sendBufferBytes?: Bytes;
  /** Receive window; default 6 MiB. */
  readonly windowBytes?: Bytes;
}

export class TcpStream {
  readonly sender: TcpSender;
  readonly receiver: TcpReceiver;
  readonly ahead: EmulatedLink;
  readonly back: EmulatedLink;
  readonly #segment = new Uint8Array(SEGMENT_BYTES_MAX);
  readonly #view = new DataView(this.#segment.buffer);

  constructor(link: LinkParameters, seed: number, { sendBufferBytes = 4_194_304, windowBytes = 6_291_456 }: TcpStreamOptions = {}) {
    this.ahead = new EmulatedLink(link, seed, { protocol: "tcp" });
    this.back = new EmulatedLink(link, seed + 1, { protocol: "tcp" });
    this.sender = new TcpSender(sendBufferBytes);
    this.receiver = new TcpReceiver(windowBytes);
  }

  /** Takes what the send buffer has room for. */
  write(_now: Millis, bytes: Uint8Array, start: number, end: number): number {
    const n = Math.min(end - start, this.sender.room);
    if (n > 0) this.sender.queue.push(bytes, start, start + n);
    return n;
  }

  /** Bytes that have arrived in order. */
  get readable(): Bytes {
    return this.receiver.queue.length;
  }

  read(into: Uint8Array, offset: number, limit: number): number {
    const n = this.receiver.queue.peek(into, offset, limit);
    this.receiver.queue.consume(n);
    return n;
  }

  advance(now: Millis): void {
    const { sender, receiver, ahead, back } = this;
    const segment = this.#segment;
    const view = this.#view;
    for (let n = back.transmit(now, segment, 0); n > 0; n = back.transmit(now, segment, 0)) sender.receive(now, view);
    for (let n = ahead.transmit(now, segment, 0); n > 0; n = ahead.transmit(now, segment, 0)) {
      receiver.receive(now, segment, view, 0, n);
      this.#acknowledge(now);
    }
    this.#acknowledge(now);
    sender.advance(now);
    for (let n = sender.transmit(now, segment, view); n > 0; n = sender.transmit(now, segment, view)) ahead.receive(now, segment, 0, n, 0);
  }

  deadline(): Millis {
    return Math.min(this.ahead.deadline(), this.back.deadline(), this.sender.deadline(), this.receiver.deadline());
  }

  #acknowledge(now: Millis): void {
    const n = this.receiver.transmit(now, this.#view);
    if (n > 0) this.back.receive(now, this.#segment, 0, n, 0);
  }
}
