/**
 * The two generations of kcp-go whose behaviour on the wire differs (reference/kcptun.md 5). Both are found at peers; a profile chooses
 * which of them we behave like, every combination works together.
 */
import type { Millis } from "../base/units.ts";

export interface Profile {
  /** First wait before a closed window is probed. */
  readonly probeInitial: Millis;
  /** A segment is resent early or fast at most once between two timeouts. */
  readonly resendOncePerTimeout: boolean;
  /** A full flush follows as soon as a segment was overtaken `resend` times. */
  readonly flushWhenOvertaken: boolean;
  /** An ACK flush follows as soon as the list fills a packet; otherwise ACKs wait for the timer. */
  readonly flushFullAckPacket: boolean;
  /** `send` also waits while as many segments wait as the peer's window takes. */
  readonly sendWaitsForPeer: boolean;
}

export const PROFILES = {
  /** kcp-go v5.6.1, kcptun 20210922 (Debian). */
  "2021": {
    probeInitial: 7000,
    resendOncePerTimeout: false,
    flushWhenOvertaken: false,
    flushFullAckPacket: false,
    sendWaitsForPeer: true,
  },
  /** kcp-go v5.6.64, kcptun 20260126. */
  "2026": {
    probeInitial: 500,
    resendOncePerTimeout: true,
    flushWhenOvertaken: true,
    flushFullAckPacket: true,
    sendWaitsForPeer: false,
  },
} as const satisfies Record<string, Profile>;
