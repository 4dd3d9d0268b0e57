/** A camera, a link and the sender's delay side in one loop: what is sent follows the estimate. Reference/gcc.md L, P21…P25. */
import type { BitsPerSecond, Bytes, Micros } from "../../base/units.ts";
import { DelayBased } from "../delay-based.ts";
import { NOT_A_PROBE, TransportFeedback } from "../packet-result.ts";
import { RobustThroughput } from "../robust-throughput.ts";
import { CameraStream, StreamGenerator } from "./stream-generator.ts";

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
}
