/**
 * Reports arrivals by RFC 8888 (arrival-reporter.ts).
 *
 * ECN bits are not told: the sockets below do not give them up.
 */
import type { BitsPerSecond, Bytes, Micros, Millis } from "../base/units.ts";
import { CcfbGenerator, CcfbReport } from "../gcc/ccfb-generator.ts";
import { arrivalOffsetOf, NOT_ECT } from "../media/rtp/congestion-feedback.ts";
import { CongestionFeedbackWriter } from "../media/rtp/congestion-feedback-writer.ts";
import { compactNtp, ntpFraction, ntpSeconds } from "../media/rtp/ntp-time.ts";
import type { RtpPacket } from "../media/rtp/rtp-packet.ts";
import type { ArrivalReporter } from "./arrival-reporter.ts";

/** Fits what a report of the generator needs at most into a datagram. */
const REPORT_PACKETS_MAX = 450;

export class CcfbReporter implements ArrivalReporter {
  readonly kind = "ccfb";
  reports = 0;
  readonly #generator = new CcfbGenerator();
  readonly #report = new CcfbReport(REPORT_PACKETS_MAX);
  readonly #writer = new CongestionFeedbackWriter();
  readonly #unixEpoch: Millis;

  /** `unixEpoch`: Unix milliseconds at which the monotonic clock was 0. */
  constructor(unixEpoch: Millis) {
    this.#unixEpoch = unixEpoch;
  }

  arrived(now: Micros, packet: RtpPacket): void {
    this.#generator.receive(packet.ssrc, packet.sequenceNumber, now, packet.marker, NOT_ECT);
  }

  setSendRate(rate: BitsPerSecond): void {
    this.#generator.setSendRate(rate, false);
  }

  advance(now: Micros): void {
    this.#generator.advance(now);
  }

  deadline(): Micros {
    return this.#generator.deadline();
  }

  write(_now: Micros, view: DataView, at: number, limit: number, senderSsrc: number): Bytes {
    const report = this.#report;
    const writer = this.#writer;
    if (!this.#generator.report(report) || report.length === 0) return 0;
    writer.begin(view, at, limit, senderSsrc);
    let ssrc = Number.NaN;
    let next = Number.NaN;
    for (let i = 0; i < report.length; i++) {
      if (report.ssrc[i] !== ssrc || report.sequence[i] !== next) {
        ssrc = report.ssrc[i]!;
        if (!writer.stream(ssrc, report.sequence[i]!)) break;
      }
      next = (report.sequence[i]! + 1) & 0xffff;
      const offset = report.arrivalOffset[i]!;
      if (!(Number.isNaN(offset) ? writer.lost() : writer.received(NOT_ECT, arrivalOffsetOf(offset / 1000, 0)))) break;
    }
    this.reports++;
    const unix = this.#unixEpoch + report.reportTime / 1000;
    return writer.finish(compactNtp(ntpSeconds(unix), ntpFraction(unix)));
  }
}
