/** A camera, a link and the sender's delay side in one loop: what is sent follows the estimate. Reference/gcc.md L, P21…P25. */
import type { BitsPerSecond, Bytes, Micros } from "../../base/units.ts";
import { DelayBased } from "../delay-based.ts";
import { NOT_A_PROBE, TransportFeedback } from "../packet-result.ts";
import { RobustThroughput } from "../robust-throughput.ts";
import { CameraStream, MTU, StreamGenerator } from "./stream-generator.ts";

/** Clocks of libwebrtc's tests show whole milliseconds. */
const millis = (time: Micros): number => Math.round(time / 1000);

export class DelaySession {
  now: Micros = 100_000_000;
  readonly delay = new DelayBased();
  readonly throughput = new RobustThroughput();
  readonly stream = new StreamGenerator(1_000_000, this.now);
  readonly feedback = new TransportFeedback(1000);
  /** The last estimate that was announced, and whether the last feedback announced one. */
  latest: BitsPerSecond = 0;
  updated = false;
  /** Set back or forth to pretend that the receiver's clock was. */
  arrivalOffset: Micros = 0;
  #sequence = 0;
  #announced = false;

  addCamera(framesPerSecond = 30, bitrate: BitsPerSecond = 300_000): void {
    this.stream.add(new CameraStream(framesPerSecond, bitrate));
  }

  begin(): void {
    this.feedback.clear(Math.round(this.now / 1000) * 1000);
  }

  packet(sendTime: Micros, arrival: Micros, size: Bytes): void {
    const sent = { sequence: this.#sequence++, sendTime, size, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
    this.feedback.push(sent, arrival + this.arrivalOffset);
  }

  end(probe?: BitsPerSecond): void {
    this.feedback.sort();
    this.throughput.receive(this.feedback);
    this.delay.receive(this.feedback, this.throughput.rate, probe, false);
    this.updated = this.delay.updated;
    if (this.updated) this.latest = this.delay.rate;
  }

  /** One feedback that tells of one packet, arriving now. */
  single(sendTime: Micros, size: Bytes, probe?: BitsPerSecond): void {
    this.begin();
    this.packet(sendTime, this.now, size);
    this.end(probe);
  }

  /** Sends the frame that is due at `bitrate`; true when the estimate fell below it. */
  frame(bitrate: BitsPerSecond): boolean {
    this.stream.setBitrate(bitrate);
    const { packets, next } = this.stream.generate(this.now);
    if (packets.length === 0) return false;
    this.updated = false;
    this.now = packets.at(-1)?.arrival ?? this.now;
    this.begin();
    for (const { sendTime, arrival, size } of packets) this.packet(sendTime, arrival, size);
    this.end();
    let overuse = false;
    if (this.updated) {
      overuse = this.#announced && this.latest < bitrate;
      this.#announced = true;
    }
    this.now = next;
    return overuse;
  }

  /** Sends at most `frames` frames, until the estimate has fallen once and passed `target`; answers the rate. */
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

  /** P21, P22: steady at 1 Mbit/s, then half of it while the receiver's clock jumps by `jump`: the steady rate, and ms until it is ≤ 500 kbit/s. */
  capacityDrop(jump: Micros): { steady: BitsPerSecond; took: number } {
    this.addCamera();
    const steady = this.steady(300, 900_000, 1_000_000);
    let rate = steady;
    this.arrivalOffset += jump;
    this.stream.capacity = 500_000;
    const began = millis(this.now);
    let took = -1;
    for (let i = 0; i < 100; i++) {
      this.frame(rate);
      if (took < 0 && this.latest <= 500_000) took = millis(this.now) - began;
      if (this.updated) rate = this.latest;
    }
    return { steady, took };
  }

  /** P24: 5 s of 50 packets a second, the first five a probe that measures their own 480 kbit/s; answers the send time of the next. */
  fiftyFrames(early: (valid: boolean) => void = () => undefined): Micros {
    let sendTime = 0;
    for (let i = 0; i < 5 * 50 + 3; i++) {
      if (i === 2) early(this.delay.valid);
      this.single(sendTime, MTU, i === 4 ? 480_000 : undefined);
      this.now += 20_000;
      sendTime += 20_000;
    }
    return sendTime;
  }

  /** P25: 300 kbit/s in 90 frames a second over a path of 200: the rate after the first overuse within 40 frames, NaN without one. */
  initialOveruse(): BitsPerSecond {
    this.stream.add(new CameraStream(90, 300_000));
    this.stream.capacity = 200_000;
    this.delay.setStartRate(300_000);
    let rate = 300_000;
    for (let i = 0; i < 40; i++) {
      const overuse = this.frame(rate);
      if (this.updated) rate = this.latest;
      if (overuse) return rate;
    }
    return Number.NaN;
  }
}
