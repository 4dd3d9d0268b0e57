/**
 * Lets packets out at the pacing rate, so that a frame does not hit the bottleneck at once.
 *
 *   enqueue ─▶ pacer-queue ─▶ next(now): a packet, "send padding", or nothing yet ─▶ deadline(): when to ask again
 *                 probes (prober.ts) ┘        debt = bytes sent − rate × time: a packet may leave while the debt is within the burst window
 *
 *   for (;;) { const packet = pacer.next(now)
 *     if (packet === NOTHING) break
 *     if (packet === SEND_PADDING) pacer.onPaddingSent(now, <bytes sent, of pacer.paddingBytes>)
 *     else <send packet; pacer.probeCluster belongs to it> }
 *
 * Audio leaves at once, outside the budget and in spite of congestion. A queue that would take longer than its limit raises the rate until it fits.
 * Padding leaves only when nothing waits and all debt is paid, or to fill a probe.
 *
 * Source: reference/gcc.md G; libwebrtc 2026-08-22 modules/pacing/pacing_controller.
 *
 * Deviations:
 *   - it answers instead of calling, and does nothing between calls: no periodic process
 *   - bursts of 1 ms instead of 40 ms (BURST_TIME)
 *   - the queue is bounded by packets; a full one refuses and counts
 *   - the expected queue time counts with the pacing rate: with the raised one it could never exceed the limit at which encoders stop
 *   - audio is always exempt from pacing; padding stays with the caller, who may resend old packets as such
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { AUDIO, PacerQueue, VIDEO } from "./pacer-queue.ts";
import { NOT_A_PROBE, type ProbeCluster } from "./packet-result.ts";
import { Prober } from "./prober.ts";

/** `next` has nothing to send now. */
export const NOTHING = -1;
/** `next` wants `paddingBytes` of padding; `onPaddingSent` must follow. */
export const SEND_PADDING = -2;

const NEVER: Micros = Number.POSITIVE_INFINITY;

/** Tuning of libwebrtc. */
const BURST_BYTES_MAX: Bytes = 63_000;
const DEBT_TIME_MAX: Micros = 500_000;
const ELAPSED_MAX: Micros = 2_000_000;
const QUEUE_TIME_LIMIT: Micros = 2_000_000;
const QUEUE_TIME_LEFT_MIN: Micros = 1000;
const PADDING_BURST: Micros = 5000;
const PADDING_REPLAY_MAX: Micros = 50_000;
const KEEP_ALIVE_INTERVAL: Micros = 500_000;
const KEEP_ALIVE_BYTES: Bytes = 1;
const PROBE_EARLY_MAX: Micros = 1000;

/**
 * Tuning: as long as an event loop can sleep. libwebrtc lets 40 ms leave at once to wake up less; then a frame is one burst, the delay detector
 * sees one group of packets in 100 ms on a busy link, and flows share unfairly (bench/README.md).
 */
const BURST_TIME: Micros = 1000;
const PACKETS_MAX_DEFAULT = 8192;
const STREAMS_MAX_DEFAULT = 256;

export interface PacerOptions {
  /** Most packets that wait. */
  readonly packetsMax?: number;
  /** Streams are numbered 0…streamsMax−1. */
  readonly streamsMax?: number;
  /** Time in which what waits should have left; the rate rises to keep it. */
  readonly queueTimeLimit?: Micros;
  /** What may leave at once, in time at the pacing rate; 0 spaces every packet. Default 1 ms. */
  readonly burstTime?: Micros;
  /** Audio is paid from the budget too, though it never waits. */
  readonly accountForAudio?: boolean;
}

export interface PacerCounters {
  /** Packets refused because the queue was full. */
  refused: number;
  /** Packets dropped because a key frame of their stream came. */
  flushed: number;
  packetsSent: number;
  paddingBytesSent: Bytes;
  /** Times the rate was raised to keep the queue time limit. */
  drains: number;
}

