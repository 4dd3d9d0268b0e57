/**
 * Decides when to send a train of packets faster than the estimate, and how fast.
 *
 *   init ──start rate known, network up──▶ 3× and 6× start ─▶ waiting ─(result > 0.7 × last probe)─▶ 2 × measured ─▶ waiting …
 *                                                                └─(1 s without)─▶ complete
 *   complete ─┬─ higher maximum, higher allocation
 *             ├─ every 5 s in the application-limited region: 2 × estimate
 *             ├─ every 1.5 s while nothing waits in the path: 2 × estimate (capacity)
 *             ├─ below what is known of the link (network-estimate.ts): 2 × estimate
 *             └─ back to normal soon after a drop below 0.66: 0.85 × the rate before it
 *
 * Nothing is probed while loss, delay or round trip show the path to be full; while the loss estimate rises, at most 1.5 × the estimate.
 *
 * Source: reference/gcc.md D1; libwebrtc 2026-08-22 goog_cc/probe_controller with its default trial values.
 *
 * Deviations:
 *   - probes are not returned but queued, and `next` gives them out; a queue that is full drops the newest and counts it
 *   - capacity probes are ours: there an estimate that is too low, while the application uses all of it, grows by a few kbit/s each second
 */
import { Ring } from "../base/ring.ts";
import type { BitsPerSecond, Micros } from "../base/units.ts";
import type { NetworkEstimate, NetworkEstimateProbing } from "./network-estimate.ts";
import type { ProbeCluster } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const FIRST_PROBE_SCALE = 3;
const SECOND_PROBE_SCALE = 6;
const FURTHER_PROBE_SCALE = 2;
const FURTHER_PROBE_THRESHOLD = 0.7;
const RESULT_WAIT_MAX: Micros = 1_000_000;
const MAX_PROBE_RATE_DEFAULT: BitsPerSecond = 5_000_000;
const PROBE_DURATION: Micros = 15_000;
const PROBE_PACKETS = 5;
const PROBE_DELTA: Micros = 2000;
const REPEATED_DURATION: Micros = 100_000;
const REPEATED_DELTA: Micros = 20_000;
const REPEATED_PERIOD: Micros = 5_000_000;
const ALR_INTERVAL: Micros = 5_000_000;
const ALR_SCALE = 2;
const ALR_ENDED_TIMEOUT: Micros = 3_000_000;
const ALLOCATION_SCALE_SECOND = 2;
const ALLOCATION_LIMIT_BY_ESTIMATE = 2;
const ALLOCATED_SCALE_MAX = 2;
const LOSS_INCREASING_SCALE = 1.5;
const DROP_THRESHOLD = 0.66;
const DROP_TIMEOUT: Micros = 5_000_000;
const DROP_PROBES_APART: Micros = 5_000_000;
const PROBE_FRACTION_AFTER_DROP = 0.85;
const PROBE_UNCERTAINTY = 0.05;
const NETWORK_PROBE_DELTA: Micros = 20_000;
const LOW_ESTIMATE_INTERVAL: Micros = 3_000_000;

/** Tuning, ours. */
const CAPACITY_INTERVAL: Micros = 1_500_000;
const CAPACITY_SCALE = 2;

const QUEUE_MAX_DEFAULT = 16;

/** What holds the estimate where it is, and so what a probe could find out. */
export type LimitedBy = "delay" | "delay-increased" | "loss" | "loss-increasing" | "rtt";

export interface ProbeControllerOptions {
  /** Probe again and again in the first 5 s, while nothing is allocated: for transports whose streams come later. */
  readonly repeatInitial?: boolean;
  /** Most probes that wait to be taken by `next`. */
  readonly queueMax?: number;
  readonly networkEstimate?: NetworkEstimateProbing;
}

export class ProbeController {
  /** Probes that found no room in the queue. */
  overflows = 0;
  readonly #repeatInitial: boolean;
  readonly #queue: Ring<ProbeCluster>;
  readonly #byEstimate: NetworkEstimateProbing;
  readonly #estimateInterval: Micros;
  /** Upper bound of the link, Infinity = not known. */
  #linkUpper: BitsPerSecond = Number.POSITIVE_INFINITY;
  /** The probes at hand look for capacity. */
  #capacity = false;
  #state: "init" | "waiting" | "complete" = "init";
  #networkUp = true;
  #estimate: BitsPerSecond = 0;
  #start: BitsPerSecond = 0;
  #max: BitsPerSecond = MAX_PROBE_RATE_DEFAULT;
  #maxAllocated: BitsPerSecond = 0;
  #limitedBy: LimitedBy = "delay";
  #furtherFrom: BitsPerSecond = Number.POSITIVE_INFINITY;
  #initiatedAt: Micros = Number.NEGATIVE_INFINITY;
  #repeatUntil: Micros = Number.NEGATIVE_INFINITY;
  #alrProbing = false;
  /** NaN outside the region. */
  #alrStart: Micros = Number.NaN;
  #alrEnd: Micros = Number.NEGATIVE_INFINITY;
  #droppedAt: Micros = Number.NEGATIVE_INFINITY;
  #beforeDrop: BitsPerSecond = 0;
  #dropProbedAt: Micros = Number.NEGATIVE_INFINITY;
  #nextId = 1;

