/**
 * A camera that sends frames over a link of fixed capacity without loss: the model on which libwebrtc's tests of its delay-based estimators run
 * (reference/gcc.md L, P21…P25), in whole microseconds so that results are comparable to the frame.
 */
import type { BitsPerSecond, Bytes, Micros } from "../../base/units.ts";

export const MTU: Bytes = 1200;

export class CameraStream {
  readonly #framesPerSecond: number;
  bitrate: BitsPerSecond;
  nextFrame: Micros = 0;

  constructor(framesPerSecond: number, bitrate: BitsPerSecond) {
    this.#framesPerSecond = framesPerSecond;
    this.bitrate = bitrate;
  }

  /** Sizes of the packets of the frame that is due; the next one is set. */
  frame(now: Micros): Bytes[] {
    const bits = Math.floor((this.bitrate + this.#framesPerSecond / 2) / this.#framesPerSecond);
    const packets = Math.max(Math.floor((bits + 4 * MTU) / (8 * MTU)), 1);
    const size = Math.floor((bits + 4 * packets) / (8 * packets));
    this.nextFrame = now + Math.floor((1_000_000 + this.#framesPerSecond / 2) / this.#framesPerSecond);
    return new Array(packets).fill(size);
  }
}

export interface FramePacket {
  readonly sendTime: Micros;
  readonly arrival: Micros;
  readonly size: Bytes;
  /** Place of its stream, from 0. */
  readonly stream: number;
}

export class StreamGenerator {
  capacity: BitsPerSecond;
  readonly #streams: CameraStream[] = [];
  #lastArrival: Micros;

  constructor(capacity: BitsPerSecond, now: Micros) {
    this.capacity = capacity;
    this.#lastArrival = now;
  }

  add(stream: CameraStream): void {
    this.#streams.push(stream);
  }

  /** Shares a rate among the streams in the proportions they had. */
  setBitrate(total: BitsPerSecond): void {
    const before = this.#streams.reduce((sum, { bitrate }) => sum + bitrate, 0);
    let seen = 0;
    let given = 0;
    for (const stream of this.#streams) {
      seen += stream.bitrate;
      stream.bitrate = Math.floor((seen * total + before / 2) / before) - given;
      given += stream.bitrate;
    }
  }

  /** Packets of the frame that is due at `now`, and when the next one is. */
  generate(now: Micros): { packets: FramePacket[]; next: Micros } {
    const due = this.#earliest();
    const sizes = due.nextFrame <= now ? due.frame(now) : [];
    const stream = this.#streams.indexOf(due);
    const bitsPerMilli = Math.floor(this.capacity / 1000);
    const packets = sizes.map((size) => {
      const transmission = Math.floor((8000 * size + Math.floor(bitsPerMilli / 2)) / bitsPerMilli);
      this.#lastArrival = Math.max(now, this.#lastArrival) + transmission;
      return { sendTime: now, arrival: this.#lastArrival, size, stream };
    });
    return { packets, next: Math.max(this.#earliest().nextFrame, now) };
  }

  #earliest(): CameraStream {
    return this.#streams.reduce((a, b) => (b.nextFrame < a.nextFrame ? b : a));
  }
}
