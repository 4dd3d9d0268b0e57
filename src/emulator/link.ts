/**
 * One direction of a bad link: pure and seeded, so the simulator and the demo inside one process see the same link.
 *
 *   receive ─▶ down? ─▶ dropped by protocol? ─▶ policer ─▶ (loss) ─▶ drop-tail queue ─▶ rate ─▶ (loss) ─▶ delay, jitter ─▶ transmit
 *                                                                                                   └─▶ duplicate ─▶
 *
 * The same model as the netlab emulator on real interfaces, so figures can be compared; it differs by counting the datagrams it is given instead
 * of IP packets (`ovh` adds what is missing).
 */
import { Heap } from "../base/heap.ts";
import { Prng } from "../base/prng.ts";
import { Ring } from "../base/ring.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { DatagramStore } from "./datagram-store.ts";
import { Loss } from "./loss.ts";
import type { LinkParameters } from "./parameters.ts";
import { type LinkTrace, parseLink } from "./parse.ts";
import { Policer } from "./policer.ts";
import { TraceWalk } from "./trace-walk.ts";

/** Tuning. */
const DATAGRAMS_MAX = 16_384;
const DATAGRAM_BYTES_MAX: Bytes = 2048;

export interface LinkOptions {
  /** Decides which of the protocol's parameters apply; by default "udp". */
  readonly protocol?: "udp" | "tcp";
  /** Changes over time, and which of its directions this link is. */
  readonly trace?: LinkTrace;
  readonly direction?: "ab" | "ba";
  /** Time 0 of the trace; by default 0. */
  readonly startedAt?: Millis;
  /** Most datagrams inside, in the queue and under way. */
  readonly datagramsMax?: number;
  /** Longest datagram. */
  readonly datagramBytesMax?: Bytes;
}

/** Datagrams, unless the name says bytes. */
export interface LinkCounters {
  received: number;
  receivedBytes: Bytes;
  transmitted: number;
  transmittedBytes: Bytes;
  duplicated: number;
  droppedLoss: number;
  droppedQueue: number;
  droppedPoliced: number;
  droppedProtocol: number;
  droppedDown: number;
  /** The store was full: a limit of the emulator, not of the link it plays. */
  droppedStore: number;
  /** Empty or longer than datagramBytesMax. */
  droppedSize: number;
  /** Highest fill of the bottleneck's queue. */
  queueBytesMax: Bytes;
}

export class EmulatedLink {
  readonly counters: LinkCounters = {
    received: 0,
    receivedBytes: 0,
    transmitted: 0,
    transmittedBytes: 0,
    duplicated: 0,
    droppedLoss: 0,
    droppedQueue: 0,
    droppedPoliced: 0,
    droppedProtocol: 0,
    droppedDown: 0,
    droppedStore: 0,
    droppedSize: 0,
    queueBytesMax: 0,
  };
  /** What `receive` was told about the datagram last transmitted. */
  tag = 0;
  /** Bytes waiting for the bottleneck. */
  queuedBytes: Bytes = 0;
  #parameters: LinkParameters;
  readonly #protocol: "udp" | "tcp";
  readonly #datagramBytesMax: Bytes;
  readonly #store: DatagramStore;
  readonly #queue: Ring<number>;
  readonly #underWay = new Heap<number>();
  readonly #loss: Loss;
  readonly #policer = new Policer();
  readonly #delays: Prng;
  readonly #trace: TraceWalk;
  /** When the bottleneck has sent what it began. */
  #freeAt: Millis = 0;
  /** Arrival of the last datagram that keeps its order. */
  #lastArrival: Millis = 0;

  /** The same seed and the same calls give the same link. */
  constructor(parameters: LinkParameters, seed: number, options: LinkOptions = {}) {
    const { protocol = "udp", datagramsMax = DATAGRAMS_MAX, datagramBytesMax = DATAGRAM_BYTES_MAX } = options;
    this.#parameters = parameters;
    this.#protocol = protocol;
    this.#datagramBytesMax = datagramBytesMax;
    this.#store = new DatagramStore(datagramBytesMax, datagramsMax);
    this.#queue = new Ring(datagramsMax);
    // Loss and delay draw from their own numbers: more jitter does not change which datagrams are lost.
    this.#loss = new Loss(new Prng(seed));
    this.#delays = new Prng(seed ^ 0x5bd1e995);
    this.#trace = new TraceWalk(options.trace, options.direction ?? "ab", options.startedAt ?? 0);
  }

  get parameters(): LinkParameters {
    return this.#parameters;
  }

  /** Datagrams inside. */
  get held(): number {
    return this.#store.held;
  }

  /** Changes parameters from now on; what is under way is not changed. @throws ConfigError */
  set(text: string): void {
    this.#parameters = parseLink(text, this.#parameters);
  }

