/**
 * A kcptun server of 2021 as far as a client with other settings meets it: what it does until it closes the session, and afterwards.
 *
 *   datagram of an unknown address   a session, whatever its sn; one with another conv replaces the known session only with sn 0
 *   bytes in order                   smux, behind snappy or not, of the one version it is set to; anything else closes the session
 *   session closed                   what is to be acknowledged leaves, or is lost (`farewell` false), then nothing is known of it
 *
 * Source: reference kcptun.md 5.3 and 6. It opens no connections: what it understands, it takes without a word, as with smux version 1.
 */
import { Batch, SLOT_BYTES } from "../src/base/batch.ts";
import { type Millis, NEVER } from "../src/base/units.ts";
import type { PacketCipher } from "../src/cipher/cipher.ts";
import { FecDecoder } from "../src/fec/decoder.ts";
import { FecEncoder } from "../src/fec/encoder.ts";
import type { Driver, Loop, UdpHandler, UdpSocket } from "../src/host/loop.ts";
import { looksLikeKcp, readConv, readFirstSn } from "../src/kcp/segment.ts";
import type { TunnelConfig } from "../src/tunnel/config.ts";
import { Layers, type SmuxSink } from "../src/tunnel/layers.ts";
import { Scratch } from "../src/tunnel/scratch.ts";
import { Transport } from "../src/tunnel/transport.ts";

interface Known {
  readonly conv: number;
  readonly peer: number;
  readonly transport: Transport;
  readonly layers: Layers;
}

export class Kcptun2021 implements UdpHandler, Driver {
  /** Sessions begun, and those closed for what came in them. */
  began = 0;
  refused = 0;
  readonly #config: TunnelConfig;
  readonly #cipher: PacketCipher;
  readonly #farewell: boolean;
  readonly #socket: UdpSocket;
  readonly #loop: Loop;
  readonly #known = new Map<number, Known>();
  readonly #scratch = new Scratch();
  readonly #batch = new Batch(64);
  /** Closed, and not silent before their next flush. */
  readonly #leaving = new Set<Known>();

  constructor(loop: Loop, at: { host: string; port: number }, config: TunnelConfig, cipher: PacketCipher, farewell: boolean) {
    this.#loop = loop;
    this.#config = config;
    this.#cipher = cipher;
    this.#farewell = farewell;
    this.#socket = loop.udp({ ...at, peersMax: 64 }, this);
    loop.drive(this);
  }

  receive(now: Millis, batch: Batch): void {
    this.#cipher.open(batch);
    for (let i = 0; i < batch.length; i++) {
      const [start, end, peer] = [batch.start[i]!, batch.end[i]!, batch.peer[i]!];
      const session = end > start ? this.#sessionFor(now, batch, start, end, peer) : undefined;
      if (session === undefined) continue;
      session.transport.receive(now, batch.bytes, batch.view, start, end);
      this.#read(now, session);
    }
    this.#loop.wake();
  }

  writable(): void {}

  advance(now: Millis): Millis {
    let next: Millis = NEVER;
    for (const session of [...this.#known.values(), ...this.#leaving]) {
      const due = session.transport.deadline() <= now;
      session.transport.kcp.advance(now);
      this.#drain(now, session);
      if (due) this.#leaving.delete(session);
      next = Math.min(next, session.transport.deadline());
    }
    return next;
  }

  #sessionFor(now: Millis, batch: Batch, start: number, end: number, peer: number): Known | undefined {
    const { view } = batch;
    const known = this.#known.get(peer);
    const fec = FecDecoder.isFec(view, start, end);
    if (fec && !FecDecoder.isData(view, start, end)) return known;
    const at = fec ? start + FecEncoder.headBytes : start;
    if (!looksLikeKcp(view, at, end - at)) return undefined;
    const conv = readConv(view, at);
    if (known?.conv === conv) return known;
    if (known !== undefined && readFirstSn(view, at) !== 0) return undefined;
    const cipherBytes = this.#cipher.headBytes + this.#cipher.tailBytes;
    const transport = new Transport(now, conv, this.#config, cipherBytes, this.#scratch);
    const { smuxver, nocomp } = this.#config;
    const layers = new Layers("server", smuxver === 1 ? 1 : 2, !nocomp, this.#config, transport.kcp, this.#scratch);
    const session = { conv, peer, transport, layers };
    this.#socket.addresses.hold(peer);
    this.#known.set(peer, session);
    this.began++;
    return session;
  }

  #read(now: Millis, session: Known): void {
    const { kcp } = session.transport;
    const { bytes, at } = this.#scratch.inbound;
    for (let n = kcp.read(now, bytes, at, at + SLOT_BYTES); n > 0; n = kcp.read(now, bytes, at, at + SLOT_BYTES)) {
      session.layers.receive(now, bytes, at, at + n, taken);
      if (session.layers.failure === undefined) continue;
      this.refused++;
      this.#known.delete(session.peer);
      if (this.#farewell) this.#leaving.add(session);
      return;
    }
  }

  #drain(now: Millis, { transport, peer }: Known): void {
    const batch = this.#batch;
    transport.transmit(now, batch, peer);
    this.#cipher.seal(batch, 0);
    this.#socket.send(batch, 0);
    batch.length = 0;
  }
}

const taken: SmuxSink = { smuxEvent() {}, smuxSettle() {} };
