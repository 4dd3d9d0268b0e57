/**
 * Congestion control of one transport: everything that is known of the path becomes one target, a pacing rate and probes.
 *
 *   onSentPacket ─────▶ alr-detector, rtt-backoff
 *   onFeedback ─┬─▶ feedback-rtt ─▶ rtt-backoff, congestion-window
 *               ├─▶ acknowledged rate ─┬─▶ delay-control ─▶ delay limit ┐
 *               ├─▶ probe-estimator ───┘        └─▶ capacity probes     ├─▶ target-rate ─▶ targetRate, pacingRate, paddingRate
 *               └─▶ loss-based-v2 ─────────────────────────────────────┘         │
 *   onReceiverReport ─▶ loss-based-v0     onRemb ─▶ receiver's limit             └─▶ alr-detector, probe-controller ─▶ nextProbe
 *   advance, every 25 ms
 *
 * After any call read the rates again if `updates` has changed, and take `nextProbe` until it is undefined. Rates of streams come from
 * BitrateAllocator only.
 *
 * Source: reference/gcc.md A; libwebrtc 2026-08-22 goog_cc/goog_cc_network_control.
 *
 * Deviations:
 *   - the step from 2.5 to 1.1 of the pacing factor, and ALR probing, which the caller switches there, are switched here by the first feedback
 *   - delay-control.ts does more than libwebrtc's delay-based estimate; the option `extensions` says what
 *   - every feedback publishes what it changed; there one without a new delay estimate waits for the next interval
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import type { AcknowledgedRate } from "./acknowledged-bitrate.ts";
import { AlrDetector } from "./alr-detector.ts";
import { CongestionWindow, type CongestionWindowOptions } from "./congestion-window.ts";
import { DelayControl, type Extensions } from "./delay-control.ts";
import { FeedbackRtt } from "./feedback-rtt.ts";
import type { NetworkEstimate, NetworkEstimateProbing } from "./network-estimate.ts";
import { LOST, type NetworkState, type ProbeCluster, type SentPacket, type TransportFeedback } from "./packet-result.ts";
import { type LimitedBy, ProbeController } from "./probe-controller.ts";
import { ProbeEstimator } from "./probe-estimator.ts";
import { RobustThroughput } from "./robust-throughput.ts";
import type { RttBackoffOptions } from "./rtt-backoff.ts";
import { TargetRate } from "./target-rate.ts";

/** Tuning of libwebrtc. */
const PROCESS_INTERVAL: Micros = 25_000;
const LOSS_UPDATE_INTERVAL: Micros = 1_000_000;
const START_BITRATE: BitsPerSecond = 300_000;
/** Before transport feedback shows that queues will be seen, bursts are let through faster. */
const PACING_FACTOR_BLIND = 2.5;
const PACING_FACTOR = 1.1;
const PROBE_FLOOR_OF_ACKED = 0.85;

export interface NetworkControllerOptions {
  /** Default 300 kbit/s. */
  readonly startBitrate?: BitsPerSecond;
  /** Default and least 5 kbit/s. */
  readonly minBitrate?: BitsPerSecond;
  /** Default: none. */
  readonly maxBitrate?: BitsPerSecond;
  /** No receiver reports come: loss and round trip are taken from transport feedback. */
  readonly packetFeedbackOnly?: boolean;
  /** Push-back by a congestion window; undefined = off. */
  readonly congestionWindow?: CongestionWindowOptions | undefined;
  readonly rttBackoff?: RttBackoffOptions;
  /** Probe repeatedly in the first 5 s, while nothing is allocated. */
  readonly repeatInitialProbing?: boolean;
  /** What is done beyond libwebrtc; all of it by default. */
  readonly extensions?: Extensions;
  /** Probing by what `onNetworkEstimate` brings. */
  readonly networkEstimateProbing?: NetworkEstimateProbing;
  /** Never pace faster than the upper bound that `onNetworkEstimate` brings, unless the target itself is above it; false. */
  readonly paceBelowNetworkEstimate?: boolean;
}

/** What the streams could use; BitrateAllocator.limits has the first three. */
export interface StreamsConfig {
  readonly minAllocated: BitsPerSecond;
  readonly maxPadding: BitsPerSecond;
  readonly maxAllocated: BitsPerSecond;
  /** Pacing rate over target once feedback comes; default 1.1. */
  readonly pacingFactor?: number;
}

