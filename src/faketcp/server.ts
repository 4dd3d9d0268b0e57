/**
 * The server's end of many raw connections on one port.
 *
 *   SYN                        answered without a memory of it
 *   bare(id, 0, constant)      a handshake is remembered; answered with our id, the same each time
 *   bare(id, our id, constant) ready: a new peer, or, when the constant is known, the same peer at another address: its conversations go on
 *   anything of a ready peer   heartbeats and datagrams
 *
 * Core: `receive`, of one packet or several of the same buffer, then `next` until 0, and take `closed`; `advance`; drain `transmit`; `deadline`. Answers of the handshake are laid into the batch given to
 * `receive`, and left out when it is full: the client asks again.
 *
 * Source: reference udp2raw.md section 5. Deviations: a client that was started anew at the same port is let in at once (there it waits until the former
 * connection is forgotten), since nothing changes before its handshake has shown that it lives; the number of conversations is the business of whoever carries them (`busy`).
 */
import type { Batch } from "../base/batch.ts";
import { Ring } from "../base/ring.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { Connection } from "./connection.ts";
import { Inbox } from "./inbox.ts";
import { drawU32, type RawOptions, type RawTiming, timing } from "./options.ts";
import type { Bare } from "./packet.ts";
import { PeerTable } from "./peer-table.ts";
import { type Seals, sealsOf } from "./seal.ts";
import { ACK, RST, SYN } from "./tcp-header.ts";

export interface RawServerLimits {
  /** Handshakes and peers together. */
  readonly connections: number;
  readonly peers: number;
}

/** As the original's. */
export const serverLimits: RawServerLimits = { connections: 10_000, peers: 1000 };

export interface RawServerStats {
  /** Damaged packets, and those of other kinds or ports. */
  foreign: number;
  resets: number;
  /** Packets of unknown senders that are no handshake: of another key, or of a connection we do not know. */
  strangers: number;
  connections: number;
  /** Peers that came back at another address or from another port. */
  moves: number;
  connectionLimitHits: number;
  peerLimitHits: number;
  /** Answers for which the batch had no room. */
  unanswered: number;
}

/** A client, from its first handshake until it has been silent for long. */
export class RawPeer {
  address: Uint8Array;
  port: number;
  readonly connection: Connection;
  /** The client's process; known when the handshake is finished. */
  constant = 0;
  /** Whoever carries conversations says that there are some: a silent peer is kept for them. */
  busy = false;

  constructor(address: Uint8Array, port: number, connection: Connection) {
    this.address = address;
    this.port = port;
    this.connection = connection;
  }
}

export class RawServer {
  readonly stats: RawServerStats = newStats();
  readonly #options: RawOptions;
  readonly #timing: RawTiming;
  readonly #limits: RawServerLimits;
  readonly #port: number;
  readonly #constant: number;
  /** What all packets are sealed with. */
  readonly seals: Seals;
  readonly #inbox: Inbox<RawPeer>;
  /** By address: handshakes that are not finished, and peers. */
  readonly #arriving = new PeerTable<RawPeer>();
  readonly #ready = new PeerTable<RawPeer>();
  readonly #byConstant = new Map<number, RawPeer>();
  readonly #closed: Ring<RawPeer>;
  /** For packets without a memory. */
  readonly #passing: Connection;
  #sweepAt: Millis = NEVER;
  #heartbeatAt: Millis = NEVER;
  #peer: RawPeer | undefined;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #scratchView = new DataView(this.#scratch.buffer);

  /** `port`: the one clients send to; for icmp it means nothing. */
  constructor(port: number, options: RawOptions, limits: RawServerLimits = serverLimits, times: RawTiming = timing) {
    this.#port = port;
    this.#options = options;
    this.#limits = limits;
    this.#timing = times;
    this.#constant = drawU32(options.random);
    this.seals = sealsOf("server", options);
    this.#inbox = new Inbox(options.mode, "client", this.seals.in);
    this.#closed = new Ring(limits.connections);
    this.#passing = new Connection("server", options, this.seals);
  }

  get peers(): Iterable<RawPeer> {
    return this.#byConstant.values();
  }

  /** Handshakes and peers. */
  get size(): number {
    return this.#arriving.size + this.#ready.size;
  }

