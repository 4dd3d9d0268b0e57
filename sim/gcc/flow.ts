/**
 * One video call in one direction: an encoder that follows its allocation, pacer and network controller, and at the other end a receiver
 * that reports arrivals.
 *
 *   camera 30/s ─▶ encoder ─▶ pacer ─▶ path ─▶ receiver ─▶ feedback-generator ─▶ path ─▶ feedback-adapter ─▶ network-controller
 *                    ▲────────── allocator ◀─ control-handler ◀──────────────────────────────────────────────────────┘
 */
import { Prng } from "../../src/base/prng.ts";
import type { BitsPerSecond, Bytes, Micros, Millis } from "../../src/base/units.ts";
import { BitrateAllocator, type BitrateObserver } from "../../src/gcc/bitrate-allocator.ts";
import { ControlHandler } from "../../src/gcc/control-handler.ts";
import { FeedbackAdapter } from "../../src/gcc/feedback-adapter.ts";
import { ArrivalReport, FeedbackGenerator } from "../../src/gcc/feedback-generator.ts";
import { FrameDropper } from "../../src/gcc/frame-dropper.ts";
import { NetworkController, type NetworkControllerOptions } from "../../src/gcc/network-controller.ts";
import { NOTHING, Pacer, type PacerOptions, SEND_PADDING } from "../../src/gcc/pacer.ts";
import { VIDEO } from "../../src/gcc/pacer-queue.ts";
import { LOST, NOT_A_PROBE, type SentPacket } from "../../src/gcc/packet-result.ts";
import type { Member } from "../world.ts";
import { FlowRecord } from "./flow-record.ts";
import type { MediaEnd, MediaPath } from "./path.ts";

const PACKET_BYTES: Bytes = 1200;
const FRAME_TIME: Micros = 33_333;
const SLOTS = 1 << 14;

export interface FlowOptions extends NetworkControllerOptions {
  readonly startAt?: Millis;
  readonly stopAt?: Millis;
  /** What the encoder makes of its allocation at most and at least. */
  readonly encoderMax?: BitsPerSecond;
  readonly encoderMin?: BitsPerSecond;
  /** The flow goes the other way over the path. */
  readonly reverse?: boolean;
  /** The camera is off from … to …. */
  readonly paused?: readonly [Millis, Millis];
  readonly pacer?: PacerOptions;
  /** Pacing rate over target, 1.1 by default. */
  readonly pacingFactor?: number;
  /** Frames vary by this share. */
  readonly frameVariation?: number;
  /** false: the receiver sends no transport feedback, but a receiver report every second. */
  readonly transportFeedback?: boolean;
}