export class NetworkController {
  /** Counts each change of what is published below. */
  updates = 0;
  /** The estimate, less push-back: what the allocator shares out. */
  targetRate: BitsPerSecond = 0;
  pacingRate: BitsPerSecond = 0;
  paddingRate: BitsPerSecond = 0;
  /** Share of the target that encoders should save by dropping frames, 0…1; above 0 only with `congestionWindow.dropFrames`. */
  windowReduction = 0;
  /** What holds the estimate where it is. */
  limitedBy: LimitedBy = "delay";
  readonly #options: NetworkControllerOptions;
  readonly #alr = new AlrDetector();
  readonly #probes: ProbeController;
  readonly #window: CongestionWindow | undefined;
  #rtts = new FeedbackRtt();
  #acked: AcknowledgedRate = new RobustThroughput();
  #probeEstimator = new ProbeEstimator();
  #delay: DelayControl;
  #target: TargetRate;
  #started = false;
  #nextProcess: Micros = 0;
  #feedbackSeen = false;
  #wasLimited = false;
  #firstSent = false;
  #min: BitsPerSecond;
  #max: BitsPerSecond;
  #minAllocated: BitsPerSecond = 0;
  #maxPadding: BitsPerSecond = 0;
  #pacingFactor = PACING_FACTOR;
  /** What is known of the link from elsewhere. */
  #linkLower: BitsPerSecond = 0;
  #linkUpper: BitsPerSecond = Number.POSITIVE_INFINITY;
  #expected = 0;
  #lost = 0;
  #nextLossUpdate: Micros = 0;
  /** As last published, to see a change. */
  #estimate: BitsPerSecond = 0;
  #pushed: BitsPerSecond = 0;
  #lossRatio = 0;
  #rtt: Micros = 0;

  constructor(options: NetworkControllerOptions = {}) {
    this.#options = options;
    this.#min = options.minBitrate ?? 0;
    this.#max = options.maxBitrate ?? Number.POSITIVE_INFINITY;
    this.#delay = new DelayControl(options.extensions);
    const { repeatInitialProbing: repeatInitial = false, networkEstimateProbing: networkEstimate = {} } = options;
    this.#probes = new ProbeController({ repeatInitial, networkEstimate });
    this.#window = options.congestionWindow === undefined ? undefined : new CongestionWindow(options.congestionWindow);
    this.#target = new TargetRate(options.rttBackoff);
  }

  /** The estimate without push-back. */
  get estimate(): BitsPerSecond {
    return this.#target.reported;
  }

  /** The receiver got this much, undefined until enough was seen. */
  get acknowledgedRate(): BitsPerSecond | undefined {
    return this.#acked.rate;
  }

  /** The application offers clearly less than the estimate. */
  get applicationLimited(): boolean {
    return this.#alr.limited;
  }

  /** Bytes that may be in flight; 0 = no limit. */
  get congestionWindow(): Bytes {
    return this.#window?.window ?? 0;
  }

  /** The window is full: Pacer.setCongested. */
  get congested(): boolean {
    return this.#window?.full ?? false;
  }

  /** A copy of what is known, for charts and logs. */
  state(now: Micros): NetworkState {
    return {
      at: now,
      targetRate: this.targetRate,
      delayBasedRate: this.#delay.valid ? this.#delay.rate : 0,
      lossBasedRate: this.#target.v2.ready ? this.#target.v2.bitrate : this.#target.target,
      bandwidthUsage: this.#delay.state,
      lossRatio: this.#target.lossRatio,
      roundTripTime: this.#target.roundTripTime,
    };
  }

  /** The next probe to hand to the pacer, undefined when there is none. */
  nextProbe(): ProbeCluster | undefined {
    const cluster = this.#probes.next();
    if (cluster !== undefined) this.#probeEstimator.expect(cluster);
    return cluster;
  }

  /** When `advance` wants to be called. */
  deadline(): Micros {
    return this.#nextProcess;
  }

