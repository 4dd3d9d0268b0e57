/**
 * Packets that were sent and wait to be told of, by transport sequence number, and the bytes in flight.
 *
 *     oldest                 acknowledged                 newest
 *       ▼                         ▼                         ▼
 *   ┌───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┐
 *   │ x │ – │ – │ x │ – │ – │ – │ – │ p │ p │ p │ p │ p │ p │     x lost so far, – arrived, p = in flight: Σ size
 *   └───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┘
 *
 * Whatever lies at or before the highest sequence number that a feedback told of has left the network, arrived or not; what was reported lost
 * is kept because a later feedback may report it after all.
 *
 * A struct-of-arrays ring over sequence numbers that grows to `packetsMax` (the most that 16 bits on the wire tell apart) and no further.
 *
 * Source: reference/gcc.md I; libwebrtc f3ae3eb6 congestion_controller/rtp/transport_feedback_adapter.
 *
 * Deviations:
 *   - a packet is entered when the socket took it, in one call, instead of first at creation and again at sending
 *   - a change of route forgets all packets at once, instead of comparing routes packet by packet
 */
import { assert } from "../base/assert.ts";
import type { Bytes, Micros } from "../base/units.ts";
import { LOST, type SentPacket } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const AGE_MAX: Micros = 60_000_000;

/** Tuning. */
const CAPACITY_MIN = 128;
export const HISTORY_PACKETS_MAX = 32_768;

const PRESENT = 1;
const AUDIO = 2;
const RETRANSMISSION = 4;
const REPORTED_LOST = 8;
/** The feedback at hand tells of this packet. */
const TOLD = 16;

export interface SendHistoryOptions {
  /** Longest span of sequence numbers remembered, a power of two, 128…32768. */
  readonly packetsMax?: number;
  /** Packets older than this are forgotten; 60 s. */
  readonly ageMax?: Micros;
}

export interface SendHistoryStats {
  /** Packets forgotten without any feedback because they grew too old. */
  expired: number;
  /** Limit hit: packets forgotten because newer ones needed their room. */
  overflowed: number;
  /** Packets not entered because their number was not above all before. */
  disordered: number;
}

export class SendHistory {
  readonly packetsMax: number;
  readonly stats: SendHistoryStats = { expired: 0, overflowed: 0, disordered: 0 };
  /** Covers sequence numbers oldest…newest; −1 before the first packet. */
  oldest = 0;
  newest = -1;
  /** Bytes sent and not yet told of. */
  inFlight: Bytes = 0;
  /** Highest sequence number a feedback told of. */
  acknowledged = -1;
  readonly #ageMax: Micros;
  #mask = CAPACITY_MIN - 1;
  #sendTime = new Float64Array(CAPACITY_MIN);
  #arrival = new Float64Array(CAPACITY_MIN);
  #size = new Int32Array(CAPACITY_MIN);
  #priorUnacked = new Int32Array(CAPACITY_MIN);
  #probeCluster = new Int32Array(CAPACITY_MIN);
  #state = new Uint8Array(CAPACITY_MIN);
  /** Untracked bytes since the last packet. */
  #untracked: Bytes = 0;

  constructor(options: SendHistoryOptions = {}) {
    this.packetsMax = options.packetsMax ?? HISTORY_PACKETS_MAX;
    const { packetsMax } = this;
    assert(
      packetsMax >= CAPACITY_MIN && packetsMax <= HISTORY_PACKETS_MAX && (packetsMax & (packetsMax - 1)) === 0,
      `packetsMax ${packetsMax}: a power of two, ${CAPACITY_MIN}…${HISTORY_PACKETS_MAX}`,
    );
    this.#ageMax = options.ageMax ?? AGE_MAX;
  }

  /** Enters a packet that was handed to the socket; its fields are copied. False when its number is not above all before. */
  add(sent: Readonly<SentPacket>): boolean {
    const { sequence } = sent;
    if (sequence <= this.newest) {
      this.stats.disordered++;
      return false;
    }
    this.#expire(sent.sendTime - this.#ageMax);
    this.#extend(sequence);
    const i = sequence & this.#mask;
    this.#sendTime[i] = sent.sendTime;
    this.#size[i] = sent.size;
    this.#priorUnacked[i] = this.#untracked;
    this.#probeCluster[i] = sent.probeCluster;
    this.#state[i] = PRESENT | (sent.audio ? AUDIO : 0) | (sent.retransmission ? RETRANSMISSION : 0);
    this.#untracked = 0;
    this.inFlight += sent.size;
    return true;
  }

  /** Bytes sent without a transport sequence number: they load the path, and are credited to the next packet that has one. */
  addUntracked(size: Bytes): void {
    this.#untracked += size;
  }

