/**
 * The datagram side of a session: KCP packets in FEC packets, limited in rate.
 *
 *   datagram → FEC → KCP or extension        repaired packets follow behind the one that made them possible
 *   extension, KCP → FEC → rate limit → slot of the batch, with room for the cipher's header before it
 */
import type { Batch } from "../base/batch.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { isExtension } from "../extension/header.ts";
import { FEATURE_ACKS_AGAIN, FEATURE_SHORT_GROUPS } from "../extension/hello.ts";
import { FecDecoder } from "../fec/decoder.ts";
import { FecEncoder } from "../fec/encoder.ts";
import { readSeqid } from "../fec/packet.ts";
import { Credit } from "../kcp/credit.ts";
import { Flight } from "../kcp/flight.ts";
import { Kcp } from "../kcp/kcp.ts";
import { CMD, HEADER_BYTES, PACKET_BYTES_MAX, PUSH, UNA } from "../kcp/segment.ts";
import { AutoController } from "../rate/auto.ts";
import type { CopyKind } from "../rate/copy-budget.ts";
import { Pacer } from "../rate/pacer.ts";
import type { TunnelConfig } from "./config.ts";
import { Copies, copyKind } from "./copies.ts";
import type { Extension } from "./extension.ts";
import type { Health } from "./health.ts";
import { HEADROOM, kcpOptions, protects } from "./kcp-options.ts";
import { Protection } from "./protection.ts";
import { Quietness } from "./quietness.ts";
import { RateLimit } from "./rate-limit.ts";
import { RecentLoss } from "./recent-loss.ts";
import type { Scratch } from "./scratch.ts";
import type { RateShare } from "./shared-rate.ts";
import { WayMemory } from "./way-memory.ts";

/** What IP and UDP add to a datagram, for the pacer. */
const IP_UDP_BYTES: Bytes = 28;

/** Tuning: what waits in KCP for its first sending lasts so long, so that a stream that begins to send need not wait longer. */
const QUEUE_MS: Millis = 15;
const QUEUE_SEGMENTS_MIN = 16;
/** ACKs told again; a run of loss takes a few packets. */
const ACK_REPEATS = 6;
export class Transport {
  readonly kcp: Kcp;
  readonly decoder: FecDecoder;
  readonly encoder: FecEncoder | undefined;
  limit: RateLimit | undefined;
  /** What is said beside KCP; undefined when it is off. */
  extension: Extension | undefined;
  lastReceived: Millis;
  sentDatagrams = 0;
  /** FEC and KCP bytes, without what the cipher, UDP and IP add. */
  sentBytes: Bytes = 0;
  receivedDatagrams = 0;
  receivedBytes: Bytes = 0;
  /** Bytes the cipher adds to a datagram. */
  readonly cipherBytes: Bytes;
  /** Of mode auto. */
  readonly controller: AutoController | undefined;
  readonly flight: Flight | undefined;
  readonly protection: Protection | undefined;
  /** What goes over a second way as well; made when that is asked for. */
  copies: Copies | undefined;
  /** Of a peer that is not ours; of mode auto. */
  readonly #credit: Credit | undefined;
  readonly #ackNoDelay: boolean;
  #pacer = new Pacer();
  /** The way that is taken paces and resends by itself. */
  #carried = false;
  readonly #memory = new WayMemory();
  /** What trains have measured so far. */
  #learned = 0;
  readonly #health: Health | undefined;
  readonly #loss = new RecentLoss();
  #parityReady = 0;
  #paritySent = 0;
  readonly #scratch: Scratch;
  readonly #quietness: Quietness;
  /** Of the rate at which the session's user may be sent to. */
  readonly #share: RateShare | undefined;

