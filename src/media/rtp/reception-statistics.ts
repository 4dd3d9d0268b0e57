/**
 * What a receiver keeps of one source to report on it: which sequence numbers are believed, loss, jitter, and when a sender report came.
 *
 *   RTP ─▶ sequence (A.1): probation, wraps, jumps ─▶ jitter (A.8) ─┐
 *   SR  ─▶ time of the last report ─────────────────────────────────┴─▶ report (A.3) ─▶ ReportBlock of SR or RR
 *
 * Source: RFC 3550 sections 6.4.1, A.1, A.3 and A.8.
 *
 * Deviations: probation is an option, as a source that was authenticated (SRTP) and negotiated needs none; the fraction lost is held at
 * 255/256, where the RFC's arithmetic would wrap to 0.
 */
import { assert } from "../../base/assert.ts";
import type { Millis } from "../../base/units.ts";
import { compactDuration } from "./ntp-time.ts";
import type { ReportBlock } from "./report-block.ts";

// Spec
const SEQUENCE_WRAP = 65_536;
/** A packet this far ahead is a jump, which a second packet behind it must confirm: the source began anew. */
const MAX_DROPOUT = 3000;
/** A packet at most this far behind is late, not a jump. */
const MAX_MISORDER = 100;
const MIN_SEQUENTIAL = 2;
const LOST_MIN = -0x800000;
const LOST_MAX = 0x7fffff;
const NO_BAD_SEQUENCE = -1;

export interface ReceptionOptions {
  /** Ticks of the RTP timestamp a second. */
  readonly clockRate: number;
  /** Packets in sequence before the source is believed, 0 = at once; 2. */
  readonly minSequential?: number;
}

export interface ReceptionStats {
  /** Packets counted, duplicates and late ones included. */
  received: number;
  /** Packets not counted: of a source on probation; the first of a jump. */
  onProbation: number;
  jumps: number;
  /** Times the source began anew. */
  restarts: number;
}

export class ReceptionStatistics {
  readonly stats: ReceptionStats = { received: 0, onProbation: 0, jumps: 0, restarts: 0 };
  readonly #ticksPerMilli: number;
  readonly #minSequential: number;
  #started = false;
  #probation: number;
  #maxSequence = 0;
  #badSequence = NO_BAD_SEQUENCE;
  /** Count of wraps · 65,536; the first sequence number; packets since then. */
  #cycles = 0;
  #base = 0;
  #received = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  /** Arrival less RTP timestamp, modulo 2^32, and sixteen times the jitter, both in ticks. */
  #transit = 0;
  #transitKnown = false;
  #jitter16 = 0;
  #lastSenderReport = 0;
  #senderReportArrival: Millis = 0;

  constructor(options: ReceptionOptions) {
    assert(options.clockRate > 0, `clock rate ${options.clockRate}`);
    this.#ticksPerMilli = options.clockRate / 1000;
    this.#minSequential = options.minSequential ?? MIN_SEQUENTIAL;
    this.#probation = this.#minSequential;
  }

  /** Counts a packet that arrived at `now` on a monotonic clock; false when it is not believed: drop it. */
  receive(now: Millis, sequenceNumber: number, timestamp: number): boolean {
    if (!this.#follow(sequenceNumber)) return false;
    this.#received++;
    this.stats.received++;
    const transit = Math.round(now * this.#ticksPerMilli) - timestamp;
    const difference = Math.abs((transit - this.#transit) | 0);
    if (this.#transitKnown) this.#jitter16 += difference - Math.floor((this.#jitter16 + 8) / 16);
    this.#transit = transit;
    this.#transitKnown = true;
    return true;
  }

  /** Takes note of a sender report of this source; `compact` is the middle of its NTP timestamp. */
  senderReport(now: Millis, compact: number): void {
    this.#lastSenderReport = compact;
    this.#senderReportArrival = now;
  }

  /** Ticks of the RTP timestamp. */
  get jitter(): number {
    return Math.floor(this.#jitter16 / 16);
  }

  /** Since the beginning; negative when duplicates outnumber losses. */
  get cumulativeLost(): number {
    return Math.min(Math.max(this.#expected - this.#received, LOST_MIN), LOST_MAX);
  }

  /** Fills all of the block but its SSRC, and begins the interval of the next; false when there is nothing to report. */
  report(now: Millis, block: ReportBlock): boolean {
    if (this.#received === 0) return false;
    const expected = this.#expected - this.#expectedPrior;
    const lost = expected - (this.#received - this.#receivedPrior);
    this.#expectedPrior = this.#expected;
    this.#receivedPrior = this.#received;
    block.fractionLost = expected <= 0 || lost <= 0 ? 0 : Math.min(Math.floor((lost * 256) / expected), 255);
    block.cumulativeLost = this.cumulativeLost;
    block.extendedHighestSequence = (this.#cycles + this.#maxSequence) >>> 0;
    block.jitter = this.jitter >>> 0;
    block.lastSenderReport = this.#lastSenderReport;
    block.delaySinceLastSenderReport = this.#lastSenderReport === 0 ? 0 : compactDuration(now - this.#senderReportArrival);
    return true;
  }

  get #expected(): number {
    return this.#cycles + this.#maxSequence - this.#base + 1;
  }

  /** Whether the sequence number is believed (A.1). */
  #follow(sequence: number): boolean {
    if (!this.#started) {
      this.#started = true;
      this.#maxSequence = (sequence - 1) & 0xffff;
      if (this.#probation === 0) this.#begin(sequence);
    }
    if (this.#probation > 0) return this.#probe(sequence);
    const ahead = (sequence - this.#maxSequence) & 0xffff;
    if (ahead < MAX_DROPOUT) {
      if (sequence < this.#maxSequence) this.#cycles += SEQUENCE_WRAP;
      this.#maxSequence = sequence;
      return true;
    }
    if (ahead > SEQUENCE_WRAP - MAX_MISORDER) return true;
    if (sequence === this.#badSequence) {
      this.stats.restarts++;
      this.#begin(sequence);
      return true;
    }
    this.#badSequence = (sequence + 1) & 0xffff;
    this.stats.jumps++;
    return false;
  }

  #probe(sequence: number): boolean {
    const inOrder = sequence === ((this.#maxSequence + 1) & 0xffff);
    this.#maxSequence = sequence;
    this.#probation = inOrder ? this.#probation - 1 : this.#minSequential - 1;
    if (this.#probation === 0) {
      this.#begin(sequence);
      return true;
    }
    this.stats.onProbation++;
    return false;
  }

  #begin(sequence: number): void {
    this.#base = sequence;
    this.#maxSequence = sequence;
    this.#badSequence = NO_BAD_SEQUENCE;
    this.#cycles = 0;
    this.#received = 0;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#transitKnown = false;
  }
}