  constructor(options: ProbeControllerOptions = {}) {
    this.#repeatInitial = options.repeatInitial ?? false;
    this.#queue = new Ring(options.queueMax ?? QUEUE_MAX_DEFAULT);
    this.#byEstimate = options.networkEstimate ?? {};
    this.#estimateInterval = this.#byEstimate.interval ?? Number.POSITIVE_INFINITY;
  }

  /** The next probe to send, undefined when there is none. */
  next(): ProbeCluster | undefined {
    return this.#queue.shift();
  }

  /** `start` 0 keeps the one known; `max` may be Infinity. */
  setBitrates(now: Micros, min: BitsPerSecond, start: BitsPerSecond, max: BitsPerSecond): void {
    if (start > 0) {
      this.#start = start;
      this.#estimate = start;
    } else if (this.#start === 0) {
      this.#start = min;
    }
    const before = this.#max;
    this.#max = Number.isFinite(max) ? max : MAX_PROBE_RATE_DEFAULT;
    if (this.#state === "init") {
      if (this.#networkUp) this.#initiateExponential(now);
    } else if (this.#state === "complete" && this.#estimate > 0 && before < this.#max && this.#estimate < this.#max) {
      this.#initiate(now, this.#max, 0, false);
    }
  }

  /** Sum of what the streams could use. More of it is probed for in the application-limited region; elsewhere the rate grows by itself. */
  setMaxAllocated(now: Micros, bitrate: BitsPerSecond): void {
    const before = this.#maxAllocated;
    this.#maxAllocated = bitrate;
    if (bitrate > 0) this.#repeatUntil = Math.min(this.#repeatUntil, now);
    if (this.#state !== "complete" || bitrate === before || bitrate === 0 || Number.isNaN(this.#alrStart)) return;
    if (this.#estimate >= this.#max || this.#estimate >= bitrate) return;
    const limit = ALLOCATION_LIMIT_BY_ESTIMATE * this.#estimate;
    const first = Math.min(bitrate, limit);
    const second = limit < bitrate ? 0 : Math.min(ALLOCATION_SCALE_SECOND * bitrate, limit);
    this.#initiate(now, first, second > first ? second : 0, limit < ALLOCATION_SCALE_SECOND * bitrate);
  }

  setNetworkUp(now: Micros, up: boolean): void {
    this.#networkUp = up;
    if (!up && this.#state === "waiting") this.#complete();
    if (up && this.#state === "init" && this.#start > 0) this.#initiateExponential(now);
  }

  /** Probing every 5 s in the application-limited region, which needs transport feedback. */
  setAlrProbing(enabled: boolean): void {
    this.#alrProbing = enabled;
  }

  /** NaN outside the region. */
  setAlrStart(time: Micros): void {
    this.#alrStart = time;
  }

  setAlrEnded(now: Micros): void {
    this.#alrEnd = now;
  }

  /** A new estimate, which may be the result that is waited for. */
  setEstimate(now: Micros, bitrate: BitsPerSecond, limitedBy: LimitedBy): void {
    this.#limitedBy = limitedBy;
    if (bitrate < DROP_THRESHOLD * this.#estimate) {
      this.#droppedAt = now;
      this.#beforeDrop = this.#estimate;
    }
    this.#estimate = bitrate;
    if (this.#state !== "waiting" || bitrate <= this.#furtherFrom) return;
    if (this.#estimateInterval < Number.POSITIVE_INFINITY && bitrate > FURTHER_PROBE_THRESHOLD * this.#linkUpper) return;
    this.#initiate(now, FURTHER_PROBE_SCALE * bitrate, 0, true, this.#capacity);
  }

  /** The path recovered from overuse: was the drop real? Asked only where the application offers too little to find out by itself. */
  requestProbe(now: Micros): void {
    const limited = !Number.isNaN(this.#alrStart) || now - this.#alrEnd < ALR_ENDED_TIMEOUT;
    if (!limited || this.#state !== "complete") return;
    const suggested = PROBE_FRACTION_AFTER_DROP * this.#beforeDrop;
    const worth = (1 - PROBE_UNCERTAINTY) * suggested > this.#estimate;
    if (!worth || now - this.#droppedAt >= DROP_TIMEOUT || now - this.#dropProbedAt <= DROP_PROBES_APART) return;
    this.#dropProbedAt = now;
    this.#initiate(now, suggested, 0, false);
  }

  /** The queue is empty and has been for a while: is there more room than the estimate has found? */
  probeCapacity(now: Micros): void {
    if (this.#state !== "complete" || now - this.#initiatedAt < CAPACITY_INTERVAL) return;
    if (this.#estimate >= this.#max || (this.#maxAllocated > 0 && this.#estimate >= this.#maxAllocated)) return;
    this.#initiate(now, CAPACITY_SCALE * this.#estimate, 0, true, true);
  }

  setNetworkEstimate({ upper }: NetworkEstimate): void {
    this.#linkUpper = upper;
  }

  /** Does what time brings; every 25 ms. */
  process(now: Micros): void {
    if (this.#state === "waiting" && now - this.#initiatedAt > RESULT_WAIT_MAX) this.#complete();
    if (this.#estimate === 0 || this.#state !== "complete") return;
    if (now < this.#repeatUntil && this.#maxAllocated === 0 && now - this.#initiatedAt >= RESULT_WAIT_MAX) {
      this.#initiate(now, FIRST_PROBE_SCALE * this.#estimate, 0, true);
    } else if ((this.#alrProbing && now >= Math.max(this.#alrStart, this.#initiatedAt) + ALR_INTERVAL) || this.#belowLink(now)) {
      this.#initiate(now, ALR_SCALE * this.#estimate, 0, true);
    }
  }

  #belowLink(now: Micros): boolean {
    if (this.#linkUpper === Number.POSITIVE_INFINITY) return false;
    const { lowRatio = 0, lowInterval = LOW_ESTIMATE_INTERVAL } = this.#byEstimate;
    const low = this.#limitedBy === "delay" && this.#estimate < lowRatio * this.#linkUpper;
    if (low && lowInterval < Number.POSITIVE_INFINITY) return now >= this.#initiatedAt + lowInterval;
    return this.#estimate < this.#linkUpper && now >= this.#initiatedAt + this.#estimateInterval;
  }

  /** Another path: probing begins anew with the next `setBitrates`; numbers of clusters go on. */
  reset(): void {
    this.#state = "init";
    this.#estimate = 0;
    this.#start = 0;
    this.#max = MAX_PROBE_RATE_DEFAULT;
    this.#maxAllocated = 0;
    this.#limitedBy = "delay";
    this.#linkUpper = Number.POSITIVE_INFINITY;
    this.#furtherFrom = Number.POSITIVE_INFINITY;
    this.#initiatedAt = Number.NEGATIVE_INFINITY;
    this.#repeatUntil = Number.NEGATIVE_INFINITY;
    this.#alrStart = Number.NaN;
    this.#alrEnd = Number.NEGATIVE_INFINITY;
    this.#droppedAt = Number.NEGATIVE_INFINITY;
    this.#beforeDrop = 0;
    this.#dropProbedAt = Number.NEGATIVE_INFINITY;
    this.#queue.clear();
  }

  #initiateExponential(now: Micros): void {
    if (this.#repeatInitial && this.#maxAllocated === 0) this.#repeatUntil = now + REPEATED_PERIOD;
    this.#initiate(now, FIRST_PROBE_SCALE * this.#start, SECOND_PROBE_SCALE * this.#start, true);
  }

  /** One or two probes; `second` 0 = none. `further`: a good result leads to the next. */
  #initiate(now: Micros, first: BitsPerSecond, second: BitsPerSecond, further: boolean, capacity = false): void {
    let most = this.#max;
    if (this.#maxAllocated > 0) most = Math.min(most, ALLOCATED_SCALE_MAX * this.#maxAllocated);
    if (this.#limitedBy === "loss-increasing") most = Math.min(most, LOSS_INCREASING_SCALE * this.#estimate);
    else if (this.#limitedBy !== "delay") return;
    if (this.#usesEstimate) {
      if (this.#linkUpper === 0) return;
      most = Math.min(most, Math.max(this.#estimate, this.#linkUpper * (this.#byEstimate.scale ?? 1)));
    }
    this.#capacity = capacity;
    const last = Math.min(second > 0 ? second : first, most);
    this.#push(now, Math.min(first, most));
    if (second > 0) this.#push(now, last);
    this.#initiatedAt = now;
    if (further && (second > 0 ? second : first) < most) {
      this.#state = "waiting";
      this.#furtherFrom = last * FURTHER_PROBE_THRESHOLD;
    } else {
      this.#complete();
    }
  }

  get #usesEstimate(): boolean {
    return this.#estimateInterval < Number.POSITIVE_INFINITY && this.#linkUpper < Number.POSITIVE_INFINITY;
  }

  #push(now: Micros, rate: BitsPerSecond): void {
    const repeated = now < this.#repeatUntil;
    const { duration = PROBE_DURATION, minDelta = NETWORK_PROBE_DELTA } = this.#byEstimate;
    const known = this.#usesEstimate && rate <= this.#linkUpper;
    const cluster: ProbeCluster = {
      id: this.#nextId++,
      createdAt: now,
      targetRate: rate,
      targetDuration: known ? duration : repeated ? REPEATED_DURATION : PROBE_DURATION,
      minProbeDelta: known ? minDelta : repeated ? REPEATED_DELTA : PROBE_DELTA,
      targetProbeCount: PROBE_PACKETS,
      capacity: this.#capacity,
    };
    if (!this.#queue.push(cluster)) this.overflows++;
  }

  #complete(): void {
    this.#state = "complete";
    this.#furtherFrom = Number.POSITIVE_INFINITY;
  }
}