export class Pacer {
  readonly counters: PacerCounters = { refused: 0, flushed: 0, packetsSent: 0, paddingBytesSent: 0, drains: 0 };
  /** Cluster of the packet that `next` answered last, or NOT_A_PROBE. */
  probeCluster = NOT_A_PROBE;
  /** Padding wanted after SEND_PADDING. */
  paddingBytes: Bytes = 0;
  readonly #queue: PacerQueue;
  readonly #prober = new Prober();
  readonly #queueTimeLimit: Micros;
  readonly #burstTime: Micros;
  readonly #accountForAudio: boolean;
  #pacingRate: BitsPerSecond = 0;
  #paddingRate: BitsPerSecond = 0;
  /** The pacing rate, or more while the queue is too long. */
  #rate: BitsPerSecond = 0;
  #mediaDebt: Bytes = 0;
  #paddingDebt: Bytes = 0;
  /** Up to when the debts are paid. */
  #paidUntil: Micros = 0;
  #lastSent: Micros = 0;
  #started = false;
  #congested = false;
  #pausedAt: Micros = Number.NaN;
  #pausedTotal: Micros = 0;
  /** Bytes of the probe burst at hand, −1 outside one. */
  #burstBytes: Bytes = -1;
  /** The burst at hand begins with a byte of padding; and that byte was asked for. */
  #leadWanted = false;
  #leadAsked = false;
  /** A probe found neither media nor padding: it waits for the next packet. */
  #probeStarved = false;
  #keepAlive = false;
  #burstWanted: Bytes = 0;
  /** What `#schedule` found: [0]. In an array because a number that is returned is boxed, once a packet. */
  readonly #due = new Float64Array(1);

  constructor(options: PacerOptions = {}) {
    this.#queue = new PacerQueue(options.packetsMax ?? PACKETS_MAX_DEFAULT, options.streamsMax ?? STREAMS_MAX_DEFAULT);
    this.#queueTimeLimit = options.queueTimeLimit ?? QUEUE_TIME_LIMIT;
    this.#burstTime = options.burstTime ?? BURST_TIME;
    this.#accountForAudio = options.accountForAudio ?? false;
  }

  get queueBytes(): Bytes {
    return this.#queue.bytes;
  }

  get queuePackets(): number {
    return this.#queue.packets;
  }

  /** Time that what waits would take at the pacing rate, for ControlHandler. */
  get expectedQueueTime(): Micros {
    return this.#queue.packets === 0 ? 0 : this.#pacingRate > 0 ? (this.#queue.bytes * 8e6) / this.#pacingRate : NEVER;
  }

  get probesDropped(): number {
    return this.#prober.dropped;
  }

  get probesFinished(): number {
    return this.#prober.finished;
  }

  setRates(now: Micros, pacing: BitsPerSecond, padding: BitsPerSecond): void {
    this.#pay(now);
    this.#pacingRate = pacing;
    this.#paddingRate = padding;
    this.#rate = pacing;
    this.#drainLongQueue(now);
  }

  addProbe(now: Micros, cluster: ProbeCluster): void {
    this.#prober.add(now, cluster);
  }

