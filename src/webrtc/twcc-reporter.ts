/** Reports arrivals by transport-wide feedback (arrival-reporter.ts). */

import { SequenceUnwrapper } from "../base/sequence-unwrapper.ts";
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { ArrivalReport, FeedbackGenerator } from "../gcc/feedback-generator.ts";
import type { RtpPacket } from "../media/rtp/rtp-packet.ts";
import { TransportFeedbackWriter } from "../media/rtp/transport-feedback-writer.ts";
import type { ArrivalReporter } from "./arrival-reporter.ts";

/** Unwrapped numbers begin here, so that reordering around the first packet does not go below 0. */
const SEQUENCE_ORIGIN = 0x10000;

export class TwccReporter implements ArrivalReporter {
  readonly kind = "transport-cc";
  reports = 0;
  readonly #generator = new FeedbackGenerator();
  readonly #report = new ArrivalReport();
  readonly #writer = new TransportFeedbackWriter();
  readonly #sequences = new SequenceUnwrapper(16);
  #mediaSsrc = 0;

  arrived(now: Micros, packet: RtpPacket, _size: Bytes, transportSequence: number): void {
    if (transportSequence < 0) return;
    this.#mediaSsrc = packet.ssrc;
    this.#generator.receive(SEQUENCE_ORIGIN + this.#sequences.unwrap(transportSequence), now);
  }

  setSendRate(rate: BitsPerSecond): void {
    this.#generator.setSendRate(rate);
  }

  advance(now: Micros): void {
    this.#generator.advance(now);
  }

  deadline(): Micros {
    return this.#generator.deadline();
  }

  write(_now: Micros, view: DataView, at: number, limit: number, senderSsrc: number): Bytes {
    const report = this.#report;
    if (limit - at < this.#writer.bytesMax || !this.#generator.report(report)) return 0;
    this.#writer.begin(report.baseSequence, report.arrival[0]!);
    for (let i = 0; i < report.length; i++) {
      if (this.#writer.add(report.sequence[i]!, report.arrival[i]!)) continue;
      this.#generator.retract(report.sequence[i]!);
      break;
    }
    return this.#writer.write(view, at, limit, senderSsrc, this.#mediaSsrc, this.reports++);
  }
}
