/**
 * The receiver's own estimate for senders that give no send times: RTP timestamps, with a transmission offset where there is one, stand for them.
 *
 *   timestamp + offset, arrival ─▶ inter-arrival ─▶ overuse-estimator ─▶ overuse-detector    one of each per stream
 *   size ─▶ incoming-bitrate ─▶ aimd ◀── overusing if any is, else underusing if any is        one for all
 *                                └─▶ remb-throttle ─▶ REMB
 *
 * The rate is brought up to date when a stream begins to overuse, and every feedback interval (200 ms to 1 s). Streams that sent nothing for 2 s are
 * forgotten.
 *
 * Source: reference/gcc.md C3; libwebrtc bd635df3 remote_bitrate_estimator_single_stream.
 *
 * Deviations: streams are bounded; those beyond load the estimate but are not watched.
 */
import { SequenceUnwrapper } from "../base/sequence-unwrapper.ts";
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { Aimd } from "./aimd.ts";
import { IncomingBitrate } from "./incoming-bitrate.ts";
import { InterArrival } from "./inter-arrival.ts";
import { OveruseDetector } from "./overuse-detector.ts";
import { OveruseEstimator } from "./overuse-estimator.ts";
import type { BandwidthUsage } from "./packet-result.ts";
import type { RembEstimatorOptions, RembEstimatorStats } from "./remb-estimator.ts";
import { RembThrottle } from "./remb-throttle.ts";

/** Video's clock, on which libwebrtc runs all streams. */
const TICKS_PER_SECOND = 90_000;
const TIMESTAMP_BITS = 32;

/** Tuning of libwebrtc. */
const STREAM_TIMEOUT: Micros = 2_000_000;
const PROCESS_INTERVAL: Micros = 500_000;
const DELTAS_MIN = 2;

/** Tuning. */
const STREAMS_MAX = 64;

/** What is watched of one stream. */
class Stream {
  readonly ssrc: number;
  readonly interArrival = new InterArrival();
  readonly estimator = new OveruseEstimator();
  readonly detector = new OveruseDetector();
  heard: Micros = 0;
  readonly ticks = new SequenceUnwrapper(TIMESTAMP_BITS);

  constructor(ssrc: number) {
    this.ssrc = ssrc;
  }
}

export class SingleStreamEstimator {
  readonly stats: RembEstimatorStats = { streamsRefused: 0 };
  readonly throttle: RembThrottle;
  /** The last call brought a new estimate. */
  updated = false;
  readonly #aimd = new Aimd();
  readonly #incoming = new IncomingBitrate();
  readonly #streams: Stream[] = [];
  readonly #streamsMax: number;
  #processInterval: Micros = PROCESS_INTERVAL;
  #processedAt: Micros = Number.NaN;

  constructor(options: RembEstimatorOptions = {}) {
    this.#streamsMax = options.streamsMax ?? STREAMS_MAX;
    this.throttle = options.throttle ?? new RembThrottle();
  }

  /** The estimate, 0 while there is none. */
  get rate(): BitsPerSecond {
    return this.#aimd.valid && this.#streams.length > 0 ? this.#aimd.rate : 0;
  }

  get streams(): number {
    return this.#streams.length;
  }

  /** SSRC of stream i, 0…streams−1, for the list in REMB. */
  ssrc(i: number): number {
    return this.#streams[i]!.ssrc;
  }

  setRtt(rtt: Micros): void {
    this.#aimd.rtt = rtt;
  }

  removeStream(ssrc: number): void {
    const i = this.#streams.findIndex((stream) => stream.ssrc === ssrc);
    if (i >= 0) this.#streams.splice(i, 1);
  }

  /**
   * Takes a packet that arrived at `now`: `timestamp` of its RTP header plus its transmission offset, modulo 2^32, and `size`, the bytes of payload
   * and padding. Answers the rate to send in a REMB at once, or 0 = nothing.
   */
  receive(now: Micros, timestamp: number, size: Bytes, ssrc: number): BitsPerSecond {
    this.updated = false;
    this.#incoming.track(size, now);
    const stream = this.#hear(now, ssrc);
    if (stream === undefined) return 0;
    const before = stream.detector.state;
    this.#detect(stream, now, timestamp, size);
    if (stream.detector.state !== "overusing") return 0;
    const incoming = this.#incoming.rate(now);
    if (incoming === undefined) return 0;
    if (before === "overusing" && !this.#aimd.timeToReduceFurther(now, incoming)) return 0;
    return this.#update(now);
  }

  /** When `advance` wants to be called. */
  deadline(): Micros {
    return Number.isNaN(this.#processedAt) ? 0 : this.#processedAt + this.#processInterval;
  }

  /** Brings the estimate up to date if it is time; answers as `receive`. */
  advance(now: Micros): BitsPerSecond {
    this.updated = false;
    // In whole milliseconds, as the interval is meant.
    if (Math.round(now / 1000) < Math.round(this.deadline() / 1000)) return 0;
    const rate = this.#update(now);
    this.#processedAt = now;
    return rate;
  }

  #hear(now: Micros, ssrc: number): Stream | undefined {
    let stream = this.#find(ssrc);
    if (stream === undefined) {
      if (this.#streams.length === this.#streamsMax) {
        this.stats.streamsRefused++;
        return undefined;
      }
      stream = new Stream(ssrc);
      this.#streams.push(stream);
    }
    stream.heard = now;
    return stream;
  }

  #find(ssrc: number): Stream | undefined {
    for (let i = 0; i < this.#streams.length; i++) if (this.#streams[i]!.ssrc === ssrc) return this.#streams[i];
    return undefined;
  }

  #detect(stream: Stream, now: Micros, timestamp: number, size: Bytes): void {
    const sendTime = (stream.ticks.unwrap(timestamp) * 1e6) / TICKS_PER_SECOND;
    const { interArrival, estimator, detector } = stream;
    const arrival = Math.round(now / 1000) * 1000;
    if (!interArrival.receive(sendTime, arrival, arrival, size)) return;
    const sendDelta = interArrival.sendDelta / 1000;
    estimator.update(interArrival.arrivalDelta / 1000, sendDelta, interArrival.sizeDelta, detector.state);
    if (estimator.deltas >= DELTAS_MIN) detector.detect(estimator.signal, estimator.offset, sendDelta, arrival / 1000);
  }

  #update(now: Micros): BitsPerSecond {
    let usage: BandwidthUsage = "normal";
    for (let i = this.#streams.length - 1; i >= 0; i--) {
      const { heard, detector } = this.#streams[i]!;
      if (now - heard > STREAM_TIMEOUT) this.#streams.splice(i, 1);
      else if (usage !== "overusing" && detector.state !== "normal") usage = detector.state;
    }
    if (this.#streams.length === 0) return 0;
    this.#aimd.update(usage, this.#incoming.rate(now), now);
    if (!this.#aimd.valid) return 0;
    this.#processInterval = this.#aimd.feedbackInterval;
    this.updated = true;
    return this.throttle.offer(Math.floor(this.#aimd.rate), now);
  }
}
