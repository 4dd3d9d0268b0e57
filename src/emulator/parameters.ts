/** What one direction of a link does to datagrams. All off: a wire without length. */
import type { BitsPerSecond, Bytes, Millis } from "../base/units.ts";

export interface LinkParameters {
  /** Propagation, one way. */
  readonly delay: Millis;
  /** Half width (uniform), standard deviation (normal) or mean (exponential) of what is added to the delay. */
  readonly jitter: Millis;
  readonly jitterDistribution: "uniform" | "normal" | "exponential";
  /** Jitter may let a datagram overtake another. */
  readonly reorder: boolean;
  /** With this probability a datagram is held `holdDelay` longer, which always reorders. */
  readonly holdProbability: number;
  readonly holdDelay: Millis;
  /** Probability that a datagram is lost, each by itself. */
  readonly loss: number;
  /** Bursts of loss on top, undefined for none. */
  readonly burstLoss: BurstLoss | undefined;
  /** Loss before the bottleneck instead of behind it: lost datagrams then use no capacity. */
  readonly lossBeforeQueue: boolean;
  /** Rate of the bottleneck, 0 for none. */
  readonly rate: BitsPerSecond;
  /** Added to every datagram for the rate, such as the headers of lower layers. */
  readonly overheadBytes: Bytes;
  /** Limits of the bottleneck's drop-tail queue, 0 for none; the store's own limit holds always. */
  readonly queueBytes: Bytes;
  readonly queueDatagrams: number;
  /** Token bucket that drops UDP above a rate, 0 for none. */
  readonly policedRate: BitsPerSecond;
  readonly policedBurst: Bytes;
  /** Share of UDP and of TCP that is dropped on sight. */
  readonly udpDrop: number;
  readonly tcpDrop: number;
  /** Probability that a datagram arrives twice. */
  readonly duplicate: number;
  /** Nothing enters. */
  readonly down: boolean;
}

/**
 * Gilbert–Elliott: two states, each with its own probability of loss. `enter` and `leave` of the bad state are probabilities per datagram, or
 * mean times in the good and in the bad state.
 */
export interface BurstLoss {
  readonly per: "datagram" | "time";
  readonly enter: number;
  readonly leave: number;
  readonly lossBad: number;
  readonly lossGood: number;
}

export const IDEAL: LinkParameters = {
  delay: 0,
  jitter: 0,
  jitterDistribution: "uniform",
  reorder: false,
  holdProbability: 0,
  holdDelay: 0,
  loss: 0,
  burstLoss: undefined,
  lossBeforeQueue: false,
  rate: 0,
  overheadBytes: 0,
  queueBytes: 0,
  queueDatagrams: 0,
  policedRate: 0,
  policedBurst: 16_384,
  udpDrop: 0,
  tcpDrop: 0,
  duplicate: 0,
  down: false,
};
