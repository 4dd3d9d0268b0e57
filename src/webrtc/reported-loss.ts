/**
 * What receiver reports say of loss, as differences between two reports of a stream.
 *
 * Source: libwebrtc 2026-08-22 call/rtp_transport_controller_send, OnReport; reference/gcc.md B1. The first report of a stream only sets the beginning.
 */
import type { ReportBlock } from "../media/rtp/report-block.ts";

const STREAMS_MAX = 64;

export class ReportedLoss {
  /** Since `clear`, over all streams; lost may be negative when duplicates come. */
  lost = 0;
  expected = 0;
  readonly #last = new Map<number, { highest: number; lost: number }>();

  add({ ssrc, extendedHighestSequence, cumulativeLost }: ReportBlock): void {
    const last = this.#last.get(ssrc);
    if (last === undefined) {
      if (this.#last.size < STREAMS_MAX) this.#last.set(ssrc, { highest: extendedHighestSequence, lost: cumulativeLost });
      return;
    }
    const expected = (extendedHighestSequence - last.highest) | 0;
    if (expected > 0) {
      this.expected += expected;
      this.lost += cumulativeLost - last.lost;
    }
    last.highest = extendedHighestSequence;
    last.lost = cumulativeLost;
  }

  clear(): void {
    this.lost = 0;
    this.expected = 0;
  }
}
