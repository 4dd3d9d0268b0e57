/**
 * The packets that wait for their turn: by priority, and inside one by streams in turn.
 *
 *   level 0 audio ─┐           ring of streams that have packets ─▶ first stream's FIFO ─▶ packet
 *   level 1 retransmission     (deficit round robin: each visit gives a stream one quantum of bytes, so streams share by bytes, not by packets)
 *   level 2 video, FEC
 *   level 3 padding
 *
 * A packet is a number of the caller's; what is queued here is that number and the packet's size. All in arrays of fixed length: nothing
 * is allocated for a packet, and push, pop and flush of one packet cost the same however long the queue is.
 *
 * Source: reference/gcc.md G; libwebrtc 2026-08-22 modules/pacing/prioritized_packet_queue.
 *
 * Deviations: bytes instead of packets are shared in turn; time to live per type of packet is left out; the queue is bounded.
 */
import { assert } from "../base/assert.ts";
import type { Bytes, Micros } from "../base/units.ts";

export const AUDIO = 0;
export const RETRANSMISSION = 1;
export const VIDEO = 2;
export const PADDING = 3;
const LEVELS = 4;

/** Tuning: at least the largest packet, so that one visit always suffices. */
const QUANTUM: Bytes = 1500;
const NONE = -1;

export class PacerQueue {
  readonly streamsMax: number;
  packets = 0;
  bytes: Bytes = 0;
  /** What the last `pop` took out. */
  packet = NONE;
  stream = NONE;
  size: Bytes = 0;
  level = 0;
  readonly #packet: Int32Array;
  readonly #size: Int32Array;
  readonly #time: Float64Array;
  /** Next in the FIFO, in the list of free slots, or in that of dropped ones. */
  readonly #next: Int32Array;
  /** FIFO of stream s in level l, at l · streamsMax + s. */
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #deficit: Int32Array;
  /** 1 = the stream stands in its level's ring. */
  readonly #turning: Uint8Array;
  /** Ring of streams of level l, at l · streamsMax. */
  readonly #ring: Int32Array;
  readonly #ringHead = new Int32Array(LEVELS);
  readonly #ringLength = new Int32Array(LEVELS);
  readonly #levelPackets = new Int32Array(LEVELS);
  /** Sum of the times at which the packets came: [0]. In an array so that it is no boxed number. */
  readonly #timeSum = new Float64Array(1);
  #free = 0;
  #dropped = NONE;

  constructor(packetsMax: number, streamsMax: number) {
    assert(packetsMax >= 1 && streamsMax >= 1, `${packetsMax} packets, ${streamsMax} streams: at least 1`);
    this.streamsMax = streamsMax;
    this.#packet = new Int32Array(packetsMax);
    this.#size = new Int32Array(packetsMax);
    this.#time = new Float64Array(packetsMax);
    this.#next = Int32Array.from({ length: packetsMax }, (_, i) => (i + 1 < packetsMax ? i + 1 : NONE));
    this.#head = new Int32Array(LEVELS * streamsMax).fill(NONE);
    this.#tail = new Int32Array(LEVELS * streamsMax).fill(NONE);
    this.#deficit = new Int32Array(LEVELS * streamsMax);
    this.#turning = new Uint8Array(LEVELS * streamsMax);
    this.#ring = new Int32Array(LEVELS * streamsMax);
  }

  /** Packets of a level. */
  waiting(level: number): number {
    return this.#levelPackets[level]!;
  }

