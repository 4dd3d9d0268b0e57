/** How the modelled TCP decides how much may be in flight. */
import type { Millis } from "../base/units.ts";

export interface TcpCongestion {
  /** Segments that may be in flight; fractions count. */
  readonly cwnd: number;
  /** `acked` segments were newly delivered while the window was in full use; `rtt` is the smoothed round trip. */
  acked(now: Millis, acked: number, rtt: Millis): void;
  /** A loss was detected: once per window. */
  reduce(): void;
  /** The retransmission timer fired. */
  collapse(): void;
  /** Nothing was sent for longer than the timer. */
  restart(): void;
}
