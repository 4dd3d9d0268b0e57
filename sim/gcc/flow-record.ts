/** What a flow did, in samples of 200 ms, as RFC 8868 section 3 asks: rate, delay, loss. */
import type { BitsPerSecond, Bytes, Micros, Millis } from "../../src/base/units.ts";

const SAMPLE: Micros = 200_000;

export class FlowRecord {
  /** One a sample: the last target of it, bytes and packets sent in it, and what arrived of those. */
  readonly targets: number[] = [];
  readonly sentBytes: number[] = [];
  readonly sentPackets: number[] = [];
  readonly arrivedPackets: number[] = [];
  /** Bytes that arrived in the sample. */
  readonly arrivedBytes: number[] = [];
  /** Time that the pacer's queue would take, after each turn. */
  readonly pacerWaits: Millis[] = [];
  /** Send time and one-way delay of every packet that arrived, in ms. */
  readonly sendTimes: Millis[] = [];
  readonly delays: Millis[] = [];

  target(now: Micros, rate: BitsPerSecond): void {
    this.targets[index(now)] = rate;
  }

  sent(now: Micros, bytes: Bytes): void {
    add(this.sentBytes, now, bytes);
    add(this.sentPackets, now, 1);
  }

  arrived(now: Micros, sentAt: Micros, bytes: Bytes): void {
    add(this.arrivedBytes, now, bytes);
    add(this.arrivedPackets, sentAt, 1);
    this.sendTimes.push(sentAt / 1000);
    this.delays.push((now - sentAt) / 1000);
  }

  /** The target at `time`. */
  targetAt(time: Millis): BitsPerSecond {
    for (let i = index(time * 1000); i >= 0; i--) {
      const target = this.targets[i];
      if (target !== undefined) return target;
    }
    return 0;
  }

  /** Mean rate that arrived in [from, to). */
  throughput(from: Millis, to: Millis): BitsPerSecond {
    return (sum(this.arrivedBytes, from, to) * 8000) / (to - from);
  }

  /** Mean rate that was sent in [from, to). */
  sendRate(from: Millis, to: Millis): BitsPerSecond {
    return (sum(this.sentBytes, from, to) * 8000) / (to - from);
  }

  /** Packets sent in [from, to). */
  packets(from: Millis, to: Millis): number {
    return sum(this.sentPackets, from, to);
  }

  /** Share of the packets sent in [from, to) that never arrived. */
  loss(from: Millis, to: Millis): number {
    const sent = sum(this.sentPackets, from, to);
    return sent === 0 ? 0 : 1 - sum(this.arrivedPackets, from, to) / sent;
  }

  /** Quantile of the one-way delay of packets sent in [from, to). */
  delay(from: Millis, to: Millis, quantile: number): Millis {
    const delays: number[] = [];
    for (let i = 0; i < this.delays.length; i++) if (this.sendTimes[i]! >= from && this.sendTimes[i]! < to) delays.push(this.delays[i]!);
    delays.sort((a, b) => a - b);
    return delays[Math.min(delays.length - 1, Math.floor(delays.length * quantile))] ?? 0;
  }
}

function index(time: Micros): number {
  return Math.floor(time / SAMPLE);
}

function add(samples: number[], now: Micros, value: number): void {
  const at = index(now);
  samples[at] = (samples[at] ?? 0) + value;
}

function sum(samples: readonly number[], from: Millis, to: Millis): number {
  let total = 0;
  for (let i = index(from * 1000); i < index(to * 1000); i++) total += samples[i] ?? 0;
  return total;
}
