/**
 * The rate controller that tunes itself: pacing rate and in-flight cap from the delivery rate and the least round trip, after BBR.
 *
 *   startup ──full──▶ drain ──in flight ≤ BDP──▶ probe-bandwidth: 1.25 · 0.75 · 1 × 6 round trips each ──┐
 *                                                  ▲───────────── probe-rtt, every 10 s ◀────────────────┘
 *
 * Source: draft-ietf-ccwg-bbr, Linux net/ipv4/tcp_bbr.c.
 *
 * Deviations:
 *   - app-limited traffic is paced at the whole estimate and never slowed to drain what it has not filled
 *   - a sample that is app-limited counts nevertheless when the round trip shows a standing queue: the path is then full, whoever filled it
 *   - growing ends also when a round loses much and gains little, so that a short queue is not overrun for three rounds; so does a probe
 *   - a sample shorter than the least round trip is no sample
 */
import type { AckRound, RateController } from "../base/rate-controller.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { WindowedMax } from "./windowed-max.ts";

/** Tuning, BBR's. */
const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 1 / STARTUP_GAIN;
const WINDOW_GAIN = 2;
/** While a queue stands that others keep full: less of it is ours. */
const WINDOW_GAIN_CROWDED = 1.5;
const CROWDED_ROUNDS = 6;
/** So many rounds of more to send than may be sent make what was learned doubtful. */
const DOUBT_ROUNDS = 2;
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
const BANDWIDTH_ROUNDS = 10;
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
const MIN_RTT_SPAN_MS: Millis = 10_000;
const PROBE_RTT_MS: Millis = 200;
const PROBE_RTT_GAIN = 0.5;

/** Tuning, our own. */
const SEGMENT_BYTES: Bytes = 1400;
const WINDOW_INITIAL: Bytes = 64 * SEGMENT_BYTES;
const WINDOW_MIN: Bytes = 4 * SEGMENT_BYTES;
/** Until something is known of the path: 10 Mbit/s. */
const RATE_INITIAL = 1250;
const RATE_MIN = 12;
/** What is measured beyond that, 100 Mbit/s, is only a beginning: clocks are too coarse for it. */
const LEARNED_MAX = 12_500;
const RTT_INITIAL: Millis = 200;
/** Loss in a round that ends growing, beyond what the path loses by itself. */
const LOSS_TOO_MUCH = 0.1;
const LOSS_OF_GROWTH = 0.2;
const LOST_MIN: Bytes = 8 * SEGMENT_BYTES;
/** A standing queue: the shortest round trip of a round is longer than the least by this factor and more. */
const QUEUE_FACTOR = 1.2;
const QUEUE_MS: Millis = 5;
const QUEUE_BYTES: Bytes = 16 * SEGMENT_BYTES;
/** A queue that begins to stand: the least round trip of a round grew by an eighth, 4 to 16 ms (RFC 9406). */
const GROWTH_MS_MIN: Millis = 4;
const GROWTH_MS_MAX: Millis = 16;

type State = "startup" | "drain" | "probe-bandwidth" | "probe-rtt";

export class AutoController implements RateController {
  state: State = "startup";
  window: Bytes = WINDOW_INITIAL;
  pacingRate = RATE_INITIAL;
  /** Least round trip of the last 10 s, −1 before the first. */
  minRtt: Millis = -1;
  #minRttAt: Millis = 0;
  readonly #bandwidth = new WindowedMax(BANDWIDTH_ROUNDS);
  #rounds = 0;
  #roundEnds: Bytes = 0;
  #fullBandwidth = 0;
  #fullRounds = 0;
  #full = false;
  #phase = 2;
  #phaseAt: Millis = 0;
  #phaseLost: Bytes = 0;
  #phaseDelivered: Bytes = 0;
  #roundLost: Bytes = 0;
  #roundDelivered: Bytes = 0;
  /** Shortest round trip of the last whole round, 0 when there was none. */
  #standing: Millis = 0;
  /** Rounds with a standing queue, less those without. */
  #crowded = 0;
  /** What is known was learned by other means, and no acknowledgements have borne it out yet. */
  #believed = false;
  /** Rounds in a row that there was always something to send. */
  #busyRounds = 0;
  #roundRtt: Millis = Number.POSITIVE_INFINITY;
  #probeRttUntil: Millis = 0;
  #limited = true;

