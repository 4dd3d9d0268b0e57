/** What a conversation is made with. */
import type { Bytes, Millis } from "../base/units.ts";
import type { Credit } from "./credit.ts";
import type { Flight } from "./flight.ts";
import type { SegmentStore } from "./segment-store.ts";

export interface KcpOptions {
  /** Conversation: the same 32-bit number at both ends. */
  readonly conv: number;
  /** Largest KCP packet, headers of KCP included, 50…1500. */
  readonly mtu: Bytes;
  /** Most segments waiting before `send` refuses, and most in flight; at least 1. */
  readonly sndWnd: number;
  /** Segments received and not read, 1…65535. */
  readonly rcvWnd: number;
  /** 1: least RTO 30 ms and slower backoff; 0: 100 ms. */
  readonly nodelay: 0 | 1;
  /** Time between two flushes by the timer; clamped to 10…5000 ms. */
  readonly interval: Millis;
  /** Resend a segment that was overtaken this many times; 0 = never. */
  readonly resend: number;
  /** 1: no congestion window. */
  readonly nc: 0 | 1;
  readonly profile: "2021" | "2026";
  /** ACKs leave at once instead of with the timer. */
  readonly ackNoDelay?: boolean;
  /** Where payloads that were received wait to be read; one for several conversations, each with a `release` at its end. By default one of its own. */
  readonly segments?: SegmentStore;
  /** Where our own numbering and the peer's begin: 0 in every real session, near 2^32 in tests of the wrap. */
  readonly firstSn?: number;
  /**
   * Bytes that outer layers put before a packet: then one that is a full segment may be written where the segment's data are kept (`Kcp.placed`). They must
   * leave the packet as it is. By default none is.
   */
  readonly headroom?: Bytes | undefined;
  /** Decides what is lost and how much is in flight, in place of `nodelay`, `resend` and `nc`; belongs to this conversation alone. */
  readonly flight?: Flight | undefined;
  /** Bounds the window that is told. */
  readonly credit?: Credit | undefined;
}
