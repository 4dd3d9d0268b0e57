/**
 * The acknowledged rate, proof against bursts, spikes of delay and reordered feedback: bytes over a window of 1…5 s, as sent and as received.
 *
 *   receive rate = bytes without the first packet / (span with its largest gap replaced by the second largest)
 *   send rate    = bytes without the last packet / span                    answer: the smaller one
 *
 * The largest gap is where a path held everything back and then let it go at once; not counting it may say too much, which the send rate bounds.
 *
 * Source: reference/gcc.md C4; libwebrtc f3ae3eb6 goog_cc/robust_throughput_estimator. Deviations: none.
 */
import { assert } from "../base/assert.ts";
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import type { AcknowledgedRate } from "./acknowledged-bitrate.ts";
import type { TransportFeedback } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const PACKETS_MAX = 500;
const PACKETS_MIN = 20;
const PACKETS_REQUIRED = 10;
const DURATION_MIN: Micros = 1_000_000;
const DURATION_MAX: Micros = 5_000_000;
/** Feedback that is older than the window's newest by more than this means that the receiver's clock was set back. */
const REORDERING_MAX: Micros = 1_000_000;
const SPAN_MIN: Micros = 1000;

export interface RobustThroughputOptions {
  /** Most packets in the window; 500. */
  readonly packetsMax?: number;
  /** The window is kept this long, and at least 20 packets; 1 s. */
  readonly durationMin?: Micros;
  /** 5 s. */
  readonly durationMax?: Micros;
}

export class RobustThroughput implements AcknowledgedRate {
  readonly #packetsMax: number;
  readonly #durationMin: Micros;
  readonly #durationMax: Micros;
  readonly #sendTime: Float64Array;
  readonly #receiveTime: Float64Array;
  readonly #size: Int32Array;
  readonly #mask: number;
  #first = 0;
  #length = 0;
  /** Latest send time of packets that left the window. */
  #discardedSend: Micros = Number.NEGATIVE_INFINITY;

  constructor(options: RobustThroughputOptions = {}) {
    this.#packetsMax = options.packetsMax ?? PACKETS_MAX;
    this.#durationMin = options.durationMin ?? DURATION_MIN;
    this.#durationMax = options.durationMax ?? DURATION_MAX;
    assert(this.#packetsMax >= PACKETS_MIN && this.#packetsMax <= 65_535, `packetsMax ${this.#packetsMax}: ${PACKETS_MIN}…65535`);
    // One place more than the window, for the packet that pushes the oldest out.
    let capacity = 32;
    while (capacity <= this.#packetsMax) capacity *= 2;
    this.#mask = capacity - 1;
    this.#sendTime = new Float64Array(capacity);
    this.#receiveTime = new Float64Array(capacity);
    this.#size = new Int32Array(capacity);
  }

  receive(feedback: TransportFeedback): void {
    for (let k = 0; k < feedback.received; k++) {
      const i = feedback.order[k]!;
      this.#insert(feedback.sendTime[i]!, feedback.receiveTime[i]!, feedback.size[i]! + feedback.priorUnacked[i]!);
      // Trimming packet by packet bounds the window; what remains is the same as after the last.
      while (this.#outgrown) this.#discard();
    }
  }

  get rate(): BitsPerSecond | undefined {
    if (this.#length < PACKETS_REQUIRED) return undefined;
    let gap = 0;
    let secondGap = 0;
    let received: Bytes = 0;
    let previous = this.#receiveTime[this.#first & this.#mask]!;
    const firstReceive = previous;
    let firstSend = Number.POSITIVE_INFINITY;
    let lastSend = Number.NEGATIVE_INFINITY;
    let lastSendSize = 0;
    let sent: Bytes = 0;
    let sentPackets = 0;
    for (let k = 0; k < this.#length; k++) {
      const i = (this.#first + k) & this.#mask;
      const receiveTime = this.#receiveTime[i]!;
      const size = this.#size[i]!;
      const step = receiveTime - previous;
      previous = receiveTime;
      if (step > gap) {
        secondGap = gap;
        gap = step;
      } else if (step > secondGap) {
        secondGap = step;
      }
      if (k > 0) received += size;
      const sendTime = this.#sendTime[i]!;
      // Sent before packets that have left the window already: reordered, and its send time lies too far back to measure the span by.
      if (sendTime < this.#discardedSend) continue;
      if (sendTime > lastSend) {
        lastSend = sendTime;
        lastSendSize = size;
      }
      if (sendTime < firstSend) firstSend = sendTime;
      sent += size;
      sentPackets++;
    }
    const receiveRate = rateOf(received, previous - firstReceive - gap + secondGap);
    if (sentPackets < PACKETS_REQUIRED) return receiveRate;
    return Math.min(rateOf(sent - lastSendSize, lastSend - firstSend), receiveRate);
  }

  /** The window measures what it sees: nothing to prepare for. */
  setAlr(): void {}
  alrEnded(): void {}

  /** Puts a packet at its place by receive time, which is the end but for reordered feedback. */
  #insert(sendTime: Micros, receiveTime: Micros, size: Bytes): void {
    const newest = this.#receiveTime[(this.#first + this.#length - 1) & this.#mask]!;
    if (this.#length > 0 && newest - receiveTime > REORDERING_MAX) {
      this.#length = 0;
      this.#discardedSend = Number.NEGATIVE_INFINITY;
    }
    let at = this.#first + this.#length++;
    while (at > this.#first && this.#receiveTime[(at - 1) & this.#mask]! > receiveTime) {
      this.#move(at - 1, at);
      at--;
    }
    const i = at & this.#mask;
    this.#sendTime[i] = sendTime;
    this.#receiveTime[i] = receiveTime;
    this.#size[i] = size;
  }

  #move(from: number, to: number): void {
    const a = from & this.#mask;
    const b = to & this.#mask;
    this.#sendTime[b] = this.#sendTime[a]!;
    this.#receiveTime[b] = this.#receiveTime[a]!;
    this.#size[b] = this.#size[a]!;
  }

  get #outgrown(): boolean {
    if (this.#length > this.#packetsMax) return true;
    const span = this.#receiveTime[(this.#first + this.#length - 1) & this.#mask]! - this.#receiveTime[this.#first & this.#mask]!;
    return span > this.#durationMax || (this.#length > PACKETS_MIN && span > this.#durationMin);
  }

  #discard(): void {
    const sendTime = this.#sendTime[this.#first & this.#mask]!;
    if (sendTime > this.#discardedSend) this.#discardedSend = sendTime;
    this.#first = (this.#first + 1) & this.#mask;
    this.#length--;
  }
}

function rateOf(bytes: Bytes, span: Micros): BitsPerSecond {
  return Math.floor((bytes * 8e6) / Math.max(span, SPAN_MIN));
}
