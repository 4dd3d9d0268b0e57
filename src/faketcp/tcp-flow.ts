/**
 * The sequence numbers of one direction pair of faketcp: those we send, and those we acknowledge. Nothing is ever sent again; the numbers only have to
 * look as if TCP were at work.
 *
 * Source: reference udp2raw.md section 5.2.
 */
import type { SeqMode } from "./mode.ts";

/** The window that modes 3 and 4 keep to; every packet announces as much and scales it by 5. */
const WINDOW_BYTES = 40_960;
const WINDOW_SCALE = 5;
/** Room for one more packet. */
const PACKET_BYTES = 1800;
/** After so many packets with the same acknowledgement a sender goes back, as in fast retransmit. */
const REPEATED_ACKS = 3;

export class TcpFlow {
  /** Of the next packet we send. */
  seq = 0;
  /** What we acknowledge. */
  ack = 0;
  /** The peer's last timestamp. */
  tsecr = 0;
  readonly #mode: SeqMode;
  readonly #chance: (probability: number) => boolean;
  #peerAck = 0;
  #repeated = 0;

  constructor(mode: SeqMode, chance: (probability: number) => boolean) {
    this.#mode = mode;
    this.#chance = chance;
  }

  /** Starts over: what the handshake left. */
  reset(seq: number, ack: number): void {
    this.seq = seq;
    this.ack = ack;
    this.#peerAck = seq;
    this.#repeated = 0;
  }

  /** A packet with so many bytes of payload left. */
  sent(length: number): void {
    if (this.#mode === 0) return;
    if (this.#mode === 2 && !this.#chance(0.2)) return;
    this.seq = (this.seq + length) >>> 0;
    if (this.#mode < 3) return;
    const window = this.#mode === 3 ? WINDOW_BYTES * 2 ** WINDOW_SCALE : WINDOW_BYTES;
    const ahead = distance(this.#peerAck, this.seq);
    if (ahead + PACKET_BYTES > window || ahead < 0 || this.#repeated > REPEATED_ACKS) {
      this.seq = this.#peerAck;
      this.#repeated = 0;
    }
  }

  /** A genuine packet came. */
  received(seq: number, ack: number, tsval: number, length: number): void {
    this.tsecr = tsval;
    this.#repeated = ack === this.#peerAck ? this.#repeated + 1 : 0;
    this.#peerAck = ack;
    if (this.#mode >= 3) {
      if (seq === this.ack) this.ack = (this.ack + length) >>> 0;
    } else if (distance(this.ack, seq + length) > 0) this.ack = (seq + length) >>> 0;
  }
}

/** How far b is ahead of a, −2^31…2^31−1. */
function distance(a: number, b: number): number {
  return (b - a) | 0;
}
