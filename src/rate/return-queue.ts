/**
 * What waits on the way back: acknowledgements behind an upload of somebody else's. It makes round trips longer, and what was delivered long ago is still counted as in flight;
 * neither is a reason to send less, so the controller is told of rounds as they would be without.
 */
import type { AckRound } from "../base/rate-controller.ts";
import type { Bytes, Millis } from "../base/units.ts";

export class ReturnQueue {
  /** How long the acknowledgements of now have waited, 0 where nobody knows: said by whoever hears the peer, before each round. */
  wait: Millis = 0;

  /** Delivered at that rate, and not acknowledged because acknowledgements wait. */
  bytes(bandwidth: number): Bytes {
    return bandwidth * this.wait;
  }

  /** Takes it out of a round. A clock that jumped makes no round trip shorter than `minRtt`, the least; −1: not known. */
  takeFrom(round: AckRound, minRtt: Millis, bandwidth: number): void {
    if (this.wait === 0) return;
    if (round.rtt >= 0) {
      this.wait = Math.min(this.wait, Math.max(0, round.rtt - Math.max(minRtt, 0)));
      round.rtt -= this.wait;
    }
    round.inFlight = Math.max(0, round.inFlight - this.bytes(bandwidth));
  }
}
