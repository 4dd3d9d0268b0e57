/**
 * The values in which the parts of congestion control speak to each other: what was sent, what became of it, and what the detectors say.
 *
 *   socket ─ SentPacket ─▶ send-history ─▶ feedback-adapter ─ TransportFeedback ─┬▶ acknowledged-bitrate, delay-based
 *                                            ▲                                   └▶ loss-based, probe-estimator, congestion-window
 *                                   TWCC or CCFB message
 *
 * All times inside gcc/ are microseconds: whole numbers stay exact in a double, so the 5 ms and 10 ms rules decide alike on every machine.
 * Send and feedback times are of the sender's clock. Receive times are of the receiver's, whose zero is unknown: only their differences mean something.
 *
 * Source: reference/gcc.md A; the network_types of libwebrtc f3ae3eb6. Deviation: one feedback is a struct of arrays that is reused, instead of a
 * vector of structs for each message.
 */
import { assert } from "../base/assert.ts";
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";

/** What the delay detector says of the path: "overusing" = a queue grows, "underusing" = it drains. */
export type BandwidthUsage = "normal" | "underusing" | "overusing";

/** `probeCluster` of a packet that is no probe. */
export const NOT_A_PROBE = -1;
/** `receiveTime` of a packet that the receiver has not reported. */
export const LOST: Micros = Number.POSITIVE_INFINITY;

/** A packet handed to the socket. Borrowed by whoever is given one: callers reuse a single object, so all fields are writable. */
export interface SentPacket {
  /** Transport-wide sequence number, unwrapped: counts up from any start ≥ 0 and never wraps. */
  sequence: number;
  sendTime: Micros;
  /** Bytes that load the network: RTP packet and the overhead of the layers below. */
  size: Bytes;
  /** `ProbeCluster.id`, or NOT_A_PROBE. */
  probeCluster: number;
  audio: boolean;
  retransmission: boolean;
}

/** One packet of a feedback, for tests and for inspection; hot paths read the arrays of TransportFeedback. */
export interface PacketResult {
  readonly sent: Readonly<SentPacket>;
  /** Receiver's clock; LOST when it did not arrive. */
  readonly receiveTime: Micros;
}

/** A train of packets sent at `targetRate` to measure whether the path carries it. */
export interface ProbeCluster {
  /** ≥ 0, counts up. */
  readonly id: number;
  readonly createdAt: Micros;
  readonly targetRate: BitsPerSecond;
  readonly targetDuration: Micros;
  /** Least time between two bursts of the train. */
  readonly minProbeDelta: Micros;
  readonly targetProbeCount: number;
  /** It looks for room beside traffic that fills the estimate: a result below the estimate says nothing. Default false. */
  readonly capacity?: boolean;
}

/** State of the path as the controller publishes it. */
export interface NetworkState {
  readonly at: Micros;
  readonly targetRate: BitsPerSecond;
  readonly delayBasedRate: BitsPerSecond;
  readonly lossBasedRate: BitsPerSecond;
  readonly bandwidthUsage: BandwidthUsage;
  /** Share of packets lost, 0…1. */
  readonly lossRatio: number;
  readonly roundTripTime: Micros;
}

/** Packets a message may report before the arrays grow. */
const ROOM = 64;
const AUDIO = 1;
const RETRANSMISSION = 2;

/**
 * What one feedback message says, in ascending order of sequence number: packet i is sequence[i], sendTime[i], … for i < length.
 * Owned by the feedback adapter and overwritten by its next message: borrowed by all who read it. The arrays are replaced by longer ones when
 * a message needs them, so nobody keeps one beyond the call.
 */