  /** `health`, a client's, is told what the peer says of our session. */
  constructor(now: Millis, conv: number, config: TunnelConfig, cipherBytes: Bytes, scratch: Scratch, health?: Health, share?: RateShare) {
    this.lastReceived = now;
    this.#quietness = new Quietness(now);
    this.#scratch = scratch;
    this.cipherBytes = cipherBytes;
    this.#health = health;
    this.#share = share;
    const { datashard, parityshard, compat } = config;
    const fec = protects(config);
    if (config.mode === "auto") {
      this.controller = new AutoController();
      this.flight = new Flight(this.controller, IP_UDP_BYTES + cipherBytes + (fec ? FecEncoder.headBytes : 0) + HEADER_BYTES);
    }
    this.#ackNoDelay = config.acknodelay;
    this.#credit = this.flight === undefined ? undefined : new Credit(0, IP_UDP_BYTES + cipherBytes);
    const { flight } = this;
    this.kcp = new Kcp({ ...kcpOptions(conv, config, cipherBytes), segments: scratch.segments, flight, credit: this.#credit });
    // As with kcp-go our own sizes are the first guess: a sender that leaves out parity gives few hints.
    const guess = fec ? { dataShards: datashard, parityShards: parityshard } : {};
    this.decoder = new FecDecoder({ packetBytesMax: PACKET_BYTES_MAX, pool: scratch.shards, ...guess });
    this.encoder = fec
      ? new FecEncoder({ dataShards: datashard, parityShards: parityshard, profile: compat, packetBytesMax: PACKET_BYTES_MAX })
      : undefined;
    if (this.encoder !== undefined && this.flight !== undefined && this.controller !== undefined) {
      this.protection = new Protection(this.encoder, this.flight, this.controller);
    }
    this.limitRate(now, config.ratelimit);
  }

  /**
   * The session goes on over another way, to peer `to`, or begins with `to` (`from` −1): what was measured does not hold there, and what is under way is sent
   * again at once. `carried`: that way paces and resends by itself; `rtt`: its round trip, 0 when nobody knows.
   */
  moved(now: Millis, from: number, to: number, carried: boolean, rtt: Millis = 0): void {
    const { controller, flight, extension } = this;
    if (controller === undefined || flight === undefined) return;
    if (!this.#carried) this.#memory.keep(now, from, controller);
    this.#carried = carried;
    this.#pacer = new Pacer();
    flight.moved(carried);
    controller.moved(rtt, carried);
    this.protection?.moved(carried);
    const known = carried ? undefined : this.#memory.recall(now, to);
    if (known !== undefined) controller.learned(now, known.bandwidth, known.minRtt);
    if (extension === undefined) return;
    extension.measures = !carried;
    extension.returnPath.moved();
    this.#learned = extension.train.rate;
    if (carried || from < 0) return;
    extension.train.again(now);
    this.#learned = 0;
  }

  /** Share of what was sent since the last call that was lost, 0 where nobody knows. */
  lately(): number {
    return this.flight === undefined ? 0 : this.#loss.of(this.flight.stats);
  }

  copier(): Copies {
    this.copies ??= new Copies();
    return this.copies;
  }

  /** From now on; 0 = no limit. */
  limitRate(now: Millis, bytesPerSecond: number): void {
    this.limit = bytesPerSecond > 0 ? new RateLimit(now, bytesPerSecond) : undefined;
  }

  /** A decrypted datagram: a FEC packet or a bare KCP packet in bytes[start…end). */
  receive(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const { decoder } = this;
    this.lastReceived = now;
    this.receivedDatagrams++;
    this.receivedBytes += end - start;
    this.extension?.received(now, end - start);
    this.#credit?.datagram(now, end - start);
    if (!FecDecoder.isFec(view, start, end)) {
      this.#packet(now, bytes, view, start, end);
      return;
    }
    const at = start + FecEncoder.headBytes;
    if (decoder.receive(now, bytes, view, start, end) === 1) {
      // KCP knows what it has; a message of a flow is handed out once.
      const again = isExtension(view, at, end) && (decoder.repeated || this.copies?.first(readSeqid(view, start)) === false);
      if (!again) this.#packet(now, bytes, view, at, end);
    }
    this.#recover(now);
  }

  #recover(now: Millis): void {
    const { decoder } = this;
    const { bytes, view, at } = this.#scratch.recovered;
    for (;;) {
      const length = decoder.recovered(bytes, view, at);
      if (length === 0) return;
      const end = at + length;
      if (this.extension !== undefined && isExtension(view, at, end)) {
        if (this.copies?.first(decoder.recoveredSeqid) !== false) this.extension.receive(now, bytes, view, at, end);
      } else {
        if (view.getUint8(at + CMD) === PUSH) this.extension?.rebuilt.add();
        this.kcp.receive(now, bytes, view, at, end, false);
      }
    }
  }

  /** Lays packets into the batch; false when the batch is full and more wait. */
  transmit(now: Millis, batch: Batch, peer: number): boolean {
    const { encoder, limit, copies, flight } = this;
    const share = this.#share;
    copies?.advance(now);
    this.protection?.look(this.kcp);
    const room = Math.min(copies?.room ?? 0, batch.capacity - 1);
    while (batch.length + room < batch.capacity) {
      const serial = flight?.serial ?? 0;
      const index = batch.length;
      const at = batch.slot(index) + HEADROOM;
      let start = at;
      let length: number;
      let paid = true;
      let addressed = -1;
      let kind: CopyKind | undefined;
      if (limit !== undefined && !limit.admits(now)) return true;
      if (share !== undefined && !share.admits(now)) return true;
      const parity = this.#paritySent < this.#parityReady;
      const paced = this.controller !== undefined && !this.#carried && !this.#admits(now);
      // Datagrams of flows do not wait, and so neither does parity that lies before them.
      if (encoder !== undefined && parity && (!paced || (this.extension?.outbox.length ?? 0) > 0)) {
        length = encoder.parity(this.#paritySent++, batch.bytes, batch.view, at);
        if (this.#paritySent === this.#parityReady) this.protection?.ended(this.#parityReady);
      } else {
        if (!parity && !paced && this.#cuts()) continue;
        if (encoder?.first && this.kcp.stats.sndUna > 0) this.#leaveFirst(encoder);
        const said = parity ? 0 : (this.extension?.transmit(batch.bytes, batch.view, at) ?? 0);
        if (said > 0) addressed = this.extension!.peer;
        length = said > 0 ? said : this.#write(now, batch, at, paced || parity);
        if (said === 0 && length > 0 && this.kcp.placed >= 0) start = this.kcp.placed;
        paid = said > 0 ? this.extension!.protect : this.protection === undefined || this.kcp.wrote > 0;
        let protect = paid && (said > 0 || this.protection === undefined || this.kcp.wrote >= this.protection.from);
        if (room > 0 && length > 0) kind = copyKind(this.kcp, said > 0, protect && encoder !== undefined);
        if (length === 0) {
          if (!parity && !this.kcp.hasData) this.protection?.drained();
          length = paced || parity ? 0 : this.#endBurst(now, batch, at);
          if (length === 0) {
            if (this.#paritySent < this.#parityReady && !paced) continue;
            return true;
          }
          protect = true;
          paid = true;
        }
        if (encoder !== undefined && protect) {
          this.#parityReady = encoder.encode(now, batch.bytes, batch.view, start, start + length);
          this.#paritySent = 0;
          start -= FecEncoder.headBytes;
          length += FecEncoder.headBytes;
          if (this.#parityReady === 0 && encoder.open === 0) this.protection?.ended(0);
        }
      }
      batch.start[index] = start;
      batch.end[index] = start + length;
      batch.peer[index] = addressed < 0 ? peer : addressed;
      batch.length = index + 1;
      this.#sent(length);
      if (paid && this.controller !== undefined) this.#spend(now, length);
      if (copies === undefined || kind === undefined || !copies.follow(batch, kind)) continue;
      if (!copies.budget.all) flight?.copied(serial);
      this.#sent(length);
    }
    return false;
  }

  /** A datagram of `length` bytes lies in the batch. */
  #sent(length: Bytes): void {
    this.sentDatagrams++;
    this.sentBytes += length;
    this.limit?.spend(length + this.cipherBytes);
    this.#share?.spend(length + this.cipherBytes);
  }

  #admits(now: Millis): boolean {
    if (!this.#pacer.admits(now)) return false;
    if (this.#pacer.lateness(now) > 0) this.flight?.late();
    return true;
  }

  /** Takes over what a train has measured. */
  #learn(now: Millis): void {
    const { extension, controller } = this;
    if (controller === undefined || extension === undefined || this.#carried || extension.train.rate === this.#learned) return;
    this.#learned = extension.train.rate;
    if (this.#learned === 0) return;
    const car = this.kcp.mss + HEADER_BYTES;
    controller.learned(now, (extension.train.rate * (car + this.cipherBytes + IP_UDP_BYTES)) / car, extension.train.rtt);
  }

  /** Writes KCP's next packet; data is `held` back while it is not its turn. */
  #write(now: Millis, batch: Batch, at: number, held: boolean): Bytes {
    const { kcp, controller } = this;
    if (controller !== undefined) {
      this.#learn(now);
      this.#judgePeer();
      if (this.extension?.negotiation.peerHas(FEATURE_ACKS_AGAIN)) kcp.ackRepeats = ACK_REPEATS;
      kcp.held = held;
      kcp.queueMax = Math.max(QUEUE_SEGMENTS_MIN, (controller.pacingRate * QUEUE_MS) / kcp.mss);
      // At once, not with the next data: an idle session would keep the sums of a group that ends no more.
      if (!held && this.extension?.negotiation.peerHas(FEATURE_SHORT_GROUPS)) this.protection?.lengthen();
      if (!held && kcp.hasData) this.protection?.begin(now);
    }
    return kcp.transmit(now, batch.bytes, batch.view, at);
  }

  /**
   * A kcptun sends as fast as its window lets it, and sends again what an ACK has overtaken: it is told of gaps with the timer, when parity has closed most of
   * them, but for where its window is limited and our ACKs are what it goes by.
   */
  #judgePeer(): void {
    const credit = this.#credit;
    if (credit === undefined) return;
    credit.off = this.extension?.standing === "extended";
    this.controller!.aggregation.foreign = !credit.off;
    this.kcp.ackNoDelay = this.#ackNoDelay || credit.off || credit.pressed;
    this.kcp.stats.peerOverflows = credit.overflows;
  }

  /**
   * No group outlasts the acknowledgement of segment 0 that it holds. A server that was restarted could put that segment together again of what came after, and go
   * on with a session of which it knows nothing: what proves that it was restarted (health.ts) is that it never gets there.
   */
  #leaveFirst(encoder: FecEncoder): void {
    encoder.leave();
    this.protection?.ended(0);
  }

  /** A burst has been sent whole, and another one follows: the first one's parity goes before that. */
  #cuts(): boolean {
    this.#parityReady = this.protection?.cut(this.kcp) ?? 0;
    this.#paritySent = 0;
    return this.#parityReady > 0;
  }

  /** Nothing is left to be sent: the open group may end with its burst. Answers the length of a packet that fills it up, 0 for none. */
  #endBurst(now: Millis, batch: Batch, at: number): Bytes {
    const { protection, kcp } = this;
    if (protection === undefined) return 0;
    this.#parityReady = protection.close(now);
    this.#paritySent = 0;
    return protection.fills(now) ? kcp.filler(batch.view, at) : 0;
  }

  #spend(now: Millis, length: Bytes): void {
    const { controller } = this;
    if (controller !== undefined && !this.#carried) this.#pacer.spend(now, length + this.cipherBytes + IP_UDP_BYTES, controller.pacingRate);
  }

  deadline(): Millis {
    const deadline = Math.min(
      this.#autoDeadline,
      this.kcp.deadline(),
      this.extension?.deadline() ?? NEVER,
      this.#share?.deadline() ?? NEVER,
    );
    return this.limit === undefined ? deadline : Math.min(deadline, this.limit.deadline());
  }

  /** When the pacer lets the next packet go, or a burst is over. */
  get #autoDeadline(): Millis {
    if (this.controller === undefined || this.#carried) return NEVER;
    const turn = this.#pacer.deadline();
    this.#pacer.waiting = this.kcp.hasData || this.#paritySent < this.#parityReady;
    if (this.#pacer.waiting) return turn;
    return Math.max(turn, this.protection?.deadline() ?? NEVER);
  }

  /**
   * True when next to nothing was said for a while: room that was made for bursts has been given back. Called first, whenever there is something to do:
   * of what has just come or is about to go nothing is in the way yet. What is in the way nevertheless is given back the next time.
   */
  rest(now: Millis): boolean {
    if (!this.#quietness.due(now)) return false;
    const datagrams = this.sentDatagrams + this.receivedDatagrams;
    const few = this.#quietness.few(datagrams);
    if (few) {
      this.decoder.rest();
      if (this.#paritySent === this.#parityReady) this.encoder?.rest();
      this.extension?.rest();
      if (!this.kcp.rest()) return true;
    }
    this.#quietness.begin(now, datagrams);
    return few;
  }

  /** The session is over: what it holds of the memory that all share goes back. */
  release(): void {
    this.kcp.release();
    this.decoder.release();
  }

  /** A packet as the peer sent it. */
  #packet(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const { kcp, extension } = this;
    if (extension !== undefined && isExtension(view, start, end)) {
      extension.receive(now, bytes, view, start, end);
      this.flight?.stats.rebuilt(extension.rebuiltThere.take());
      return;
    }
    if (extension !== undefined && this.controller !== undefined) this.controller.back.wait = extension.returnPath.queue(now);
    const whole = kcp.receive(now, bytes, view, start, end, true);
    if (!whole || end - start < HEADER_BYTES) return;
    if (extension?.negotiation.peerSpeaks === false) extension.negotiation.heard(now);
    this.#health?.heard(now, view.getUint32(start + UNA, true), kcp.stats.sndUna);
  }
}
