/**
 * Back-off when the round trip grows beyond reason, which also covers feedback that stopped while packets are still sent:
 *
 *   corrected RTT = last propagation RTT + (last send − last RTT update)     above 3 s: target × 0.8 each second, floor 5 kbit/s
 *
 * While nothing is sent the corrected RTT stands still, so a pause of the application never lowers the rate.
 *
 * Source: reference/gcc.md B2; libwebrtc 2026-08-22 goog_cc/send_side_bandwidth_estimation, RttBasedBackoff.
 *
 * Deviations: none.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const RTT_LIMIT: Micros = 3_000_000;
const DROP_FRACTION = 0.8;
const DROP_INTERVAL: Micros = 1_000_000;
const BANDWIDTH_FLOOR: BitsPerSecond = 5000;

export interface RttBackoffOptions {
  /** Corrected RTT above which the rate falls. */
  readonly limit?: Micros;
  /** Factor of one step, 0…1. */
  readonly dropFraction?: number;
  readonly dropInterval?: Micros;
  readonly floor?: BitsPerSecond;
}

export class RttBackoff {
  readonly #limit: Micros;
  readonly #dropFraction: number;
  readonly #floor: BitsPerSecond;
  readonly dropInterval: Micros;
  #propagationRtt: Micros = 0;
  #updatedAt: Micros = Number.NaN;
  #lastSent: Micros = Number.NEGATIVE_INFINITY;

  constructor(options: RttBackoffOptions = {}) {
    this.#limit = options.limit ?? RTT_LIMIT;
    this.#dropFraction = options.dropFraction ?? DROP_FRACTION;
    this.#floor = options.floor ?? BANDWIDTH_FLOOR;
    this.dropInterval = options.dropInterval ?? DROP_INTERVAL;
  }

  onPacketSent(sendTime: Micros): void {
    this.#lastSent = sendTime;
    // Time counts from the first packet, else silence before the first report could never be seen.
    if (Number.isNaN(this.#updatedAt)) this.#updatedAt = sendTime;
  }

  onPropagationRtt(now: Micros, rtt: Micros): void {
    this.#updatedAt = now;
    this.#propagationRtt = rtt;
  }

  /** The last RTT, or how long we have been sending without hearing of one on top of it. */
  get correctedRtt(): Micros {
    return this.#propagationRtt + (Number.isNaN(this.#updatedAt) ? 0 : Math.max(0, this.#lastSent - this.#updatedAt));
  }

  get aboveLimit(): boolean {
    return this.correctedRtt > this.#limit;
  }

  /** One step down from `target`, never below the floor and never up. */
  drop(target: BitsPerSecond): BitsPerSecond {
    return Math.min(target, Math.max(target * this.#dropFraction, this.#floor));
  }
}