  /** Bytes a millisecond; 0 before the first sample. */
  get bandwidth(): number {
    return this.#bandwidth.value;
  }

  /** The path can hold so much without a queue. */
  get bdp(): Bytes {
    return this.bandwidth * (this.minRtt < 0 ? RTT_INITIAL : this.minRtt);
  }

  /** What is lost now is lost by the path: no queue stands, and nothing is tried out. */
  quiet(srtt: Millis): boolean {
    if (srtt > this.minRtt * QUEUE_FACTOR + QUEUE_MS) return false;
    return this.#limited || (this.state === "probe-bandwidth" && this.#phase >= 2);
  }

  sent(_now: Millis, _inFlight: Bytes): void {}

  acknowledged(now: Millis, round: AckRound): void {
    this.#trackRtt(now, round);
    const starts = round.prior >= this.#roundEnds;
    this.#roundLost += round.lost;
    this.#roundDelivered += round.newly;
    this.#phaseLost += round.lost;
    this.#phaseDelivered += round.newly;
    if (round.rtt >= 0) this.#roundRtt = Math.min(this.#roundRtt, round.rtt);
    if (starts) {
      this.#rounds++;
      this.#roundEnds = round.delivered;
      this.#busyRounds = round.appLimited ? 0 : this.#busyRounds + 1;
      this.#doubt();
    }
    this.#trackBandwidth(round);
    this.#advance(now, round, starts);
    if (starts) {
      this.#roundLost = 0;
      this.#roundDelivered = 0;
      this.#standing = this.#roundRtt === Number.POSITIVE_INFINITY ? 0 : this.#roundRtt;
      this.#roundRtt = Number.POSITIVE_INFINITY;
      const stands = this.#standing > this.minRtt * QUEUE_FACTOR + QUEUE_MS;
      this.#crowded = stands ? Math.min(this.#crowded + 1, 2 * CROWDED_ROUNDS) : Math.max(0, this.#crowded - 1);
    }
    this.#decide();
  }

  /** A measurement of the path by other means, in bytes a millisecond: it is believed until acknowledgements tell more. */
  learned(bandwidth: number): void {
    this.#bandwidth.add(this.#rounds, bandwidth);
    if (this.state === "startup" && bandwidth < LEARNED_MAX) {
      this.#full = true;
      this.#believed = true;
      this.state = "probe-bandwidth";
    }
    this.#decide();
  }

  /** More waits than what was learned lets through, and no queue stands: the path carries more, so it is grown into as from the beginning. */
  #doubt(): void {
    if (!this.#believed || this.#busyRounds < DOUBT_ROUNDS) return;
    this.#believed = false;
    if (this.#roundRtt > this.minRtt * QUEUE_FACTOR + QUEUE_MS) return;
    this.state = "startup";
    this.#full = false;
    this.#fullBandwidth = 0;
    this.#fullRounds = 0;
  }

  #trackRtt(now: Millis, { rtt }: AckRound): void {
    if (rtt < 0) return;
    const expired = now - this.#minRttAt > MIN_RTT_SPAN_MS;
    if (this.minRtt >= 0 && rtt > this.minRtt && !expired) return;
    if (this.minRtt >= 0 && expired && rtt > this.minRtt * 1.05 && this.state === "probe-bandwidth" && !this.#limited) {
      this.state = "probe-rtt";
      this.#probeRttUntil = now + Math.max(PROBE_RTT_MS, this.minRtt);
    }
    this.minRtt = rtt;
    this.#minRttAt = now;
  }

