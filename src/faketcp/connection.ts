/**
 * One raw connection, at either end: what it needs to write packets of the handshake, and, once ready, heartbeats and data.
 *
 *   datagram ─▶ lay ─▶ seal, of many packets at once ─▶ wrap: (fix-gro) ─▶ envelope ─▶ IP packet, all in place
 *   IP packet ─▶ arrival ─▶ inbox: open, of many packets at once ─▶ take: ids, replay window ─▶ datagram or heartbeat
 *
 * Source: reference udp2raw.md sections 4 and 5.
 */
import type { Millis } from "../base/units.ts";
import { AEAD_HANDSHAKE_BYTES, AeadSession, UNSENT_BYTES } from "./aead.ts";
import type { Arrival } from "./arrival.ts";
import { type Ends, Envelope, HEAD_BYTES_MAX } from "./envelope.ts";
import type { Role } from "./mode.ts";
import { drawU32, type RawOptions } from "./options.ts";
import {
  BARE_BYTES,
  type Bare,
  DATA,
  DATA_HEAD_BYTES,
  HEARTBEAT,
  readAbilities,
  readBare,
  readSafer,
  type Safer,
  writeAbilities,
  writeBare,
  writeSafer,
} from "./packet.ts";
import { ReplayWindow } from "./replay-window.ts";
import { LENGTH_BYTES, type Seal, type Seals, TAIL_BYTES_MAX } from "./seal.ts";
import { TcpFlow } from "./tcp-flow.ts";
import { ACK, PSH } from "./tcp-header.ts";

/** Before a datagram there must be room for so many bytes, and TAIL_BYTES_MAX behind it. */
export const HEADROOM_BYTES = HEAD_BYTES_MAX + LENGTH_BYTES + DATA_HEAD_BYTES;
export { TAIL_BYTES_MAX };

export interface ConnectionStats {
  /** Sealed packets that did not open: damaged, forged, or of another key or mode. */
  forged: number;
  /** Genuine packets of another connection, an old one of the same address. */
  strange: number;
  replayed: number;
  /** Datagrams too long to be sealed. */
  tooLong: number;
  heartbeatsSent: number;
  heartbeatsReceived: number;
  /** Datagrams and their bytes, as applications know them. */
  sentDatagrams: number;
  sentBytes: number;
  receivedDatagrams: number;
  receivedBytes: number;
}

export class Connection {
  readonly stats: ConnectionStats = {
    forged: 0,
    strange: 0,
    replayed: 0,
    tooLong: 0,
    heartbeatsSent: 0,
    heartbeatsReceived: 0,
    sentDatagrams: 0,
    sentBytes: 0,
    receivedDatagrams: 0,
    receivedBytes: 0,
  };
  /** When its handshake began. */
  openedAt: Millis = 0;
  /** Ours and the other end's number of this connection. */
  id = 0;
  peerId = 0;
  readonly flow: TcpFlow;
  /** icmp: of our next packet. */
  echoSeq = 0;
  /** When a genuine sign of life came last, and when one last showed that ours arrive. */
  heardAt: Millis = 0;
  rollerAt: Millis = 0;
  heartbeatDue: Millis = 0;
  /** Where on a link the peer's packets come from; 0: not known. */
  place = 0;
  /** The peer is one of ours, and takes packets apart that were merged on their way. */
  peerSplits = false;
  /** What `take` found: the datagram is bytes[dataStart…dataEnd) of the packet. */
  conversation = 0;
  dataStart = 0;
  dataEnd = 0;
  /** One past the packet that was written last. */
  packetEnd = 0;
  readonly #role: Role;
  readonly #options: RawOptions;
  readonly #out: Seal;
  readonly #in: Seal;
  #aead: AeadSession | undefined;
  readonly #replay: ReplayWindow | undefined;
  readonly #u32: () => number;
  #envelope: Envelope | undefined;
  #seqHigh = 0;
  #seqLow = 0;
  #roller = 0;
  #peerRoller = -1;
  readonly #bare: Bare = { sender: 0, receiver: 0, constant: 0, random: new Uint8Array(16) };
  readonly #safer: Safer = { sender: 0, receiver: 0, seqHigh: 0, seqLow: 0, type: 0, roller: 0, conversation: 0 };