  /**
   * An IP packet, opened in place; `segmentBytes` and `place` as the raw socket tells them. The peer whose packet may hold datagrams: then call `next` until
   * it answers 0.
   */
  receive(
    now: Millis,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    answers: Batch,
    segmentBytes = 0,
    place = 0,
  ): RawPeer | undefined {
    const arrival = this.#inbox.arrival;
    arrival.segmentBytes = segmentBytes;
    arrival.place = place;
    const ours = arrival.read(bytes, view, start, end) && (this.#options.mode === "icmp" || arrival.destinationPort === this.#port);
    if (!ours) {
      this.stats.foreign++;
      return undefined;
    }
    if ((arrival.tcp.flags & RST) !== 0) {
      this.stats.resets++;
      return undefined;
    }
    const known = this.#ready.find(bytes, arrival);
    if (arrival.start === arrival.end) this.#synAck(now, bytes, answers);
    else if (known === undefined) {
      if (!this.#handshake(now, bytes, bytes, view, answers)) this.stats.strangers++;
    } else if (!this.#begins(now, bytes, answers)) {
      this.#inbox.keep(bytes, known);
      return known;
    }
    return undefined;
  }

  /** The next thing inside the packets received: DATA (a datagram, see `peer` and its `connection`), HEARTBEAT, or 0. */
  next(now: Millis, bytes: Uint8Array, view: DataView): number {
    const inbox = this.#inbox;
    while (inbox.next()) {
      const { owner } = inbox;
      this.#peer = owner;
      const found = owner.connection.take(now, view, bytes, inbox.plainStart, inbox.plainEnd, inbox.packet, inbox.isFirst);
      if (found !== 0) return found;
    }
    return 0;
  }

  /** Whose was what `next` found last. */
  get peer(): RawPeer | undefined {
    return this.#peer;
  }

  /** A peer that is gone: its conversations end. */
  closed(): RawPeer | undefined {
    return this.#closed.shift();
  }

  advance(now: Millis): void {
    if (now < this.#sweepAt) return;
    for (const peer of [...this.#arriving.values()]) {
      if (now - peer.connection.heardAt >= this.#timing.handshakeMs) this.#arriving.remove(peer);
    }
    for (const peer of [...this.#ready.values()]) {
      if (!peer.busy && now - peer.connection.heardAt >= this.#timing.idleMs) this.#close(peer);
    }
    this.#sweepAt = this.size === 0 ? NEVER : now + SWEEP_MS;
  }

  deadline(): Millis {
    return Math.min(this.#sweepAt, this.#heartbeatAt);
  }

  /** Lays due heartbeats into the batch; false when it is full and more wait. */
  transmit(now: Millis, batch: Batch): boolean {
    if (now < this.#heartbeatAt) return true;
    let next: Millis = NEVER;
    for (const { connection } of this.#byConstant.values()) {
      if (now >= connection.heartbeatDue) {
        if (batch.full) return false;
        connection.heartbeatDue = now + this.#timing.heartbeatMs;
        batch.add(connection.heartbeat(now, batch.bytes, batch.view, batch.slot(batch.length)), connection.packetEnd, connection.place);
      }
      next = Math.min(next, connection.heartbeatDue);
    }
    this.#heartbeatAt = next;
    return true;
  }

  /** Whether a packet from the address of a ready peer is one of a new handshake: its client was started anew and has the same port. */
  #begins(now: Millis, bytes: Uint8Array, answers: Batch): boolean {
    const { arrival } = this.#inbox;
    const { start, end } = arrival;
    if (end - start !== this.#passing.handshakeBytes) return false;
    // Opened in a copy: it may as well be a short packet of the peer.
    this.#scratch.set(bytes.subarray(start, end));
    arrival.start = 0;
    arrival.end = end - start;
    const begins = this.#handshake(now, bytes, this.#scratch, this.#scratchView, answers);
    arrival.start = start;
    arrival.end = end;
    return begins;
  }

  #synAck(now: Millis, bytes: Uint8Array, answers: Batch): void {
    const { tcp } = this.#inbox.arrival;
    if (this.#options.mode !== "faketcp" || this.#options.easy === true || (tcp.flags & (SYN | ACK)) !== SYN) return;
    if (answers.full) {
      this.stats.unanswered++;
      return;
    }
    this.#passing.open(now, this.#ends(bytes));
    this.#passing.place = this.#inbox.arrival.place;
    this.#passing.flow.tsecr = tcp.tsval;
    const slot = answers.slot(answers.length);
    const ack = (tcp.seq + 1) >>> 0;
    const seq = drawU32(this.#options.random);
    answers.add(
      this.#passing.bareSegment(now, answers.bytes, answers.view, slot, SYN | ACK, seq, ack),
      this.#passing.packetEnd,
      this.#passing.place,
    );
  }

  /** A packet of a handshake: its addresses are in `bytes`, its payload where the arrival says in `sealed`. False when it is none of ours. */
  #handshake(now: Millis, bytes: Uint8Array, sealed: Uint8Array, view: DataView, answers: Batch): boolean {
    const bare = this.#passing.readHandshake(sealed, view, this.#inbox.arrival);
    if (bare === undefined) return false;
    const known = this.#arriving.find(bytes, this.#inbox.arrival);
    if (bare.receiver === 0) this.#remember(now, bytes, bare, known, answers);
    else if (known === undefined || bare.receiver !== known.connection.id || bare.sender !== known.connection.peerId) return false;
    else if (!known.connection.confirmedBy(bare)) return false;
    else this.#finish(now, bytes, known, bare);
    return true;
  }

  #remember(now: Millis, bytes: Uint8Array, bare: Readonly<Bare>, known: RawPeer | undefined, answers: Batch): void {
    const arrival = this.#inbox.arrival;
    let peer = known;
    if (peer === undefined) {
      if (this.size >= this.#limits.connections) {
        this.stats.connectionLimitHits++;
        return;
      }
      const ends = this.#ends(bytes);
      peer = new RawPeer(ends.remote, ends.remotePort, new Connection("server", this.#options, this.seals));
      peer.connection.open(now, ends);
      this.#arriving.add(peer);
      this.#sweepAt = Math.min(this.#sweepAt, now + SWEEP_MS);
    }
    const { connection } = peer;
    connection.meet(bare);
    connection.peerId = bare.sender;
    connection.heardAt = now;
    connection.place = arrival.place;
    connection.echoSeq = arrival.seq;
    connection.flow.tsecr = arrival.tcp.tsval;
    if (answers.full) {
      this.stats.unanswered++;
      return;
    }
    const ack = (arrival.tcp.seq + arrival.end - arrival.start) >>> 0;
    const slot = answers.slot(answers.length);
    const start = connection.handshake(now, answers.bytes, answers.view, slot, this.#constant, arrival.tcp.ack, ack);
    answers.add(start, connection.packetEnd, connection.place);
  }

  #finish(now: Millis, bytes: Uint8Array, arrived: RawPeer, { constant }: Readonly<Bare>): void {
    const { seq, ack, tsval } = this.#inbox.arrival.tcp;
    const { connection } = arrived;
    connection.flow.tsecr = tsval;
    connection.flow.reset(ack, (seq + this.#inbox.arrival.end - this.#inbox.arrival.start) >>> 0);
    connection.echoSeq = this.#inbox.arrival.seq;
    this.#arriving.remove(arrived);
    const known = this.#byConstant.get(constant);
    if (known === undefined && this.#byConstant.size >= this.#limits.peers) {
      this.stats.peerLimitHits++;
      return;
    }
    // Somebody else who had this address before, and was silent.
    const former = this.#ready.find(bytes, this.#inbox.arrival);
    if (former !== undefined && former !== known) this.#close(former);
    let peer = arrived;
    if (known !== undefined) {
      // The client we know goes on where the new handshake came from.
      peer = known;
      this.#ready.remove(known);
      known.connection.adopt(arrived.connection);
      known.address = arrived.address;
      known.port = arrived.port;
      this.stats.moves++;
    } else this.stats.connections++;
    peer.constant = constant;
    this.#byConstant.set(constant, peer);
    this.#ready.add(peer);
    peer.connection.heardAt = now;
    peer.connection.rollerAt = now;
    peer.connection.heartbeatDue = now;
    this.#heartbeatAt = now;
  }

  #close(peer: RawPeer): void {
    this.#ready.remove(peer);
    this.#byConstant.delete(peer.constant);
    this.#closed.push(peer);
  }

  #ends(bytes: Uint8Array): { local: Uint8Array; remote: Uint8Array; localPort: number; remotePort: number } {
    const { ip, sourcePort, destinationPort } = this.#inbox.arrival;
    return {
      local: bytes.slice(ip.destinationAt, ip.destinationAt + ip.addressBytes),
      remote: bytes.slice(ip.sourceAt, ip.sourceAt + ip.addressBytes),
      localPort: destinationPort,
      remotePort: sourcePort,
    };
  }
}

const SWEEP_MS: Millis = 1000;
/** More than a handshake packet of any mode. */
const SCRATCH_BYTES = 256;

function newStats(): RawServerStats {
  return { foreign: 0, resets: 0, strangers: 0, connections: 0, moves: 0, connectionLimitHits: 0, peerLimitHits: 0, unanswered: 0 };
}