  /** Takes the datagram bytes[start…end), which is copied; false when it is dropped at once. `tag` comes back with it. */
  receive(now: Millis, bytes: Uint8Array, start: number, end: number, tag = 0): boolean {
    this.#advance(now);
    const { counters } = this;
    const length = end - start;
    counters.received++;
    counters.receivedBytes += length;
    if (!this.#admits(now, length)) return false;
    const slot = this.#store.put(now, bytes, start, end, tag);
    if (slot < 0) {
      counters.droppedStore++;
      return false;
    }
    this.#queue.push(slot);
    this.queuedBytes += length;
    this.#serve(now);
    counters.queueBytesMax = Math.max(counters.queueBytesMax, this.queuedBytes);
    return true;
  }

  /** When `transmit` has something, or a parameter changes. */
  deadline(): Millis {
    const head = this.#queue.at(0);
    const service = head === undefined ? NEVER : Math.max(this.#store.entered[head]!, this.#freeAt);
    return Math.min(this.#underWay.minimum, service, this.#trace.nextAt);
  }

  /** Writes the next datagram that has arrived by `now` to into[offset…) and answers its length, 0 = none. */
  transmit(now: Millis, into: Uint8Array, offset: number): Bytes {
    this.#advance(now);
    if (this.#underWay.minimum > now) return 0;
    const slot = this.#underWay.pop()!;
    this.tag = this.#store.tag[slot]!;
    const length = this.#store.take(slot, into, offset);
    this.counters.transmitted++;
    this.counters.transmittedBytes += length;
    return length;
  }

  #advance(now: Millis): void {
    while (this.#trace.nextAt <= now) {
      this.#serve(this.#trace.nextAt);
      this.#parameters = parseLink(this.#trace.take(now), this.#parameters);
    }
    this.#serve(now);
  }

  #admits(now: Millis, length: Bytes): boolean {
    const { counters } = this;
    const p = this.#parameters;
    const udp = this.#protocol === "udp";
    const share = udp ? p.udpDrop : p.tcpDrop;
    if (length < 1 || length > this.#datagramBytesMax) counters.droppedSize++;
    else if (p.down) counters.droppedDown++;
    else if (share > 0 && this.#delays.chance(share)) counters.droppedProtocol++;
    else if (udp && p.policedRate > 0 && !this.#policer.admits(now, length, p.policedRate, p.policedBurst)) counters.droppedPoliced++;
    else if (p.lossBeforeQueue && this.#loss.strikes(now, p)) counters.droppedLoss++;
    else if (this.#queueIsFull(length)) counters.droppedQueue++;
    else return true;
    return false;
  }

  /** An empty queue takes any datagram, else a limit below one datagram would close the link. */
  #queueIsFull(length: Bytes): boolean {
    const { queueBytes, queueDatagrams } = this.#parameters;
    if (this.#queue.length === 0) return false;
    return (queueBytes > 0 && this.queuedBytes + length > queueBytes) || (queueDatagrams > 0 && this.#queue.length + 1 > queueDatagrams);
  }

  /** The bottleneck begins every datagram whose turn has come by `now`. */
  #serve(now: Millis): void {
    for (let slot = this.#queue.at(0); slot !== undefined; slot = this.#queue.at(0)) {
      const begins = Math.max(this.#store.entered[slot]!, this.#freeAt);
      if (begins > now) return;
      this.#queue.shift();
      const length = this.#store.length[slot]!;
      const { rate, overheadBytes } = this.#parameters;
      this.queuedBytes -= length;
      this.#freeAt = begins + (rate > 0 ? ((length + overheadBytes) * 8000) / rate : 0);
      this.#propagate(slot, this.#freeAt);
    }
  }

  /** Behind the bottleneck: loss, delay, duplication. */
  #propagate(slot: number, at: Millis): void {
    const { counters } = this;
    const p = this.#parameters;
    if (!p.lossBeforeQueue && this.#loss.strikes(at, p)) {
      counters.droppedLoss++;
      this.#store.free(slot);
      return;
    }
    const held = p.holdProbability > 0 && this.#delays.chance(p.holdProbability);
    let arrival = at + Math.max(0, p.delay + this.#jitter() + (held ? p.holdDelay : 0));
    if (!p.reorder && !held) {
      arrival = Math.max(arrival, this.#lastArrival);
      this.#lastArrival = arrival;
    }
    this.#underWay.push(arrival, slot);
    if (p.duplicate > 0 && this.#delays.chance(p.duplicate)) {
      const twin = this.#store.copy(slot);
      if (twin < 0) return;
      counters.duplicated++;
      this.#underWay.push(arrival, twin);
    }
  }

  #jitter(): Millis {
    const { jitter, jitterDistribution } = this.#parameters;
    if (jitter === 0) return 0;
    if (jitterDistribution === "normal") return this.#delays.normal() * jitter;
    if (jitterDistribution === "exponential") return this.#delays.exponential() * jitter;
    return (2 * this.#delays.float() - 1) * jitter;
  }
}
