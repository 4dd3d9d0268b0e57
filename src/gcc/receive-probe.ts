/**
 * Finds, at the receiver, trains of packets that were sent faster than the stream at the start of a call, and how fast they arrived.
 *
 *   gaps of sending equal within 2.5 ms ─▶ a cluster of at least 4 ─▶ rate = min(sent, received) if it arrived about as it was sent
 *
 * Source: reference/gcc.md C3; libwebrtc f3ae3eb6 remote_bitrate_estimator_abs_send_time.
 *
 * Deviations: at most `packetsMax` packets are remembered, the oldest makes room; libwebrtc bounds the list only while it holds no cluster.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const GAP_MIN: Micros = 1000;
/** Spec: abs-send-time counts in 2^−18 s, so two packets sent 1 ms apart may seem a little closer. */
const SEND_TICK: Micros = 1e6 / 2 ** 18;
const GAP_TOLERANCE: Micros = 2500;
const CLUSTER_MIN = 4;
const CLUSTERS_EXPECTED = 3;
const PACKETS_MAX = 15;
const SLOWER_MAX: Micros = 2000;
const FASTER_MAX: Micros = 5000;

/** Tuning: three clusters of twice the expected size. */
const REMEMBERED_MAX = 64;

export class ReceiveProbe {
  /** Rate of the best cluster, 0 = none. */
  best: BitsPerSecond = 0;
  clusters = 0;
  readonly #send = new Float64Array(REMEMBERED_MAX);
  readonly #arrival = new Float64Array(REMEMBERED_MAX);
  readonly #size = new Int32Array(REMEMBERED_MAX);
  #length = 0;
  /** Sums over the gaps of the cluster at hand. */
  #gaps = 0;
  #sendSum: Micros = 0;
  #arrivalSum: Micros = 0;
  #sizeSum: Bytes = 0;
  #wideGaps = 0;
  /** A cluster did not arrive as it was sent: those after it do not count. */
  #failed = false;

  /** Takes a packet and looks for clusters: `best` and `clusters`. */
  receive(send: Micros, arrival: Micros, size: Bytes): void {
    if (this.#length === REMEMBERED_MAX) this.#dropFirst();
    this.#send[this.#length] = send;
    this.#arrival[this.#length] = arrival;
    this.#size[this.#length++] = size;
    this.#search();
    if (this.clusters === 0 && this.#length >= PACKETS_MAX) this.#dropFirst();
  }

  /** The result was of no use: when all clusters there should be have been seen, others are looked for. */
  decline(): void {
    if (this.clusters >= CLUSTERS_EXPECTED) this.#length = 0;
  }

  #search(): void {
    this.best = 0;
    this.clusters = 0;
    this.#failed = false;
    this.#open();
    for (let i = 1; i < this.#length; i++) {
      const send = this.#send[i]! - this.#send[i - 1]!;
      const arrival = this.#arrival[i]! - this.#arrival[i - 1]!;
      // The gap that ends a cluster counts as wide for that cluster.
      if (send + SEND_TICK >= GAP_MIN && arrival >= GAP_MIN) this.#wideGaps++;
      if (this.#gaps > 0 && Math.abs(send - this.#sendSum / this.#gaps) >= GAP_TOLERANCE) {
        this.#close();
        this.#open();
      }
      this.#sendSum += send;
      this.#arrivalSum += arrival;
      this.#sizeSum += this.#size[i]!;
      this.#gaps++;
    }
    this.#close();
  }

  #open(): void {
    this.#gaps = 0;
    this.#sendSum = 0;
    this.#arrivalSum = 0;
    this.#sizeSum = 0;
    this.#wideGaps = 0;
  }

  #close(): void {
    const gaps = this.#gaps;
    if (gaps < CLUSTER_MIN || this.#sendSum <= 0 || this.#arrivalSum <= 0) return;
    this.clusters++;
    if (this.#failed) return;
    // Send times come in steps of 3.8 µs: fractions of a microsecond mean nothing and would decide at the limits.
    const send = Math.floor(this.#sendSum / gaps);
    const arrival = Math.floor(this.#arrivalSum / gaps);
    if (this.#wideGaps <= Math.floor(gaps / 2) || arrival - send > SLOWER_MAX || send - arrival > FASTER_MAX) {
      this.#failed = true;
      return;
    }
    const rate = ((this.#sizeSum / gaps) * 8e6) / Math.max(send, arrival);
    if (rate > this.best) this.best = rate;
  }

  #dropFirst(): void {
    this.#send.copyWithin(0, 1, this.#length);
    this.#arrival.copyWithin(0, 1, this.#length);
    this.#size.copyWithin(0, 1, this.#length);
    this.#length--;
  }
}
