/** Cameras, a link and one of the receiver's estimators in one loop: what is sent follows the estimate. Reference/gcc.md L, P21, P23 and P24. */
import type { BitsPerSecond, Bytes, Micros } from "../../base/units.ts";
import type { RembEstimator } from "../remb-estimator.ts";
import { SingleStreamEstimator } from "../remb-single-stream.ts";
import { CameraStream, MTU, StreamGenerator } from "./stream-generator.ts";

/** The 24 bits of abs-send-time: 6.18 fixed seconds. */
export function absSendTime(time: Micros): number {
  return Math.floor((time * 262_144 + 500_000) / 1_000_000) & 0xffffff;
}

/** Clocks of libwebrtc's tests show whole milliseconds. */
const millis = (time: Micros): number => Math.round(time / 1000);

export class RembSession<E extends RembEstimator | SingleStreamEstimator = RembEstimator> {
  now: Micros = 100_000_000;
  readonly estimator: E;
  readonly stream = new StreamGenerator(1_000_000, this.now);
  latest: BitsPerSecond = 0;
  /** By the last packet, or since. */
  updated = false;
  /** Added to RTP timestamps of each stream, which wrap at 2^32. */
  timestampOffset = 0xfffff000;

  constructor(estimator: E) {
    this.estimator = estimator;
  }

  addCamera(bitrate: BitsPerSecond = 300_000): void {
    this.stream.add(new CameraStream(30, bitrate));
  }

  /** A packet arrives now; `ticks`: its RTP timestamp, if that is not its send time. */
  packet(sendTime: Micros, size: Bytes, ssrc = 1, ticks?: number): void {
    const { estimator } = this;
    if (estimator instanceof SingleStreamEstimator) {
      estimator.receive(this.now, ((ticks ?? Math.floor((90 * sendTime + 500) / 1000)) + this.timestampOffset) >>> 0, size, ssrc);
    } else {
      estimator.receive(millis(this.now) * 1000, absSendTime(sendTime), size, ssrc);
    }
    this.#note();
  }

  advance(): void {
    if (!(this.estimator instanceof SingleStreamEstimator)) return;
    this.estimator.advance(this.now);
    this.#note();
  }

  #note(): void {
    this.updated = this.estimator.updated;
    if (this.updated) this.latest = Math.floor(this.estimator.rate);
  }

  /** Sends the frame that is due at `bitrate`; true when the estimate fell below it. */
  frame(bitrate: BitsPerSecond): boolean {
    this.stream.setBitrate(bitrate);
    const { packets, next } = this.stream.generate(this.now);
    let overuse = false;
    for (const { sendTime, arrival, size, stream } of packets) {
      this.now = arrival;
      this.packet(sendTime, size, stream + 1);
      if (this.updated && this.latest < bitrate) overuse = true;
    }
    const { updated } = this;
    this.advance();
    this.updated ||= updated;
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

  /** P24: a packet of MTU 50 times a second for 5 s; answers the send time of the next. `early` is told the estimate after the second packet. */
  fiftyFrames(early: (rate: BitsPerSecond) => void = () => undefined): Micros {
    let sendTime = 0;
    for (let i = 0; i < 5 * 50 + 3; i++) {
      if (i === 2) {
        this.advance();
        early(this.estimator.rate);
      }
      this.packet(sendTime, MTU);
      this.now += 20_000;
      sendTime += 20_000;
    }
    this.advance();
    return sendTime;
  }

  /** P21: cameras at 900 kbit/s in all, steady at 1 Mbit/s, then half of it: the steady rate, and ms until the estimate is at most 500 kbit/s. */
  capacityDrop(streams: number): { steady: BitsPerSecond; took: number } {
    if (streams === 1) this.addCamera();
    // The first stream has half the rate, the others share the rest in proportion to their number.
    else for (let i = 0; i < streams; i++) this.addCamera(i === 0 ? 450_000 : Math.round((900_000 * i) / (streams * (streams - 1))));
    const steady = this.steady(streams * 300, 900_000, 1_000_000);
    let rate = steady;
    this.stream.capacity = 500_000;
    const began = millis(this.now);
    let took = -1;
    for (let i = 0; i < 100 * streams; i++) {
      this.frame(rate);
      if (took < 0 && this.latest <= 500_000) took = millis(this.now) - began;
      if (this.updated) rate = this.latest;
    }
    return { steady, took };
  }
}