  /** A packet of which nothing was reported yet, or only that it is lost. */
  has(sequence: number): boolean {
    return sequence >= this.oldest && sequence <= this.newest && (this.#state[sequence & this.#mask]! & PRESENT) !== 0;
  }

  sendTime(sequence: number): Micros {
    return this.#sendTime[sequence & this.#mask]!;
  }

  /** A feedback told of everything up to `sequence`: that much has left the network. */
  acknowledge(sequence: number): void {
    const to = Math.min(sequence, this.newest);
    for (let s = Math.max(this.acknowledged + 1, this.oldest); s <= to; s++) if (this.has(s)) this.inFlight -= this.#size[s & this.#mask]!;
    if (to > this.acknowledged) this.acknowledged = to;
  }

  /** Notes what the feedback at hand says of a packet that `has` knows: its arrival, or LOST. */
  tell(sequence: number, arrival: Micros): void {
    const i = sequence & this.#mask;
    this.#arrival[i] = arrival;
    this.#state[i]! |= TOLD;
  }

  /** The feedback at hand tells of the packet. */
  told(sequence: number): boolean {
    return (this.#state[sequence & this.#mask]! & TOLD) !== 0;
  }

  /** Already reported as lost. */
  reportedLost(sequence: number): boolean {
    return (this.#state[sequence & this.#mask]! & REPORTED_LOST) !== 0;
  }

  /** Bytes without sequence number that were sent just before the packet. */
  priorUnacked(sequence: number): Bytes {
    return this.#priorUnacked[sequence & this.#mask]!;
  }

  /** Copies the packet into `into` and answers what was told of it; it is forgotten if it arrived, and reported lost if not. */
  take(sequence: number, into: SentPacket): Micros {
    const i = sequence & this.#mask;
    const state = this.#state[i]!;
    const arrival = (state & TOLD) === 0 ? LOST : this.#arrival[i]!;
    into.sequence = sequence;
    into.sendTime = this.#sendTime[i]!;
    into.size = this.#size[i]!;
    into.probeCluster = this.#probeCluster[i]!;
    into.audio = (state & AUDIO) !== 0;
    into.retransmission = (state & RETRANSMISSION) !== 0;
    this.#state[i] = arrival === LOST ? (state & ~TOLD) | REPORTED_LOST : 0;
    return arrival;
  }

  /** The path changed: forgets all packets, so that feedback on the old path is ignored. */
  clear(): void {
    this.oldest = this.newest + 1;
    this.acknowledged = this.newest;
    this.inFlight = 0;
    this.#untracked = 0;
  }

  #expire(before: Micros): void {
    while (this.oldest <= this.newest && !(this.has(this.oldest) && this.#sendTime[this.oldest & this.#mask]! >= before)) {
      this.stats.expired += this.#drop();
    }
  }

  /** Forgets the oldest; answers 1 if nothing had been told of it. */
  #drop(): number {
    const sequence = this.oldest++;
    const i = sequence & this.#mask;
    const silent = (this.#state[i]! & PRESENT) !== 0 && sequence > this.acknowledged;
    if (silent) this.inFlight -= this.#size[i]!;
    this.#state[i] = 0;
    return silent ? 1 : 0;
  }

  #extend(sequence: number): void {
    if (this.newest < this.oldest || sequence - this.newest >= this.packetsMax) {
      while (this.oldest <= this.newest) this.stats.overflowed += this.#drop();
      this.oldest = sequence;
      this.newest = sequence;
      return;
    }
    while (sequence - this.oldest >= this.packetsMax) this.stats.overflowed += this.#drop();
    while (sequence - this.oldest > this.#mask) this.#grow();
    for (let s = this.newest + 1; s < sequence; s++) this.#state[s & this.#mask] = 0;
    this.newest = sequence;
  }

  #grow(): void {
    const from = this.#mask;
    const capacity = (from + 1) * 2;
    this.#mask = capacity - 1;
    this.#sendTime = this.#moved(this.#sendTime, new Float64Array(capacity), from);
    this.#arrival = this.#moved(this.#arrival, new Float64Array(capacity), from);
    this.#size = this.#moved(this.#size, new Int32Array(capacity), from);
    this.#priorUnacked = this.#moved(this.#priorUnacked, new Int32Array(capacity), from);
    this.#probeCluster = this.#moved(this.#probeCluster, new Int32Array(capacity), from);
    this.#state = this.#moved(this.#state, new Uint8Array(capacity), from);
  }

  #moved<T extends Float64Array | Int32Array | Uint8Array>(from: T, into: T, mask: number): T {
    for (let s = this.oldest; s <= this.newest; s++) into[s & this.#mask] = from[s & mask]!;
    return into;
  }
}
