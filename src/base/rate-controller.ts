/**
 * The contract between a protocol that sends and whoever decides how fast: the protocol tells of every send, ack, loss and delivery, the controller answers
 * pacing rate and in-flight cap. It lies here because protocol and controller are siblings that do not know each other.
 *
 * Without a controller KCP behaves as kcptun's modes do, bit for bit.
 */
import type { Bytes, Millis } from "./units.ts";

/** What a round of acknowledgements brought; one object, reused. */
export interface AckRound {
  /** Bytes that arrived, as far as known, since the session began. */
  delivered: Bytes;
  /** Of it newly known in this round. */
  newly: Bytes;
  /** `delivered` as it was when the newest segment that arrived was sent. */
  prior: Bytes;
  /** Bytes in flight behind the round. */
  inFlight: Bytes;
  /** Bytes given up as lost in this round. */
  lost: Bytes;
  /** In so many runs: of transmissions that followed each other. */
  lostRuns: number;
  /** For so long something was out and nothing came back before. */
  silence: Millis;
  /** Shortest round trip of the round in ms, −1 when there was none. */
  rtt: Millis;
  /** By so much round trips of the path differ where nothing of ours waits. */
  noise: Millis;
  /** What `rate` was measured over. */
  took: Millis;
  /** Delivery rate in bytes a millisecond (BBR, draft-ietf-ccwg-bbr 4.1), 0 when there is no sample. */
  rate: number;
  /** The sample tells what the application sent, not what the path carries. */
  appLimited: boolean;
  /** Whoever sends was woken late in between: the sample tells of the machine, not what the path carries. */
  late: boolean;
}

/** A round in which nothing has happened yet. */
export function emptyRound(): AckRound {
  return {
    delivered: 0,
    newly: 0,
    prior: 0,
    inFlight: 0,
    lost: 0,
    lostRuns: 0,
    silence: 0,
    rtt: -1,
    noise: 0,
    took: 0,
    rate: 0,
    appLimited: false,
    late: false,
  };
}

export interface RateController {
  /** Most bytes in flight. */
  readonly window: Bytes;
  /** Bytes a millisecond at which packets leave, everything counted. */
  readonly pacingRate: number;
  /** A segment leaves; `inFlight` before it. */
  sent(now: Millis, inFlight: Bytes): void;
  acknowledged(now: Millis, round: AckRound): void;
}