  /** While the congestion window is full only audio and keep-alives leave. */
  setCongested(now: Micros, congested: boolean): void {
    if (this.#congested && !congested) this.#pay(now);
    this.#congested = congested;
  }

  /** Nothing but keep-alives leaves until `resume`; what waits does not grow older. */
  pause(now: Micros): void {
    if (Number.isNaN(this.#pausedAt)) this.#pausedAt = now;
  }

  resume(now: Micros): void {
    if (Number.isNaN(this.#pausedAt)) return;
    this.#pausedTotal += now - this.#pausedAt;
    this.#pausedAt = Number.NaN;
    this.#pay(now);
  }

  /**
   * Queues packet number `packet`, 0…2^31−1, which stays the caller's, of `size` bytes. `keyFrameStart`: the first packet of a key frame, before which
   * older packets of its stream are dropped. False when the queue is full.
   */
  enqueue(now: Micros, packet: number, stream: number, level: number, size: Bytes, keyFrameStart = false): boolean {
    if (keyFrameStart && level === VIDEO) this.counters.flushed += this.#queue.flush(stream);
    // Time passed while nothing waited is no budget for a burst.
    if (this.#queue.packets === 0) this.#pay(now);
    if (!this.#queue.push(packet, stream, level, size, this.#queueClock(now))) {
      this.counters.refused++;
      return false;
    }
    if (!this.#started) this.#lastSent = now;
    this.#started = true;
    this.#probeStarved = false;
    this.#prober.onPacketQueued(size);
    return true;
  }

  /** A packet that was dropped, −1 for none: its number is the caller's again. Ask after every `enqueue` with `keyFrameStart`. */
  takeDropped(): number {
    return this.#queue.takeDropped();
  }

  /** The packet to send now, SEND_PADDING, or NOTHING. */
  next(now: Micros): number {
    if (this.#burstBytes < 0) {
      this.probeCluster = NOT_A_PROBE;
      if (this.#keepAliveDue(now)) return this.#padding(KEEP_ALIVE_BYTES);
      if (!this.#begin(now)) return NOTHING;
    }
    const probing = this.#burstBytes >= 0;
    if (probing && this.#leadWanted) {
      // A byte of padding first: it gives the measured interval a start that no large packet blurs.
      this.#leadWanted = false;
      this.#leadAsked = true;
      return this.#padding(KEEP_ALIVE_BYTES);
    }
    if (this.#queue.packets > 0 && (probing || !this.#congested || this.#queue.waiting(AUDIO) > 0)) return this.#media(now);
    const wanted = this.#wantedPadding();
    if (wanted > 0) return this.#padding(wanted);
    if (probing) this.#endBurst(now);
    return NOTHING;
  }

  /** After SEND_PADDING: how many bytes were sent, 0 when there was nothing to pad with. */
  onPaddingSent(now: Micros, bytes: Bytes): void {
    this.counters.paddingBytesSent += bytes;
    if (bytes > 0) this.#sent(now, bytes, true);
    if (this.#keepAlive) {
      this.#keepAlive = false;
      this.#lastSent = now;
      return;
    }
    const lead = this.#leadAsked;
    this.#leadAsked = false;
    if (this.#burstBytes >= 0) {
      // Without its first byte a burst can still be; without what it lacks at the end it is over.
      if (bytes > 0) this.#addToBurst(now, bytes);
      else if (!lead) this.#endBurst(now);
    } else if (bytes === 0) {
      // As if sent: asked again after a while instead of at once.
      this.#owePadding(this.paddingBytes);
    }
  }

  /** When `next` may have something; Infinity while only a new packet can change that. */
  deadline(now: Micros): Micros {
    if (this.#burstBytes >= 0) return now;
    const paused = !Number.isNaN(this.#pausedAt);
    this.#schedule(now);
    const due = paused ? NEVER : this.#due[0]!;
    return this.#keepAliveNeeded ? Math.min(this.#lastSent + KEEP_ALIVE_INTERVAL, due) : due;
  }

  /** Whether something may leave now; opens a probe burst where one is due. */
  #begin(now: Micros): boolean {
    if (!Number.isNaN(this.#pausedAt)) return false;
    this.#drainLongQueue(now);
    const probing = this.#probing;
    this.#schedule(now);
    const due = this.#due[0]!;
    if (now + (probing ? PROBE_EARLY_MAX : 0) < due) return false;
    if (!probing) {
      // Paid up to when it was due and not to now, so that a late call loses no budget; padding is not made up for.
      this.#pay(this.#queue.packets > 0 ? due : Math.max(due, now - PADDING_REPLAY_MAX));
      return true;
    }
    this.#pay(now);
    const cluster = this.#prober.current(now);
    if (cluster === undefined) {
      this.#schedule(now);
      return this.#due[0]! <= now;
    }
    this.probeCluster = cluster.id;
    this.#burstBytes = 0;
    this.#burstWanted = this.#prober.recommendedBytes;
    this.#leadWanted = this.#prober.bytesSent === 0;
    return true;
  }

  get #probing(): boolean {
    return this.#prober.probing && !this.#probeStarved;
  }

  /** Sets `#due`: when something may leave next. */
  #schedule(now: Micros): void {
    if (this.#probing) {
      this.#due[0] = this.#prober.nextTime === Number.NEGATIVE_INFINITY ? now : this.#prober.nextTime;
    } else if (this.#queue.waiting(AUDIO) > 0) {
      this.#due[0] = now;
    } else if (this.#congested || !this.#started || this.#rate <= 0) {
      this.#due[0] = NEVER;
    } else {
      const drain = (this.#mediaDebt * 8e6) / this.#rate;
      if (this.#queue.packets > 0) {
        const burst = Math.min(this.#burstTime, (BURST_BYTES_MAX * 8e6) / this.#rate);
        this.#due[0] = this.#paidUntil + (drain < burst ? 0 : drain);
      } else {
        this.#due[0] = this.#paddingRate <= 0 ? NEVER : this.#paidUntil + Math.max(drain, (this.#paddingDebt * 8e6) / this.#paddingRate);
      }
    }
  }

  #media(now: Micros): number {
    this.#queue.pop();
    const { size, level, packet } = this.#queue;
    this.counters.packetsSent++;
    this.#sent(now, size, level !== AUDIO || this.#accountForAudio);
    if (this.#burstBytes >= 0) this.#addToBurst(now, size);
    return packet;
  }

  #padding(bytes: Bytes): number {
    this.paddingBytes = bytes;
    return SEND_PADDING;
  }

  #wantedPadding(): Bytes {
    if (this.#queue.packets > 0 || this.#congested) return 0;
    if (this.#burstBytes >= 0) return Math.ceil(Math.max(0, this.#burstWanted - this.#burstBytes));
    if (this.#paddingRate <= 0 || this.#mediaDebt > 0 || this.#paddingDebt > 0) return 0;
    return Math.ceil((this.#paddingRate * PADDING_BURST) / 8e6);
  }

  #sent(now: Micros, bytes: Bytes, paid: boolean): void {
    this.#lastSent = now;
    if (!paid) return;
    this.#mediaDebt = Math.min(this.#mediaDebt + bytes, (this.#rate * DEBT_TIME_MAX) / 8e6);
    this.#owePadding(bytes);
  }

  #owePadding(bytes: Bytes): void {
    this.#paddingDebt = Math.min(this.#paddingDebt + bytes, (this.#paddingRate * DEBT_TIME_MAX) / 8e6);
  }

  #addToBurst(now: Micros, bytes: Bytes): void {
    this.#burstBytes += bytes;
    if (this.#burstBytes >= this.#burstWanted) this.#endBurst(now);
  }

  #endBurst(now: Micros): void {
    if (this.#burstBytes === 0) this.#probeStarved = true;
    else this.#prober.onSent(now, this.#burstBytes);
    this.#burstBytes = -1;
  }

  /** The debts shrink with the time up to `to`. What is left of less than half a byte is rounding. */
  #pay(to: Micros): void {
    const elapsed = Math.min(to - this.#paidUntil, ELAPSED_MAX);
    if (!(elapsed > 0)) return;
    this.#paidUntil = to;
    const media = this.#mediaDebt - (this.#rate * elapsed) / 8e6;
    const padding = this.#paddingDebt - (this.#paddingRate * elapsed) / 8e6;
    this.#mediaDebt = media < 0.5 ? 0 : media;
    this.#paddingDebt = padding < 0.5 ? 0 : padding;
  }

  /** Time without the pauses: what waits grows old only in it. */
  #queueClock(now: Micros): Micros {
    return (Number.isNaN(this.#pausedAt) ? now : this.#pausedAt) - this.#pausedTotal;
  }

  /** The rate at which what waits leaves within the limit, if that is more than the pacing rate. */
  #drainLongQueue(now: Micros): void {
    if (this.#queue.packets === 0) {
      this.#rate = this.#pacingRate;
      return;
    }
    const left = Math.max(QUEUE_TIME_LEFT_MIN, this.#queueTimeLimit - this.#queue.averageTime(this.#queueClock(now)));
    const needed = (this.#queue.bytes * 8e6) / left;
    if (needed > this.#pacingRate && this.#pacingRate > 0) {
      if (this.#rate === this.#pacingRate) this.counters.drains++;
      this.#rate = needed;
    } else {
      this.#rate = this.#pacingRate;
    }
  }

  get #keepAliveNeeded(): boolean {
    return this.#started && (this.#congested || !Number.isNaN(this.#pausedAt));
  }

  #keepAliveDue(now: Micros): boolean {
    if (!this.#keepAliveNeeded || now - this.#lastSent < KEEP_ALIVE_INTERVAL) return false;
    this.#keepAlive = true;
    return true;
  }
}