  #trackBandwidth(round: AckRound): void {
    const { rate } = round;
    // The queue may be the other direction's: then little of it is ours.
    const queued =
      this.#standing > this.minRtt * QUEUE_FACTOR + QUEUE_MS && rate > this.#bandwidth.value / 4 && rate * this.minRtt > QUEUE_BYTES;
    this.#limited = round.appLimited && !queued;
    if (rate <= 0 || round.took < this.minRtt * 0.95) return;
    if (!this.#limited || rate >= this.#bandwidth.value) this.#bandwidth.add(this.#rounds, rate);
  }

  #advance(now: Millis, round: AckRound, starts: boolean): void {
    if (this.state === "startup") this.#judgeGrowth(starts);
    if (this.state === "drain" && round.inFlight <= this.bdp) this.#enterProbeBandwidth(now);
    if (this.state === "probe-bandwidth") this.#cycle(now, round);
    if (this.state === "probe-rtt" && now >= this.#probeRttUntil) this.#enterProbeBandwidth(now);
  }

  #judgeGrowth(ends: boolean): void {
    const lossy = this.#roundLost > LOST_MIN && this.#roundLost > LOSS_OF_GROWTH * (this.#roundDelivered + this.#roundLost);
    if (lossy) this.#fill();
    if (!ends) return;
    const { bandwidth } = this;
    const growth = Math.min(Math.max(this.minRtt / 8, GROWTH_MS_MIN), GROWTH_MS_MAX);
    if (this.#roundRtt < Number.POSITIVE_INFINITY && this.#roundRtt > this.minRtt + growth && bandwidth * this.minRtt > QUEUE_BYTES)
      this.#fill();
    if (bandwidth >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = bandwidth;
      this.#fullRounds = 0;
    } else if (!this.#limited && ++this.#fullRounds >= FULL_ROUNDS) this.#fill();
  }

  #fill(): void {
    this.#full = true;
    this.state = "drain";
  }

  #enterProbeBandwidth(now: Millis): void {
    const first = this.state === "drain";
    this.state = "probe-bandwidth";
    this.#enterPhase(now, first ? 0 : 2);
  }

  #enterPhase(now: Millis, phase: number): void {
    this.#phase = phase;
    this.#phaseAt = now;
    this.#phaseLost = 0;
    this.#phaseDelivered = 0;
  }

  #cycle(now: Millis, round: AckRound): void {
    const gain = CYCLE[this.#phase]!;
    const passed = now - this.#phaseAt >= this.minRtt;
    let over = passed;
    if (gain > 1) {
      const lossy = this.#phaseLost > LOST_MIN && this.#phaseLost > LOSS_TOO_MUCH * (this.#phaseDelivered + this.#phaseLost);
      over = lossy || (passed && (round.inFlight >= gain * this.bdp || this.#limited || now - this.#phaseAt > 2 * this.minRtt));
    } else if (gain < 1) over = passed || round.inFlight <= this.bdp;
    if (!over) return;
    // What does not fill the path has nothing to probe with and nothing to drain.
    this.#enterPhase(now, this.#limited ? 2 : (this.#phase + 1) % CYCLE.length);
  }

  #decide(): void {
    const { bandwidth, bdp, state } = this;
    if (bandwidth === 0) return;
    const gain = state === "startup" ? STARTUP_GAIN : state === "drain" ? DRAIN_GAIN : state === "probe-rtt" ? 1 : CYCLE[this.#phase]!;
    const paced = gain * bandwidth;
    this.pacingRate = Math.max(RATE_MIN, this.#full ? paced : Math.max(this.pacingRate, paced));
    const windowGain =
      state === "startup" || state === "drain"
        ? STARTUP_GAIN
        : state === "probe-rtt"
          ? PROBE_RTT_GAIN
          : this.#crowded >= CROWDED_ROUNDS
            ? WINDOW_GAIN_CROWDED
            : WINDOW_GAIN;
    const window = windowGain * bdp + 3 * SEGMENT_BYTES;
    this.window = Math.max(state === "probe-rtt" ? WINDOW_MIN : this.#full ? 2 * WINDOW_MIN : WINDOW_INITIAL, window);
  }
}