  /** `seals`: those of `sealsOf`, which all connections of an end may share. */
  constructor(role: Role, options: RawOptions, seals: Seals) {
    const { random } = options;
    this.#role = role;
    this.#options = options;
    this.#u32 = () => drawU32(random);
    this.flow = new TcpFlow(options.seqMode, (probability) => this.#u32() < probability * 2 ** 32);
    this.#out = seals.out;
    this.#in = seals.in;
    this.#aead = seals.aead && new AeadSession(seals.aead);
    this.#replay = (options.antiReplay ?? (this.#aead !== undefined || options.authMode !== "none")) ? new ReplayWindow() : undefined;
  }

  /** A new connection between these ends, whose handshake begins. */
  open(now: Millis, ends: Ends): void {
    const { mode, ttl } = this.#options;
    const u32 = this.#u32;
    this.#envelope = new Envelope({ mode, role: this.#role, u32, ...(ttl === undefined ? {} : { ttl }) }, ends);
    this.id = u32();
    this.peerId = 0;
    this.echoSeq = 0;
    this.flow.tsecr = 0;
    this.#aead?.begin(this.#options.random);
    this.place = 0;
    this.peerSplits = false;
    this.#begin();
    this.openedAt = now;
    this.heardAt = now;
    this.rollerAt = now;
    this.heartbeatDue = now;
  }

  /** Takes over the outside of another connection, of which the handshake has just ended: ends, ids, numbers. */
  adopt(other: Connection): void {
    this.#envelope = other.#envelope;
    this.id = other.id;
    this.peerId = other.peerId;
    this.#aead = other.#aead;
    this.echoSeq = other.echoSeq;
    this.place = other.place;
    this.peerSplits = false;
    this.flow.tsecr = other.flow.tsecr;
    this.flow.reset(other.flow.seq, other.flow.ack);
    this.#begin();
  }

  /** A segment of faketcp without payload, in the slot that begins at `slot`; answers where the packet begins. */
  bareSegment(now: Millis, bytes: Uint8Array, view: DataView, slot: number, flags: number, seq: number, ack: number): number {
    const payload = slot + HEAD_BYTES_MAX;
    this.packetEnd = payload;
    return this.#envelope!.tcp(now, bytes, view, payload, payload, flags, seq, ack, this.flow.tsecr);
  }

  /** A packet of the handshake; answers where it begins. `this.flow` is not moved. */
  handshake(now: Millis, bytes: Uint8Array, view: DataView, slot: number, constant: number, seq: number, ack: number): number {
    const payload = slot + HEAD_BYTES_MAX;
    this.#bare.sender = this.id;
    this.#bare.receiver = this.peerId;
    this.#bare.constant = constant;
    const { random } = this.#options;
    if (this.#aead !== undefined) this.packetEnd = this.#aead.sealBare(bytes, view, payload, this.#bare, random);
    else this.packetEnd = this.#out.seal(bytes, payload, writeBare(bytes, view, payload, this.#bare, random));
    return this.#envelop(now, bytes, view, payload, this.packetEnd, seq, ack);
  }

  /** Bytes of payload of every packet of the handshake. */
  get handshakeBytes(): number {
    return this.#aead === undefined ? this.#out.sealedBytes(BARE_BYTES) : AEAD_HANDSHAKE_BYTES;
  }

  /** A heartbeat in the slot that begins at `slot`; answers where the packet begins. */
  heartbeat(now: Millis, bytes: Uint8Array, view: DataView, slot: number): number {
    const at = slot + HEAD_BYTES_MAX + LENGTH_BYTES;
    const body = this.#head(bytes, view, at, HEARTBEAT, 0);
    const end = body + (this.#options.heartbeatBytes ?? 1200);
    bytes.fill(0, body, end);
    if (this.#options.splitsMerged === true) writeAbilities(bytes, body, end);
    this.stats.heartbeatsSent++;
    return this.#send(now, bytes, view, at, end);
  }

  /**
   * Makes a packet around the datagram bytes[start…end), in place, with HEADROOM_BYTES before and TAIL_BYTES_MAX behind it; answers where the packet begins,
   * −1 when the datagram is too long.
   */
  data(now: Millis, bytes: Uint8Array, view: DataView, start: number, end: number, conversation: number): number {
    return this.#send(now, bytes, view, this.lay(bytes, view, start, end, conversation), end);
  }

  /**
   * The first half of `data`: writes what stands before the datagram bytes[start…end), and answers where the plain packet begins. When it has been
   * sealed, `wrap` makes a packet of it. Packets go out in the order in which they were laid.
   */
  lay(bytes: Uint8Array, view: DataView, start: number, end: number, conversation: number): number {
    this.stats.sentDatagrams++;
    this.stats.sentBytes += end - start;
    const at = start - DATA_HEAD_BYTES;
    this.#head(bytes, view, at, DATA, conversation);
    return at;
  }

  /** Makes a packet around what is sealed in bytes[at…end), −1 for what could not be; answers where it begins, −1 when there is none. */
  wrap(now: Millis, bytes: Uint8Array, view: DataView, at: number, end: number): number {
    if (end < 0) {
      this.stats.tooLong++;
      return -1;
    }
    const sealed = this.#aead === undefined ? end : this.#aead.seal(bytes, at, end);
    const payload = this.#out.frame(bytes, this.#aead === undefined ? at : at + UNSENT_BYTES, sealed);
    this.packetEnd = sealed;
    const start = this.#envelop(now, bytes, view, payload, sealed, this.flow.seq, this.flow.ack);
    this.flow.sent(sealed - payload);
    return start;
  }

  /** Opens a packet of the handshake; undefined when it is none. Borrowed until the next call. */
  readHandshake(bytes: Uint8Array, view: DataView, arrival: Arrival): Readonly<Bare> | undefined {
    if (this.#aead !== undefined) return this.#aead.openBare(bytes, view, arrival.start, arrival.end, this.#bare) ? this.#bare : undefined;
    const end = this.#in.open(bytes, arrival.start, arrival.end);
    return end >= 0 && readBare(bytes, view, arrival.start, end, this.#bare) ? this.#bare : undefined;
  }

  /** aes128gcm: the first packet of the other end's handshake is genuine. */
  meet(bare: Readonly<Bare>): void {
    this.#aead?.meet(bare);
  }

  /** Whether the last packet of a client's handshake answers ours; then its keys are made. */
  confirmedBy(bare: Readonly<Bare>): boolean {
    if (this.#aead === undefined) return true;
    if (!this.#aead.confirms(bare)) return false;
    this.#aead.agree();
    return true;
  }

  /**
   * Takes a piece that came when ready, opened: bytes[start…end), end −1 when it did not open. `first`: it is the first piece of that packet.
   * Answers DATA, HEARTBEAT, or 0 for what is not to be believed.
   */
  take(now: Millis, view: DataView, bytes: Uint8Array, start: number, sealedEnd: number, arrival: Arrival, first: boolean): number {
    const safer = this.#safer;
    const aead = this.#aead;
    const end = aead === undefined || sealedEnd < 0 ? sealedEnd : aead.open(bytes, start, sealedEnd);
    const body = end < 0 ? -1 : readSafer(bytes, view, aead === undefined ? start : start - UNSENT_BYTES, end, safer);
    // Who has the keys of the connection is its other end.
    if (aead !== undefined) safer.sender = this.peerId;
    if (body < 0) this.stats.forged++;
    else if (safer.sender !== this.peerId || safer.receiver !== this.id) this.stats.strange++;
    else if (this.#replay?.accept(safer.seqHigh, safer.seqLow) === false) this.stats.replayed++;
    else {
      this.#genuine(now, arrival, first);
      if (safer.type === HEARTBEAT) this.peerSplits = readAbilities(bytes, body, end);
      if (safer.type === DATA) {
        this.conversation = safer.conversation;
        this.dataStart = body;
        this.dataEnd = end;
        this.stats.receivedDatagrams++;
        this.stats.receivedBytes += end - body;
      }
      return safer.type;
    }
    return 0;
  }

  #begin(): void {
    this.#seqHigh = Math.floor(this.#u32() / 10);
    this.#seqLow = this.#u32();
    this.#roller = 0;
    this.#peerRoller = -1;
    this.#replay?.reset();
  }

  #genuine(now: Millis, arrival: Arrival, first: boolean): void {
    const { type, roller } = this.#safer;
    this.place = arrival.place;
    if (first) {
      const { seq, ack, tsval } = arrival.tcp;
      if (this.#options.mode === "faketcp") this.flow.received(seq, ack, tsval, arrival.end - arrival.start);
      else if (this.#role === "server" && ((arrival.seq - this.echoSeq) & 0xffff) < 0x8000) this.echoSeq = arrival.seq;
    }
    const sign = type === HEARTBEAT || this.#options.heartbeatMode === 0;
    if (type === HEARTBEAT) this.stats.heartbeatsReceived++;
    if (sign) {
      this.heardAt = now;
      this.#roller = (this.#roller + 1) & 0xff;
    }
    if (roller !== this.#peerRoller) {
      this.#peerRoller = roller;
      this.rollerAt = now;
    }
  }

  #head(bytes: Uint8Array, view: DataView, at: number, type: number, conversation: number): number {
    const safer = this.#safer;
    safer.sender = this.id;
    safer.receiver = this.peerId;
    this.#seqLow = (this.#seqLow + 1) >>> 0;
    if (this.#seqLow === 0) this.#seqHigh = (this.#seqHigh + 1) >>> 0;
    safer.seqHigh = this.#seqHigh;
    safer.seqLow = this.#seqLow;
    safer.type = type;
    safer.roller = this.#roller;
    safer.conversation = conversation;
    return writeSafer(bytes, view, at, safer);
  }

  #send(now: Millis, bytes: Uint8Array, view: DataView, at: number, end: number): number {
    return this.wrap(now, bytes, view, at, this.#out.seal(bytes, at, end));
  }

  #envelop(now: Millis, bytes: Uint8Array, view: DataView, payload: number, end: number, seq: number, ack: number): number {
    const envelope = this.#envelope!;
    if (this.#options.mode === "faketcp") return envelope.tcp(now, bytes, view, payload, end, ACK | PSH, seq, ack, this.flow.tsecr);
    const start = envelope.datagram(bytes, view, payload, end, this.echoSeq);
    if (this.#role === "client") this.echoSeq = (this.echoSeq + 1) & 0xffff;
    return start;
  }
}