export class Flow implements Member, MediaEnd {
  readonly record = new FlowRecord();
  readonly controller: NetworkController;
  readonly pacer: Pacer;
  readonly adapter = new FeedbackAdapter();
  readonly generator = new FeedbackGenerator();
  /** The camera is on. */
  filming = true;
  /** What the camera makes at most, whatever it is allowed. */
  filmed: BitsPerSecond = Number.POSITIVE_INFINITY;
  readonly #path: MediaPath;
  readonly #options: FlowOptions;
  readonly #startAt: Micros;
  readonly #stopAt: Micros;
  readonly #allocator = new BitrateAllocator();
  readonly #handler = new ControlHandler();
  readonly #prng: Prng;
  readonly #sizes = new Int32Array(SLOTS);
  readonly #sent: SentPacket = { sequence: 0, sendTime: 0, size: 0, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
  /** Reports that are not under way; one that is lost is simply made anew. */
  readonly #spareReports: ArrivalReport[] = [];
  readonly #dropper = new FrameDropper();
  readonly #encoder: BitrateObserver = {
    onBitrate: ({ target, windowReduction }) => {
      const rate = this.#dropper.update(target, windowReduction, this.#options.encoderMin ?? 30_000);
      this.#encoderRate = Math.min(rate, this.#encoderMax);
      return 0;
    },
  };
  #encoderMax: BitsPerSecond = 0;
  #encoderRate: BitsPerSecond = 0;
  #nextFrame: Micros;
  #sequence = 0;
  #slot = 0;
  #updates = -1;
  /** Receiver: highest number and packets seen at the last receiver report. */
  #highest = -1;
  #seen = 0;
  #reportedHighest = -1;
  #reportedSeen = 0;
  #nextReceiverReport: Micros;
  #now: Micros = 0;

  constructor(path: MediaPath, seed: number, options: FlowOptions = {}) {
    this.#path = path;
    this.#options = options;
    this.pacer = new Pacer(options.pacer);
    this.#prng = new Prng(seed);
    this.#startAt = (options.startAt ?? 0) * 1000;
    this.#stopAt = (options.stopAt ?? Number.POSITIVE_INFINITY) * 1000;
    this.#nextFrame = this.#startAt;
    this.#nextReceiverReport = this.#startAt + 1_000_000;
    const transportFeedback = options.transportFeedback ?? true;
    this.controller = new NetworkController({ packetFeedbackOnly: transportFeedback, ...options });
    this.#setEncoder(options.encoderMax ?? 2_500_000);
  }

  /** The application wants another maximum. */
  setEncoderMax(now: Micros, max: BitsPerSecond): void {
    this.#setEncoder(max);
    this.controller.setStreams(now, { ...this.#allocator.limits, pacingFactor: this.#options.pacingFactor ?? 1.1 });
  }

  /** Left out because the congestion window was full. */
  get framesDropped(): number {
    return this.#dropper.dropped;
  }

  turn(now: Millis): void {
    const at = Math.round(now * 1000);
    this.#now = at;
    if (at < this.#startAt || at >= this.#stopAt) return;
    if (this.#updates < 0) this.controller.setStreams(at, { ...this.#allocator.limits, pacingFactor: this.#options.pacingFactor ?? 1.1 });
    this.controller.advance(at, this.pacer.queueBytes);
    this.#apply(at);
    if (at >= this.#nextFrame) this.#encode(at);
    this.#pace(at);
    this.#report(at);
  }

  deadline(): Millis {
    if (this.#now >= this.#stopAt) return Number.POSITIVE_INFINITY;
    if (this.#now < this.#startAt) return this.#startAt / 1000;
    const own = Math.min(this.#nextFrame, this.controller.deadline(), this.pacer.deadline(this.#now));
    const receiver = this.#options.transportFeedback === false ? this.#nextReceiverReport : this.generator.deadline();
    // A whole microsecond, and never one that has gone by.
    return Math.max(Math.ceil(Math.min(own, receiver)), this.#now + 1) / 1000;
  }

  arrived(now: Micros, sequence: number, sentAt: Micros, bytes: Bytes): void {
    this.record.arrived(now, sentAt, bytes);
    this.#highest = Math.max(this.#highest, sequence);
    this.#seen++;
    if (this.#options.transportFeedback !== false) this.generator.receive(sequence, now);
  }

  reported(now: Micros, report: ArrivalReport): void {
    const { adapter } = this;
    adapter.begin(now);
    let expected = report.baseSequence;
    for (let i = 0; i < report.length; i++) {
      for (; expected < report.sequence[i]!; expected++) adapter.add(expected & 0xffff, LOST);
      adapter.add(expected++ & 0xffff, report.arrival[i]!);
    }
    this.#spareReports.push(report);
    if (adapter.end()) this.controller.onFeedback(adapter.feedback);
    this.#apply(now);
  }

  #setEncoder(max: BitsPerSecond): void {
    this.#encoderMax = max;
    this.#allocator.set(this.#encoder, { min: this.#options.encoderMin ?? 30_000, max });
  }

  #apply(now: Micros): void {
    const { controller, pacer } = this;
    pacer.setCongested(now, controller.congested);
    this.#handler.setPacerQueueTime(pacer.expectedQueueTime);
    for (let probe = controller.nextProbe(); probe !== undefined; probe = controller.nextProbe()) pacer.addProbe(now, probe);
    if (controller.updates !== this.#updates) {
      this.#updates = controller.updates;
      pacer.setRates(now, controller.pacingRate, controller.paddingRate);
      this.#handler.setTarget(controller.targetRate, controller.windowReduction);
    }
    this.record.target(now, controller.targetRate);
    const allowed = this.#handler.take();
    if (Number.isNaN(allowed)) return;
    const { lossRatio, roundTripTime } = controller.state(now);
    this.#allocator.onEstimate(allowed, lossRatio, roundTripTime, this.#handler.windowReduction);
  }

  #encode(now: Micros): void {
    const { frameVariation = 0.1 } = this.#options;
    let bytes = (Math.min(this.#encoderRate, this.filmed) * FRAME_TIME) / 8e6;
    bytes = Math.round(bytes * (1 + frameVariation * (2 * this.#prng.float() - 1)));
    this.#nextFrame += FRAME_TIME;
    const [from, to] = this.#options.paused ?? [0, 0];
    if (!this.filming || this.#dropper.drops() || (now >= from * 1000 && now < to * 1000)) return;
    for (; bytes > 0; bytes -= PACKET_BYTES) {
      const size = Math.max(60, Math.min(bytes, PACKET_BYTES));
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#sizes[this.#slot] = size;
      this.pacer.enqueue(now, this.#slot, 0, VIDEO, size);
    }
  }

  #pace(now: Micros): void {
    const { pacer } = this;
    for (let packet = pacer.next(now); packet !== NOTHING; packet = pacer.next(now)) {
      const padding = packet === SEND_PADDING;
      let bytes = padding ? pacer.paddingBytes : this.#sizes[packet]!;
      const cluster = pacer.probeCluster;
      if (padding) pacer.onPaddingSent(now, bytes);
      for (; bytes > 0; bytes -= PACKET_BYTES) this.#send(now, Math.min(bytes, PACKET_BYTES), cluster);
    }
    this.record.pacerWaits.push(pacer.expectedQueueTime / 1000);
  }

  #send(now: Micros, bytes: Bytes, cluster: number): void {
    const sent = this.#sent;
    sent.sequence = this.#sequence++;
    sent.sendTime = now;
    sent.size = bytes;
    sent.probeCluster = cluster;
    if (this.#options.transportFeedback !== false) {
      this.adapter.history.add(sent);
      this.controller.onSentPacket(sent, this.adapter.history.inFlight);
    }
    this.record.sent(now, bytes);
    this.#path.send(now, this, sent.sequence, bytes, this.#options.reverse ?? false);
  }

  #report(now: Micros): void {
    if (this.#options.transportFeedback === false) {
      this.#receiverReport(now);
      return;
    }
    this.generator.advance(now);
    for (;;) {
      const report = this.#spareReports.pop() ?? new ArrivalReport();
      if (!this.generator.report(report)) {
        this.#spareReports.push(report);
        return;
      }
      this.#path.report(now, this, report, 48 + 2 * report.length, this.#options.reverse ?? false);
    }
  }

  /** RTCP as the controller sees it; it comes at once, as the way back is not what these scenarios are about. */
  #receiverReport(now: Micros): void {
    if (now < this.#nextReceiverReport) return;
    this.#nextReceiverReport += 1_000_000;
    const expected = this.#highest - this.#reportedHighest;
    const lost = expected - (this.#seen - this.#reportedSeen);
    this.#reportedHighest = this.#highest;
    this.#reportedSeen = this.#seen;
    this.controller.onReceiverReport(now, lost, expected);
    this.controller.onRoundTripTime(200_000);
  }
}