  /** False when the queue is full. `packet` ≥ 0. */
  push(packet: number, stream: number, level: number, size: Bytes, time: Micros): boolean {
    assert(stream >= 0 && stream < this.streamsMax && packet >= 0, `packet ${packet} of stream ${stream}`);
    const slot = this.#free;
    if (slot === NONE) return false;
    this.#free = this.#next[slot]!;
    this.#packet[slot] = packet;
    this.#size[slot] = size;
    this.#time[slot] = time;
    this.#next[slot] = NONE;
    const fifo = level * this.streamsMax + stream;
    const last = this.#tail[fifo]!;
    if (last === NONE) this.#head[fifo] = slot;
    else this.#next[last] = slot;
    this.#tail[fifo] = slot;
    if (this.#turning[fifo] === 0) this.#join(level, stream, fifo);
    this.#count(level, slot, 1);
    return true;
  }

  /** Takes out the packet whose turn it is, into `packet`, `stream`, `size` and `level`; false when there is none. */
  pop(): boolean {
    for (let level = 0; level < LEVELS; level++) {
      if (this.#levelPackets[level]! > 0) return this.#popLevel(level);
    }
    return false;
  }

  /**
   * Drops what waits of a stream as video and retransmission: a key frame makes it useless. The packets come out of `takeDropped`. Answers how
   * many there were.
   */
  flush(stream: number): number {
    return this.#flushFifo(RETRANSMISSION, stream) + this.#flushFifo(VIDEO, stream);
  }

  /** A packet that was dropped, −1 when there is none: the caller may use its number again. */
  takeDropped(): number {
    const slot = this.#dropped;
    if (slot === NONE) return NONE;
    this.#dropped = this.#next[slot]!;
    this.#next[slot] = this.#free;
    this.#free = slot;
    return this.#packet[slot]!;
  }

  /** Mean time that what waits has waited. */
  averageTime(now: Micros): Micros {
    return this.packets === 0 ? 0 : now - this.#timeSum[0]! / this.packets;
  }

  #popLevel(level: number): boolean {
    const first = level * this.streamsMax;
    for (;;) {
      const stream = this.#ring[first + this.#ringHead[level]!]!;
      const fifo = first + stream;
      const slot = this.#head[fifo]!;
      if (slot === NONE) {
        // Emptied by a flush, or by the pop before this one.
        this.#leave(level, fifo);
        continue;
      }
      const size = this.#size[slot]!;
      if (this.#deficit[fifo]! < size) {
        this.#rotate(level, stream);
        this.#deficit[fifo]! += QUANTUM;
        continue;
      }
      this.#deficit[fifo]! -= size;
      const next = this.#next[slot]!;
      this.#head[fifo] = next;
      if (next === NONE) this.#tail[fifo] = NONE;
      this.packet = this.#packet[slot]!;
      this.stream = stream;
      this.size = size;
      this.level = level;
      this.#count(level, slot, -1);
      this.#next[slot] = this.#free;
      this.#free = slot;
      return true;
    }
  }

  #flushFifo(level: number, stream: number): number {
    const fifo = level * this.streamsMax + stream;
    let flushed = 0;
    for (let slot = this.#head[fifo]!; slot !== NONE; flushed++) {
      const next = this.#next[slot]!;
      this.#count(level, slot, -1);
      this.#next[slot] = this.#dropped;
      this.#dropped = slot;
      slot = next;
    }
    this.#head[fifo] = NONE;
    this.#tail[fifo] = NONE;
    return flushed;
  }

  #count(level: number, slot: number, sign: number): void {
    this.packets += sign;
    this.#levelPackets[level]! += sign;
    this.bytes += sign * this.#size[slot]!;
    this.#timeSum[0] = this.packets === 0 ? 0 : this.#timeSum[0]! + sign * this.#time[slot]!;
  }

  #join(level: number, stream: number, fifo: number): void {
    const at = (this.#ringHead[level]! + this.#ringLength[level]!) % this.streamsMax;
    this.#ring[level * this.streamsMax + at] = stream;
    this.#ringLength[level]!++;
    this.#turning[fifo] = 1;
    // Who was away has saved nothing up.
    this.#deficit[fifo] = QUANTUM;
  }

  #leave(level: number, fifo: number): void {
    this.#ringHead[level] = (this.#ringHead[level]! + 1) % this.streamsMax;
    this.#ringLength[level]!--;
    this.#turning[fifo] = 0;
  }

  #rotate(level: number, stream: number): void {
    const first = level * this.streamsMax;
    const head = this.#ringHead[level]!;
    this.#ring[first + ((head + this.#ringLength[level]!) % this.streamsMax)] = stream;
    this.#ringHead[level] = (head + 1) % this.streamsMax;
  }
}
