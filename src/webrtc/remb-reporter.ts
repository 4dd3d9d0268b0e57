/**
 * Estimates at the receiver and tells the sender its limit (arrival-reporter.ts), for peers that know nothing better: by abs-send-time, and by RTP
 * timestamps where packets have none.
 *
 * Deviations: transmission offsets are not negotiated and taken for 0.
 */
import type { Bytes, Micros } from "../base/units.ts";
import { NO_SEND_TIME, RembReceiver } from "../gcc/remb-receiver.ts";
import { putRemb } from "../media/rtp/remb.ts";
import type { RtpPacket } from "../media/rtp/rtp-packet.ts";
import type { ArrivalReporter } from "./arrival-reporter.ts";

export class RembReporter implements ArrivalReporter {
  readonly kind = "goog-remb";
  reports = 0;
  readonly #estimator = new RembReceiver();
  /** To be told, 0 = nothing new. */
  #rate = 0;

  arrived(now: Micros, packet: RtpPacket, size: Bytes, _transportSequence: number, absSendTime: number): void {
    const rate = this.#estimator.receive(now, absSendTime < 0 ? NO_SEND_TIME : absSendTime, packet.timestamp, size, packet.ssrc);
    if (rate > 0) this.#rate = rate;
  }

  setSendRate(): void {}

  advance(now: Micros): void {
    if (now < this.#estimator.deadline()) return;
    const rate = this.#estimator.advance(now);
    if (rate > 0) this.#rate = rate;
  }

  /** A new rate is written in the round that brought it. */
  deadline(): Micros {
    return this.#rate > 0 ? 0 : this.#estimator.deadline();
  }

  write(_now: Micros, view: DataView, at: number, limit: number, senderSsrc: number): Bytes {
    if (this.#rate === 0) return 0;
    const estimator = this.#estimator;
    const ssrcs: number[] = [];
    for (let i = 0; i < estimator.streams; i++) ssrcs.push(estimator.ssrc(i));
    const bytes = putRemb(view, at, limit, senderSsrc, this.#rate, ssrcs, ssrcs.length);
    if (bytes > 0) {
      this.#rate = 0;
      this.reports++;
    }
    return bytes;
  }
}
