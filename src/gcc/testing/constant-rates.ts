/** Feedback of packets that are sent and arrive at constant rates, for the estimators of throughput. */
import type { Bytes, Micros } from "../../base/units.ts";
import { LOST, NOT_A_PROBE, TransportFeedback } from "../packet-result.ts";

export class ConstantRates {
  sendClock: Micros = 100_000_000;
  receiveClock: Micros = 10_000_000;
  #sequence = 100;

  /** `sendRate` and `receiveRate` in bytes per second; `lost` tells which packets do not arrive. */
  feedback(packets: number, size: Bytes, sendRate: number, receiveRate: number, lost?: (i: number) => boolean): TransportFeedback {
    const feedback = new TransportFeedback(1000);
    feedback.clear(this.receiveClock);
    for (let i = 0; i < packets; i++) {
      const sendTime = this.sendClock;
      this.sendClock += (size * 1e6) / sendRate;
      this.receiveClock += (size * 1e6) / receiveRate;
      const sent = { sequence: this.#sequence++, sendTime, size, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
      feedback.push(sent, lost?.(i) === true ? LOST : this.receiveClock);
    }
    feedback.sort();
    return feedback;
  }
}
