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
 *   - growing ends also when a round loses much and gains little, so that a short queue is not overrun for three rounds; so does a probe; one that
 *     brought much is followed by the next once it has drained
 *   - a sample shorter than the least round trip is no sample; one of a sender that was woken late counts as one of an application that had no more
 *   - the least round trip is remembered for longer, and what it differs by counts (least-rtt.ts); asking for it lasts until what is in flight has fallen, and a
 *     round trip more
 *   - what waits on the way back, as far as the peer's clock tells, counts neither as round trip nor as in flight (return-queue.ts)
 *   - where a short queue overflows, what is in flight is bounded as CUBIC's would be (cubic-bound.ts)
 */
import type { AckRound, RateController } from "../base/rate-controller.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { AckAggregation } from "./ack-aggregation.ts";
import { Blackout, silent } from "./blackout.ts";
import { CubicBound } from "./cubic-bound.ts";
import { CYCLE_PHASES, pacingGain, type State, WINDOW_GAIN, windowGain } from "./gains.ts";
import { LeastRtt } from "./least-rtt.ts";
import { OwnLoss } from "./own-loss.ts";
import { ReturnQueue } from "./return-queue.ts";
import { SEGMENT_BYTES } from "./segment-bytes.ts";
import { growthOf, SharedQueue, stands } from "./shared-queue.ts";
import { Tally } from "./tally.ts";
import { WindowedMax } from "./windowed-max.ts";

/** While a queue stands that others keep full: in segments, besides, so many times the root of the product. */
const WINDOW_ROOT_CROWDED = 3;
/** So many rounds of more to send than may be sent make what was learned doubtful. */
const DOUBT_ROUNDS = 2;
/** From here on nothing is heard of the probe any more. */
const CALM_PHASE = 4;
/** So much more came through after a probe that the next one follows. */
const GREW = 1.15;
/** A queue has not overflowed for so long: who fills the path is alone with it. */
const CALM_MS: Millis = 30_000;
/** A stream that has filled the path for so long has no parity. */
const BARE_MS: Millis = 2000;
const BANDWIDTH_ROUNDS = 10;
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
const PROBE_RTT_MS: Millis = 200;

/** Tuning, our own. */
const WINDOW_INITIAL: Bytes = 64 * SEGMENT_BYTES;
const WINDOW_MIN: Bytes = 4 * SEGMENT_BYTES;
/** Until something is known of the path: 10 Mbit/s. */
const RATE_INITIAL = 1250;
const RATE_MIN = 12;
/** Of what got through on one path, tried at once on another. */
const START_SHARE = 0.5;
/** What is measured beyond that, 100 Mbit/s, is only a beginning: clocks are too coarse for it. */
const LEARNED_MAX = 12_500;
const RTT_INITIAL: Millis = 200;
/** Loss in a round that ends growing, beyond what the path loses by itself. */
const LOSS_TOO_MUCH = 0.1;
/** So much of a round that was neither probing nor queued: the path carries less than it did. */
const LOSS_OF_RETREAT = 0.25;
const RETREAT_BYTES: Bytes = 16 * SEGMENT_BYTES;
const RETREAT = 0.7;
/** So much of a round while a queue stands, beyond what the path loses by itself: it is others' turn (BBRv3's short-term bound). */
const LOSS_OF_YIELD = 0.02;
const YIELD_BYTES: Bytes = 3 * SEGMENT_BYTES;
const YIELD = 0.7;
/** A queue that overflows before it makes the round trip longer than the least by this factor is short. */
const SHORT_QUEUE = 1.5;
const LOSS_OF_GROWTH = 0.2;
const LOST_MIN: Bytes = 8 * SEGMENT_BYTES;
/** Least share of the estimate that an app-limited sample leaves of it. */
const LIMITED_DECAY = 0.8;
const QUEUE_BYTES: Bytes = 16 * SEGMENT_BYTES;

