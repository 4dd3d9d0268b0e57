/**
 * From what a feedback message says to packet results: each status finds the packet it speaks of in the send history.
 *
 *   begin ─▶ add(sequence, arrival or LOST) … ─▶ end ─▶ feedback: sent packet + receive time, ascending, and in order of receive time
 *              │
 *              └─▶ send-history: tell, acknowledge, take
 *
 * Serves TWCC directly, and CCFB through `ccfb-adapter.ts`. Statuses of packets that are not known (any more) are counted and ignored: they are
 * repeats, sent on another path, older than the history, or made up.
 *
 * Source: reference/gcc.md A1, I; libwebrtc f3ae3eb6 congestion_controller/rtp/transport_feedback_adapter.
 *
 * Deviations:
 *   - arrivals keep the 250 µs of the wire; libwebrtc rounds them down to 1 ms
 *   - the receiver's clock is kept as it is: only differences of arrivals are used
 */
import type { Micros } from "../base/units.ts";
import { LOST, type SentPacket, TransportFeedback } from "./packet-result.ts";
import { HISTORY_PACKETS_MAX, SendHistory, type SendHistoryOptions } from "./send-history.ts";

export interface FeedbackAdapterStats {
  feedbacks: number;
  /** Feedbacks that spoke of no packet we know. */
  empty: number;
  /** Statuses of packets that are not known. */
  unknown: number;
}

export class FeedbackAdapter {
  readonly history: SendHistory;
  /** The last feedback: valid after `end` answered true, until the next `begin`. */
  readonly feedback: TransportFeedback;
  readonly stats: FeedbackAdapterStats = { feedbacks: 0, empty: 0, unknown: 0 };
  readonly #sent: SentPacket = { sequence: 0, sendTime: 0, size: 0, probeCluster: 0, audio: false, retransmission: false };
  #priorInFlight = 0;
  #lowest = 0;
  #highest = 0;

  constructor(options: SendHistoryOptions = {}) {
    this.history = new SendHistory(options);
    this.feedback = new TransportFeedback(options.packetsMax ?? HISTORY_PACKETS_MAX);
  }

  /** Starts on a feedback that came in at `now`. */
  begin(now: Micros): void {
    this.feedback.clear(now);
    this.#priorInFlight = this.history.inFlight;
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#highest = Number.NEGATIVE_INFINITY;
    this.stats.feedbacks++;
  }

  /**
   * The feedback says that a packet arrived at `arrival` of the receiver's clock, or is LOST. `sequence` is right modulo 2^16: which packet is
   * meant follows from what was sent.
   */
  add(sequence: number, arrival: Micros): void {
    const { history } = this;
    const wanted = history.newest + (((sequence - history.newest) << 16) >> 16);
    if (wanted > history.newest) {
      this.stats.unknown++;
      return;
    }
    history.acknowledge(wanted);
    if (!history.has(wanted)) {
      this.stats.unknown++;
      return;
    }
    // A report may name a packet twice: that it arrived is worth more than that it did not.
    if (arrival !== LOST || !history.told(wanted)) history.tell(wanted, arrival);
    if (wanted < this.#lowest) this.#lowest = wanted;
    if (wanted > this.#highest) this.#highest = wanted;
  }

  /**
   * Fills `feedback`; false when it speaks of no packet we know. With `inferLosses` packets between those named that are not named themselves
   * are lost too, once: CCFB leaves out a stream of which nothing arrived.
   */
  end(inferLosses = false): boolean {
    const { history, feedback } = this;
    for (let s = this.#lowest; s <= this.#highest; s++) {
      if (!history.has(s)) continue;
      const reportedLost = history.reportedLost(s);
      if (!history.told(s) && (!inferLosses || reportedLost)) continue;
      const priorUnacked = history.priorUnacked(s);
      const arrival = history.take(s, this.#sent);
      feedback.push(this.#sent, arrival, priorUnacked, reportedLost && arrival !== LOST);
    }
    if (feedback.length === 0) {
      this.stats.empty++;
      return false;
    }
    feedback.sort();
    feedback.priorInFlight = this.#priorInFlight;
    feedback.dataInFlight = history.inFlight;
    return true;
  }
}
