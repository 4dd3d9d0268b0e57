/**
 * What the receiver knows of one stream between two CCFB messages: arrivals by RTP sequence number and how the network marked them.
 *
 *   ── 64 kept for late packets ──┐
 *                                 ▼ next                    end
 *   ┌───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┐
 *   │ t │ – │ t │ t │ t │ t │ t │ t │ – │ t │ t │ – │ t │ t │      next…end−1 goes into the next message
 *   └───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┘
 *
 * The first arrival of a packet counts; a later copy counts only if it was marked as having met congestion (RFC 8888 section 3.1).
 *
 * Source: reference/gcc.md I; libwebrtc f3ae3eb6 remote_bitrate_estimator/congestion_control_feedback_tracker. Deviations: none.
 */
import type { Micros } from "../base/units.ts";
import { ArrivalMap } from "./arrival-map.ts";

/** Spec. */
const REPORTS_MAX = 16_384;
/** ECN: congestion experienced. */
const CE = 3;

/** Tuning of libwebrtc. */
const LATE_MAX = 64;

export class CcfbStream {
  ssrc = 0;
  /** First sequence number of the next message, unwrapped. */
  next = 0;
  /** Arrival of the newest packet, to tell which stream was silent longest. */
  heard: Micros = Number.NEGATIVE_INFINITY;
  /** Packets too late or too far ahead. */
  ignored = 0;
  readonly arrivals = new ArrivalMap(REPORTS_MAX);
  /** ECN by sequence number; made when the first marked packet comes. */
  #ecn: Uint8Array | undefined;
  #ignoredSince = 0;
  /** Lowest sequence number that is still taken. */
  #floor = 0;

  /** Begins with another stream. */
  open(ssrc: number): void {
    this.ssrc = ssrc;
    this.arrivals.clear();
    this.#ecn?.fill(0);
    this.#ignoredSince = 0;
  }

  /** One past the newest sequence number. */
  get end(): number {
    return this.arrivals.end;
  }

  /** Something new is to be told. */
  get pending(): boolean {
    return this.next < this.arrivals.end;
  }

  /** ECN bits of a packet that arrived. */
  ecn(sequence: number): number {
    return this.#ecn?.[sequence & (REPORTS_MAX - 1)] ?? 0;
  }

  /** Takes a packet: `sequence` is the 16 bits of its RTP header, `ecn` the 2 bits of its IP header. */
  receive(sequence: number, arrival: Micros, ecn: number): void {
    this.heard = arrival;
    const { arrivals } = this;
    const newest = arrivals.end - 1;
    const unwrapped = arrivals.empty ? sequence : newest + (((sequence - newest) << 16) >> 16);
    if (arrivals.empty) {
      this.next = unwrapped;
      this.#floor = unwrapped - LATE_MAX + 1;
    }
    if (unwrapped < this.#floor || unwrapped - this.#floor >= REPORTS_MAX) {
      this.ignored++;
      this.#ignoredSince++;
      return;
    }
    const fresh = arrivals.add(unwrapped, arrival);
    if (!fresh && (ecn !== CE || this.ecn(unwrapped) === CE)) return;
    if (ecn !== 0) this.#ecn ??= new Uint8Array(REPORTS_MAX);
    if (this.#ecn !== undefined) this.#ecn[unwrapped & (REPORTS_MAX - 1)] = ecn;
    if (unwrapped < this.next) this.next = unwrapped;
  }

  /** A message told of everything up to `end`. */
  told(end: number): void {
    this.next = end;
    this.#ignoredSince = 0;
    if (end < this.arrivals.end) return;
    this.#floor = Math.max(this.#floor, end - LATE_MAX);
    this.arrivals.removeOld(this.#floor, Number.POSITIVE_INFINITY);
  }

  /** Packets came but none could be told of: the sender has begun to count elsewhere, and so do we. */
  settle(): void {
    if (this.pending || this.#ignoredSince === 0) return;
    this.arrivals.clear();
    this.#ignoredSince = 0;
  }
}