  /** Does what is due; the first call starts. `pacerQueueBytes`: what waits in the pacer. */
  advance(now: Micros, pacerQueueBytes: Bytes = 0): void {
    if (!this.#started) this.setConstraints(now, this.#options.startBitrate ?? START_BITRATE, this.#min, this.#max);
    if (now < this.#nextProcess) return;
    this.#nextProcess = now + PROCESS_INTERVAL;
    this.#window?.setPacerQueue(pacerQueueBytes);
    this.#target.update(now);
    this.#probes.setAlrStart(this.#alr.startTime);
    this.#probes.process(now);
    if (!this.#alr.limited && this.#delay.roomSeemsLeft(now)) this.#probes.probeCapacity(now);
    this.#window?.updateWindow(this.#estimate, this.#rtts.least);
    this.#publish(now);
  }

  /** New limits, and a new start where it is given. */
  setConstraints(now: Micros, start: BitsPerSecond | undefined, min: BitsPerSecond, max: BitsPerSecond): void {
    this.#started = true;
    this.#min = min;
    this.#max = max;
    const from = start === undefined ? undefined : Math.max(start, min, this.#minAllocated);
    this.#setLimits(from);
    this.#probes.setBitrates(now, this.#target.min, from ?? 0, max);
    this.#publish(now);
  }

  /** The sum of the streams changed. */
  setStreams(now: Micros, config: StreamsConfig): void {
    if (this.#minAllocated !== config.minAllocated) {
      this.#minAllocated = config.minAllocated;
      // What the streams are given in any case is no less a limit than a configured one.
      if (this.#started) this.#setLimits(undefined);
    }
    this.#maxPadding = config.maxPadding;
    this.#pacingFactor = config.pacingFactor ?? PACING_FACTOR;
    this.#probes.setMaxAllocated(now, config.maxAllocated);
    this.#pace();
  }

  /**
   * A packet left that feedback will tell of; `dataInFlight` counts it. `sent` is borrowed. Packets without a transport-wide sequence number do not
   * belong here: sending for 3 s without hearing of it lowers the target.
   */
  onSentPacket(sent: Readonly<SentPacket>, dataInFlight: Bytes): void {
    this.#alr.onBytesSent(sent.size, sent.sendTime);
    this.#acked.setAlr(this.#alr.limited);
    if (!this.#firstSent) {
      this.#firstSent = true;
      this.#target.backoff.onPropagationRtt(sent.sendTime, 0);
    }
    this.#target.backoff.onPacketSent(sent.sendTime);
    if (this.#window === undefined) return;
    this.#window.setInFlight(dataInFlight);
    this.#publish(sent.sendTime);
  }

  /** A transport feedback, sorted; borrowed. */
  onFeedback(feedback: TransportFeedback): void {
    if (feedback.length === 0) return;
    const now = feedback.feedbackTime;
    if (!this.#feedbackSeen) {
      this.#feedbackSeen = true;
      this.#probes.setAlrProbing(true);
      this.#pace();
    }
    this.#window?.setInFlight(feedback.dataInFlight);
    if (this.#rtts.add(feedback)) this.#target.backoff.onPropagationRtt(now, this.#rtts.propagation);
    if (this.#options.packetFeedbackOnly === true) this.#learnFromFeedback(feedback);
    const { limited } = this.#alr;
    if (this.#wasLimited && !limited) {
      this.#acked.alrEnded(now);
      this.#probes.setAlrEnded(now);
    }
    this.#wasLimited = limited;
    this.#acked.receive(feedback);
    const acked = this.#acked.rate;
    this.#delay.receive(feedback, acked, this.#probeResult(feedback, acked), limited);
    if (this.#delay.updated) {
      if (this.#delay.probe) this.#target.jump(this.#delay.rate);
      this.#target.setDelayLimit(this.#delay.rate);
    }
    this.#target.lossAnswered = this.#delay.competing.active;
    this.#target.onFeedback(feedback, acked ?? Number.NaN, limited);
    this.#publish(now);
    if (this.#delay.recoveredFromOveruse) {
      this.#probes.setAlrStart(this.#alr.startTime);
      this.#probes.requestProbe(now);
    }
    this.#window?.updateWindow(this.#estimate, this.#rtts.least);
  }

  /** Losses since the report before, from RTCP receiver reports: packets lost (may be negative) and expected. */
  onReceiverReport(now: Micros, lost: number, expected: number): void {
    if (this.#options.packetFeedbackOnly === true || !(expected > 0) || expected - lost < 1) return;
    this.#target.onPacketsLost(now, lost, expected);
  }

  /** A round trip measured by RTCP, above 0. */
  onRoundTripTime(rtt: Micros): void {
    if (this.#options.packetFeedbackOnly === true || !(rtt > 0)) return;
    this.#delay.setRtt(rtt);
    this.#target.roundTripTime = rtt;
  }

  /** REMB: the receiver's limit, 0 = none. */
  onRemb(bitrate: BitsPerSecond): void {
    this.#target.setReceiverLimit(bitrate);
  }

  /** What somebody else knows of the link, such as the peer or a modem; its bounds hold until the next. */
  onNetworkEstimate(estimate: NetworkEstimate): void {
    this.#linkLower = estimate.lower;
    this.#linkUpper = estimate.upper;
    this.#delay.setLinkBounds(estimate.lower, estimate.upper);
    this.#probes.setNetworkEstimate(estimate);
  }

  onNetworkAvailability(now: Micros, up: boolean): void {
    this.#probes.setNetworkUp(now, up);
  }

  /** Another path: what was learnt of the old one is forgotten. Without `start` it begins at the minimum. */
  onRouteChange(now: Micros, start?: BitsPerSecond, min: BitsPerSecond = this.#min, max: BitsPerSecond = this.#max): void {
    this.#rtts = new FeedbackRtt();
    this.#acked = new RobustThroughput();
    this.#probeEstimator = new ProbeEstimator();
    this.#delay = new DelayControl(this.#options.extensions);
    this.#target = new TargetRate(this.#options.rttBackoff);
    this.#firstSent = false;
    this.#linkLower = 0;
    this.#linkUpper = Number.POSITIVE_INFINITY;
    this.#probes.reset();
    this.setConstraints(now, start, min, max);
  }

  #setLimits(start: BitsPerSecond | undefined): void {
    this.#target.configure(start, Math.max(this.#min, this.#minAllocated), this.#max);
    if (start !== undefined) this.#delay.setStartRate(start);
    this.#delay.setRateMin(this.#target.min);
  }

  /** Loss each second and round trips, as RTCP would tell them. */
  #learnFromFeedback(feedback: TransportFeedback): void {
    if (feedback.received > 0) {
      this.#delay.setRtt(this.#rtts.mean);
      this.#target.roundTripTime = this.#rtts.propagation;
    }
    this.#expected += feedback.length;
    for (let i = 0; i < feedback.length; i++) if (feedback.receiveTime[i]! === LOST) this.#lost++;
    if (feedback.feedbackTime <= this.#nextLossUpdate) return;
    this.#nextLossUpdate = feedback.feedbackTime + LOSS_UPDATE_INTERVAL;
    this.#target.onPacketsLost(feedback.feedbackTime, this.#lost, this.#expected);
    this.#expected = 0;
    this.#lost = 0;
  }

  /** A probe that was overtaken by what flows anyway is raised to that: it shows only what it was itself. */
  #probeResult(feedback: TransportFeedback, acked: BitsPerSecond | undefined): BitsPerSecond | undefined {
    const result = this.#probeEstimator.onFeedback(feedback);
    if (Number.isNaN(result)) return undefined;
    if (this.#delay.valid && result < this.#delay.rate && result < this.#linkLower) return undefined;
    if (acked === undefined || !this.#delay.valid) return result;
    const { rate } = this.#delay;
    if (this.#probeEstimator.capacity) {
      if (result <= rate) return undefined;
      // What came through a full path was partly taken from others.
      return this.#probeEstimator.saturated ? (result + rate) / 2 : result;
    }
    return Math.max(result, Math.min(this.#delay.rate, PROBE_FLOOR_OF_ACKED * acked));
  }

  /** Tells of the estimate wherever it or its reasons changed. */
  #publish(now: Micros): void {
    const estimate = this.#target.reported;
    const pushed = this.#window === undefined ? estimate : Math.max(this.#target.min, this.#window.pushBack(estimate));
    const limitedBy = this.#limit();
    const { lossRatio, roundTripTime } = this.#target;
    const reduction = this.#window?.dropFrames === true && estimate > 0 ? (estimate - pushed) / estimate : 0;
    const same = estimate === this.#estimate && pushed === this.#pushed && limitedBy === this.limitedBy;
    if (same && lossRatio === this.#lossRatio && roundTripTime === this.#rtt) return;
    this.#estimate = estimate;
    this.#lossRatio = lossRatio;
    this.#rtt = roundTripTime;
    this.#pushed = pushed;
    this.targetRate = this.#window?.dropFrames === true ? estimate : pushed;
    this.windowReduction = reduction;
    this.limitedBy = limitedBy;
    this.#alr.setEstimate(estimate);
    this.#probes.setEstimate(now, estimate, limitedBy);
    this.#pace();
  }

  #pace(): void {
    this.updates++;
    const least = Math.max(this.#minAllocated, this.#estimate);
    this.pacingRate = least * (this.#feedbackSeen ? this.#pacingFactor : PACING_FACTOR_BLIND);
    if (this.#options.paceBelowNetworkEstimate === true) this.pacingRate = Math.max(least, Math.min(this.pacingRate, this.#linkUpper));
    const padding = this.#target.v2.state === "increasing-with-padding" ? Math.max(this.#maxPadding, this.#estimate) : this.#maxPadding;
    this.paddingRate = Math.min(padding, this.#pushed);
  }

  #limit(): LimitedBy {
    if (this.#target.backoff.aboveLimit) return "rtt";
    // The state is padding's while the increase is being verified, and a probe would disturb that.
    if (this.#target.lossLimited) return "loss";
    return this.#delay.state === "normal" ? "delay" : "delay-increased";
  }
}