export class TransportFeedback {
  readonly capacity: number;
  /** Packets reported, received or lost. */
  length = 0;
  /** Arrival of the feedback at the sender. */
  feedbackTime: Micros = 0;
  /** Bytes in flight after and before this feedback. */
  dataInFlight: Bytes = 0;
  priorInFlight: Bytes = 0;
  sequence = new Float64Array(ROOM);
  sendTime = new Float64Array(ROOM);
  /** LOST (= Infinity) for packets that did not arrive. */
  receiveTime = new Float64Array(ROOM);
  size = new Int32Array(ROOM);
  /** Bytes sent just before this packet that carry no transport sequence number. */
  priorUnacked = new Int32Array(ROOM);
  probeCluster = new Int32Array(ROOM);
  /** 1 = the packet had been reported as lost before and is received after all. */
  recovered = new Uint8Array(ROOM);
  #flags = new Uint8Array(ROOM);
  /** After `sort`: indices of the received packets by receive time, `received` of them; equal times keep the order of sequence. */
  order = new Int32Array(ROOM);
  received = 0;

  /** `capacity`: most packets of one message; room for them is taken as messages need it. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  clear(feedbackTime: Micros): void {
    this.length = 0;
    this.received = 0;
    this.feedbackTime = feedbackTime;
    this.dataInFlight = 0;
    this.priorInFlight = 0;
  }

  /** Appends a packet, whose fields are copied; call `sort` after the last. False when full. */
  push(sent: Readonly<SentPacket>, receiveTime: Micros, priorUnacked: Bytes = 0, recovered = false): boolean {
    const i = this.length;
    if (i >= this.capacity) return false;
    if (i >= this.sequence.length) this.#grow();
    this.sequence[i] = sent.sequence;
    this.sendTime[i] = sent.sendTime;
    this.receiveTime[i] = receiveTime;
    this.size[i] = sent.size;
    this.priorUnacked[i] = priorUnacked;
    this.probeCluster[i] = sent.probeCluster;
    this.recovered[i] = recovered ? 1 : 0;
    this.#flags[i] = (sent.audio ? AUDIO : 0) | (sent.retransmission ? RETRANSMISSION : 0);
    this.length = i + 1;
    return true;
  }

  /** Fills `order` and `received`. Packets come nearly sorted, so inserting each at its place is one comparison a packet. */
  sort(): void {
    const { order, receiveTime } = this;
    let n = 0;
    for (let i = 0; i < this.length; i++) {
      const time = receiveTime[i]!;
      if (time === LOST) continue;
      let at = n++;
      while (at > 0 && receiveTime[order[at - 1]!]! > time) {
        order[at] = order[at - 1]!;
        at--;
      }
      order[at] = i;
    }
    this.received = n;
  }

  #grow(): void {
    const room = this.sequence.length * 2;
    this.sequence = lengthened(this.sequence, new Float64Array(room));
    this.sendTime = lengthened(this.sendTime, new Float64Array(room));
    this.receiveTime = lengthened(this.receiveTime, new Float64Array(room));
    this.size = lengthened(this.size, new Int32Array(room));
    this.priorUnacked = lengthened(this.priorUnacked, new Int32Array(room));
    this.probeCluster = lengthened(this.probeCluster, new Int32Array(room));
    this.recovered = lengthened(this.recovered, new Uint8Array(room));
    this.#flags = lengthened(this.#flags, new Uint8Array(room));
    this.order = lengthened(this.order, new Int32Array(room));
  }

  audio(i: number): boolean {
    return (this.#flags[i]! & AUDIO) !== 0;
  }

  retransmission(i: number): boolean {
    return (this.#flags[i]! & RETRANSMISSION) !== 0;
  }

  /** A copy of packet i, 0…length−1. */
  at(i: number): PacketResult {
    assert(i >= 0 && i < this.length, `packet ${i} of ${this.length}`);
    return {
      sent: {
        sequence: this.sequence[i]!,
        sendTime: this.sendTime[i]!,
        size: this.size[i]!,
        probeCluster: this.probeCluster[i]!,
        audio: this.audio(i),
        retransmission: this.retransmission(i),
      },
      receiveTime: this.receiveTime[i]!,
    };
  }
}

function lengthened<T extends Float64Array | Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