export class AutoController implements RateController {
  state: State = "startup";
  window: Bytes = WINDOW_INITIAL;
  pacingRate = RATE_INITIAL;
  readonly back = new ReturnQueue();
  readonly aggregation = new AckAggregation();
  readonly #leastRtt = new LeastRtt();
  readonly #bandwidth = new WindowedMax(BANDWIDTH_ROUNDS);
  #rounds = 0;
  #roundEnds: Bytes = 0;
  #fullBandwidth = 0;
  #fullRounds = 0;
  #full = false;
  #phase = 2;
  #phaseAt: Millis = 0;
  /** The estimate when the last probe began. */
  #probedFrom = 0;
  #settled = false;
  readonly #inPhase = new Tally();
  readonly #inRound = new Tally();
  readonly #blackout = new Blackout();
  readonly #ownLoss = new OwnLoss();
  readonly #bound = new CubicBound(SEGMENT_BYTES);
  /** The estimate is no more than this for now. */
  #yielded = Number.POSITIVE_INFINITY;
  #yieldRound = 0;
  readonly #queue = new SharedQueue();
  #overflowAt: Millis = Number.NEGATIVE_INFINITY;
  /** What is known was learned by other means, and no acknowledgements have borne it out yet. */
  #believed = false;
  /** Rounds in a row that there was always something to send. */
  #busyRounds = 0;
  #limitedAt: Millis = 0;
  #probeRttUntil: Millis = 0;
  #limited = true;
  #carried = false;
  #windowInitial = WINDOW_INITIAL;

  /** Round trip of the path while nothing waits, −1 while it is not known. */
  get minRtt(): Millis {
    return this.#leastRtt.value;
  }

