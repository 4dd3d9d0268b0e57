/**
 * A real VP8 stream at any rate: frames of a small file, each filled up with zeros behind its last partition, where no decoder looks (RFC 6386 section 9.5).
 * What is sent can be decoded and is as long as an encoder's frame at that rate would be.
 */
import { readFileSync } from "node:fs";
import type { OutboundStream } from "../../src/webrtc/outbound-stream.ts";
import { type Encoder, PAYLOAD_MAX } from "../../src/webrtc/outbound-stream.ts";
import type { Peer } from "../../src/webrtc/peer.ts";

const FRAME_MS = 1000 / 30;
const CLOCK_PER_FRAME = 3000;
/** S bit of the payload descriptor: begins a partition (RFC 7741 section 4.2). */
const START = 0x10;

export class FilledVideo implements Encoder {
  readonly #frames: Uint8Array[];
  readonly #payload = new Uint8Array(PAYLOAD_MAX);
  #bitrate = 0;
  #next = 0;
  #keyFrameWanted = false;
  /** Bytes by which frames so far were longer than they should be. */
  #debt = 0;
  #timestamp = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string) {
    this.#frames = readIvf(path);
  }

  onBitrate(media: number): void {
    this.#bitrate = media;
  }

  onKeyFrameRequest(): void {
    this.#keyFrameWanted = true;
  }

  start(peer: Peer): void {
    const stream = peer.outbound[0]!;
    let due = performance.now();
    const tick = (): void => {
      // Like a camera: what came while nobody looked is gone.
      if (performance.now() >= due) this.#frame(peer, stream);
      while (due <= performance.now()) due += FRAME_MS;
      this.#timer = setTimeout(tick, Math.max(0, due - performance.now()));
    };
    tick();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #frame(peer: Peer, stream: OutboundStream): void {
    this.#timestamp = (this.#timestamp + CLOCK_PER_FRAME) >>> 0;
    if (this.#bitrate === 0) return;
    if (this.#keyFrameWanted) {
      while (!isKeyFrame(this.#frames[this.#next]!)) this.#next = (this.#next + 1) % this.#frames.length;
      this.#keyFrameWanted = false;
    }
    const frame = this.#frames[this.#next]!;
    this.#next = (this.#next + 1) % this.#frames.length;
    const wanted = Math.round((this.#bitrate * FRAME_MS) / 8000) - this.#debt;
    const length = Math.max(frame.length, wanted);
    this.#debt = Math.min(length - wanted, this.#bitrate / 8);
    for (let at = 0; at < length; ) {
      const count = Math.min(PAYLOAD_MAX - 1, length - at);
      this.#payload.fill(0);
      this.#payload[0] = at === 0 ? START : 0;
      this.#payload.set(frame.subarray(at, at + count), 1);
      // A key frame does not drop what waits here: it comes every second and is not made for the receiver's sake.
      peer.session.sender!.send(peer.now(), stream, this.#payload, 0, count + 1, this.#timestamp, at + count >= length);
      at += count;
    }
    peer.wake();
  }
}

function isKeyFrame(frame: Uint8Array): boolean {
  return (frame[0]! & 1) === 0;
}

/** IVF: 32 bytes of header, then per frame 4 bytes of length, 8 of time, and the frame. */
function readIvf(path: string): Uint8Array[] {
  const file = readFileSync(path);
  const frames: Uint8Array[] = [];
  for (let at = 32; at + 12 <= file.length; ) {
    const length = file.readUInt32LE(at);
    frames.push(file.subarray(at + 12, at + 12 + length));
    at += 12 + length;
  }
  return frames;
}
