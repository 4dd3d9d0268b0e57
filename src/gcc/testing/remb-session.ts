/** Cameras, a link and the receiver's estimator in one loop: what is sent follows the estimate. Reference/gcc.md L, P23 and P24. */
import type { BitsPerSecond, Bytes, Micros } from "../../base/units.ts";
import { RembEstimator } from "../remb-estimator.ts";
import { CameraStream, StreamGenerator } from "./stream-generator.ts";

/** The 24 bits of abs-send-time: 6.18 fixed seconds. */
export function absSendTime(time: Micros): number {
  return Math.floor((time * 262_144 + 500_000) / 1_000_000) & 0xffffff;
}

export class RembSession {
  now: Micros = 100_000_000;
  readonly estimator = new RembEstimator();
  readonly stream = new StreamGenerator(1_000_000, this.now);
  latest: BitsPerSecond = 0;
  updated = false;

  addCamera(bitrate: BitsPerSecond = 300_000): void {
    this.stream.add(new CameraStream(30, bitrate));
  }

  packet(sendTime: Micros, size: Bytes, ssrc = 1): void {
    this.estimator.receive(Math.round(this.now / 1000) * 1000, absSendTime(sendTime), size, ssrc);
    this.updated = this.estimator.updated;
    if (this.updated) this.latest = Math.floor(this.estimator.rate);
  }

  /** Sends the frame that is due at `bitrate`; true when the estimate fell below it. */
  frame(bitrate: BitsPerSecond): boolean {
    this.stream.setBitrate(bitrate);
    const { packets, next } = this.stream.generate(this.now);
    let overuse = false;
    for (const { sendTime, arrival, size } of packets) {
      this.now = arrival;
      this.packet(sendTime, size);
      if (this.updated && this.latest < bitrate) overuse = true;
    }
    this.now = next;
    return overuse;
  }

  steady(frames: number, bitrate: BitsPerSecond, target: BitsPerSecond): BitsPerSecond {
    let rate = bitrate;
    let fell = false;
    for (let i = 0; i < frames; i++) {
      fell = this.frame(rate) || fell;
      if (this.updated) rate = this.latest;
      if (fell && rate > target) break;
    }
    return rate;
  }
}