  /** Bytes a millisecond; 0 before the first sample. */
  get bandwidth(): number {
    return Math.min(this.#bandwidth.value, this.#yielded);
  }

  /** The path can hold so much without a queue. */
  get bdp(): Bytes {
    return this.bandwidth * (this.minRtt < 0 ? RTT_INITIAL : this.minRtt);
  }

  /** What is lost now is lost by the path: no queue stands, and nothing is tried out. */
  quiet(srtt: Millis): boolean {
    if (stands(srtt - this.back.wait, this.minRtt)) return false;
    return this.#limited || (this.state === "probe-bandwidth" && this.#phase >= 2);
  }

  sent(_now: Millis, _inFlight: Bytes): void {}

  acknowledged(now: Millis, round: AckRound): void {
    this.back.takeFrom(round, this.minRtt, this.bandwidth);
    this.#trackRtt(now, round);
    const starts = round.prior >= this.#roundEnds;
    this.#inRound.add(round);
    this.#inPhase.add(round);
    if (starts) {
      this.#rounds++;
      this.#roundEnds = round.delivered;
      this.#busyRounds = round.appLimited ? 0 : this.#busyRounds + 1;
      if (round.appLimited) this.#limitedAt = now;
      this.#doubt();
    }
    this.#trackBandwidth(round);
    this.aggregation.add(now, round.newly, this.bandwidth, this.#rounds);
    if (starts) {
      this.#retreat(now, round.rate);
      this.#yield(now, round.rate);
    }
    this.#advance(now, round, starts);
    if (starts) {
      this.#queue.round(now, this.#inRound.rttMin, this.minRtt);
      this.#inRound.clear();
    }
    this.#decide(now);
  }

  /** A measurement of the path by other means, in bytes a millisecond, and of its round trip, 0 for none: believed until acknowledgements tell more. */
  learned(now: Millis, bandwidth: number, rtt: Millis = 0): void {
    this.#leastRtt.learned(now, rtt);
    if (!this.#believed && this.state !== "startup") return;
    this.#bandwidth.reset(this.#rounds, bandwidth);
    if (this.state === "startup" && bandwidth < LEARNED_MAX) {
      this.#full = true;
      this.#believed = true;
      this.state = "probe-bandwidth";
    }
    this.#decide(now);
  }

  /**
   * What follows takes another path, of which nothing is known but its round trip, 0 for not even that. What got through on the one before is tried on this
   * one: what comes in has not changed. `carried`: the path paces by itself.
   */
  moved(rtt: Millis, carried: boolean): void {
    const rate = Math.min(Math.max(RATE_INITIAL, this.bandwidth * START_SHARE), LEARNED_MAX);
    this.#bandwidth.reset(this.#rounds, 0);
    this.#carried = carried;
    this.#startUp();
    this.pacingRate = rate;
    this.#windowInitial = Math.max(WINDOW_INITIAL, WINDOW_GAIN * rate * rtt);
    this.window = carried ? Number.POSITIVE_INFINITY : this.#windowInitial;
    this.#leastRtt.forget();
    this.#believed = false;
    this.#bound.forget();
    this.aggregation.forget();
    this.#yielded = Number.POSITIVE_INFINITY;
    this.#ownLoss.forget();
    this.#queue.forget();
    this.#inRound.clear();
    this.#busyRounds = 0;
    this.#limited = true;
  }

  /** More waits than what was learned lets through, and no queue stands: the path carries more, so it is grown into as from the beginning. */
  #doubt(): void {
    if (!this.#believed || this.#busyRounds < DOUBT_ROUNDS) return;
    this.#believed = false;
    if (stands(this.#inRound.rttMin, this.minRtt)) return;
    this.#startUp();
  }

  #startUp(): void {
    this.state = "startup";
    this.#full = false;
    this.#fullBandwidth = 0;
    this.#fullRounds = 0;
  }

  /** A short queue overflows without standing: only its losses tell that the path carries less than was believed. */
  #retreat(now: Millis, rate: number): void {
    const lost = this.#inRound.lost;
    if (this.state !== "probe-bandwidth" || this.#phase < 2 || lost < RETREAT_BYTES) return;
    if (lost < (this.#ownLoss.share + LOSS_OF_RETREAT) * this.#inRound.sent || this.#inRound.rttMin > this.minRtt + this.#growth) return;
    if (this.#blackout.explains(now, this.#inRound, this.minRtt)) return;
    const { value } = this.#bandwidth;
    this.#bandwidth.reset(this.#rounds, Math.min(value, Math.max(rate, value * RETREAT)));
  }

  /**
   * A queue has overflowed: all who share it slow down. From one that stands, which others keep full, we go until the next probe finds out how far that was
   * needed; where it is short, one that runs full and empty, we do what a CUBIC would.
   */
  #yield(now: Millis, rate: number): void {
    if (this.#limited || this.state !== "probe-bandwidth" || this.#rounds < this.#yieldRound) return;
    const { lost, sent, inFlight, rttMin, rttMax } = this.#inRound;
    if (rttMax <= this.minRtt + this.#growth) {
      // A queue too short to be seen: of a path that loses nothing while it is not filled only others can have lost what is lost now.
      if (this.#phase < CALM_PHASE || !this.#ownLoss.clean || !this.#ownLoss.exceededBy(lost, sent)) return;
      this.#overflowed(now);
      this.#bound.reduce(now, inFlight);
      return;
    }
    const short = rttMax < this.minRtt * SHORT_QUEUE && !this.#queue.crowded && this.#queue.emptied;
    if (short) {
      if (!this.#queue.mayBeFull(rttMax, this.minRtt) || !this.#ownLoss.exceededBy(lost, sent)) return;
      this.#overflowed(now);
      this.#bound.reduce(now, inFlight);
    } else if (rttMin > this.minRtt + this.#growth && lost >= YIELD_BYTES && lost / sent >= this.#ownLoss.share + LOSS_OF_YIELD) {
      this.#overflowed(now);
      this.#yielded = Math.max(rate, YIELD * this.bandwidth);
    }
  }

  /** What is heard of in the round that begins was sent before. */
  #overflowed(now: Millis): void {
    this.#yieldRound = this.#rounds + 2;
    this.#overflowAt = now;
  }

  #trackRtt(now: Millis, { rtt, noise }: AckRound): void {
    this.#leastRtt.take(now, rtt, noise);
    if (rtt < 0 || this.state !== "probe-bandwidth" || this.#limited || !this.#leastRtt.asks(now)) return;
    this.state = "probe-rtt";
    this.#probeRttUntil = NEVER;
  }

  #trackBandwidth(round: AckRound): void {
    const { rate } = round;
    // The queue may be the other direction's: then little of it is ours.
    const queued = stands(this.#queue.standing, this.minRtt) && rate > this.#bandwidth.value / 4 && rate * this.minRtt > QUEUE_BYTES;
    this.#limited = round.appLimited && !queued;
    if (rate <= 0 || round.took < this.#leastRtt.least * 0.95) return;
    const { value } = this.#bandwidth;
    const late = round.late || silent(round.silence, this.minRtt);
    if ((this.#limited || (late && !queued)) && rate < value) return;
    // Where less was sent than the path carries, a queue tells that the path has less to give, not how much less.
    this.#bandwidth.add(this.#rounds, round.appLimited || late ? Math.max(rate, value * LIMITED_DECAY) : rate);
  }

  #advance(now: Millis, round: AckRound, starts: boolean): void {
    if (this.state === "startup") this.#judgeGrowth(starts);
    if (this.state === "drain" && round.inFlight <= this.bdp) this.#enterProbeBandwidth(now);
    if (this.state === "probe-bandwidth") this.#cycle(now, round);
    if (this.state === "probe-rtt") this.#probeRtt(now, round.inFlight);
  }

  /** What is in flight has to fall first; then a round trip tells of a path that it has drained from. */
  #probeRtt(now: Millis, inFlight: Bytes): void {
    if (this.#probeRttUntil === NEVER && inFlight <= this.window) this.#probeRttUntil = now + Math.max(PROBE_RTT_MS, this.minRtt);
    if (now >= this.#probeRttUntil) this.#enterProbeBandwidth(now);
  }

  #judgeGrowth(ends: boolean): void {
    const { lost, sent, rttMin } = this.#inRound;
    if (lost > LOST_MIN && lost > (this.#ownLoss.share + LOSS_OF_GROWTH) * sent) this.#fill();
    if (!ends) return;
    const { bandwidth } = this;
    const queued = rttMin < Number.POSITIVE_INFINITY && rttMin > this.minRtt + this.#growth;
    if (queued && bandwidth * this.minRtt > QUEUE_BYTES) this.#fill();
    if (bandwidth >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = bandwidth;
      this.#fullRounds = 0;
    } else if (!this.#limited && ++this.#fullRounds >= FULL_ROUNDS) this.#fill();
  }

  /** What the round trip grows by when a queue begins to stand. */
  get #growth(): Millis {
    return growthOf(this.minRtt);
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
    if (phase === 0) {
      this.#yielded = Number.POSITIVE_INFINITY;
      this.#probedFrom = this.#bandwidth.value;
    }
    this.#phaseAt = now;
    this.#settled = false;
    this.#inPhase.clear();
  }

  #cycle(now: Millis, round: AckRound): void {
    const gain = pacingGain(this.state, this.#phase);
    const passed = now - this.#phaseAt >= this.minRtt;
    let over = passed;
    if (gain > 1) {
      const lossy = this.#inPhase.lost > LOST_MIN && this.#inPhase.lost > (this.#ownLoss.share + LOSS_TOO_MUCH) * this.#inPhase.sent;
      over = lossy || (passed && (round.inFlight >= gain * this.bdp || this.#limited || now - this.#phaseAt > 2 * this.minRtt));
    } else if (this.#phase === 2 && !this.#settled && now - this.#phaseAt >= this.minRtt / 2) {
      // What is heard of from now on was sent in the slow phase: what was lost of the probe before is known.
      this.#settled = true;
      this.#inPhase.clear();
    }
    if (!over) return;
    if (this.#phase === 2) this.#trackOwnLoss(now);
    // What does not fill the path has nothing to probe with and nothing to drain.
    const grew = this.#probedFrom > 0 && this.#bandwidth.value >= GREW * this.#probedFrom;
    // Where much is lost, samples differ as much by chance.
    const again = grew && this.#phase >= 2 && this.#ownLoss.share < LOSS_TOO_MUCH;
    this.#enterPhase(now, this.#limited ? 2 : again ? 0 : (this.#phase + 1) % CYCLE_PHASES);
  }

  #trackOwnLoss(now: Millis): void {
    // Where a queue stands, whoever fills it, it may have overflowed: the path's own is no more than what is lost.
    const { lost, sent, rttMax } = this.#inPhase;
    if (rttMax <= this.minRtt + this.#growth || lost < this.#ownLoss.share * sent)
      this.#ownLoss.observe(lost, sent, now - this.#limitedAt > BARE_MS);
  }

  /** Beside others a part of the window that grows less than the product does: of a queue that nobody else empties all come to have as much. */
  #evenly(bdp: Bytes): Bytes {
    if (!this.#queue.crowded || this.state !== "probe-bandwidth") return 0;
    return WINDOW_ROOT_CROWDED * Math.sqrt(bdp * SEGMENT_BYTES);
  }

  #decide(now: Millis): void {
    const { bandwidth, state } = this;
    if (bandwidth === 0) return;
    const gain = pacingGain(state, this.#phase);
    // So much more is sent that the estimate arrives; not in the slow phase, in which it is found out what the path loses by itself.
    const madeUp = gain < 1 ? 1 : 1 / (1 - this.#ownLoss.share);
    const bdp = this.bdp * madeUp;
    const paced = gain * bandwidth * madeUp;
    this.pacingRate = Math.max(RATE_MIN, this.#full ? paced : Math.max(this.pacingRate, paced));
    if (this.#carried) return;
    const bound = this.#bound.at(now, this.minRtt);
    // Who fills a queue to its end makes bursts of acknowledgements, too.
    const extra = now - this.#overflowAt < CALM_MS ? 0 : this.aggregation.extra;
    const window = windowGain(state, this.#queue.crowded) * bdp + this.#evenly(bdp) + extra + 3 * SEGMENT_BYTES;
    if (bound > window && state === "probe-bandwidth") this.#bound.forget();
    const least = state === "probe-rtt" ? WINDOW_MIN : this.#full ? 2 * WINDOW_MIN : this.#windowInitial;
    this.window = Math.max(least, Math.min(window, bound)) + this.back.bytes(bandwidth);
  }
}
