/**
 * A kcptun client of 2021 (Debian's) as what it sends looks to a receiver: what a connection has to say is read by no more than 4096 bytes at a time, and each piece is
 * written to KCP by itself, which flushes at once.
 *
 *   4096 bytes → smux PSH (8 + 4096) → snappy chunk, stored: 8 bytes │ 4104 bytes     two writes, as the Go library does
 *             → packets of 8 │ 1298, 1298, 1298, 210 bytes                            five shards of FEC, where 3.2 would do
 *
 * Source: reference kcptun.md 5.1 and 6; recorded sessions loss-fec-recovers, loss-nofec-retransmit (pieces); golang/snappy encode.go (two writes of what is stored).
 * One connection at a time, and nothing comes back.
 */
import { Batch, SLOT_BYTES } from "../src/base/batch.ts";
import type { Prng } from "../src/base/prng.ts";
import type { Bytes, Millis } from "../src/base/units.ts";
import type { PacketCipher } from "../src/cipher/cipher.ts";
import type { Driver, Loop, TcpHandler, TcpSocket, UdpHandler, UdpSocket } from "../src/host/loop.ts";
import type { Kcp } from "../src/kcp/kcp.ts";
import { CMD_PSH, CMD_SYN, HEADER_BYTES, putHeader } from "../src/smux/frame.ts";
import { SnappyEncoder } from "../src/snappy/encoder.ts";
import type { TunnelConfig } from "../src/tunnel/config.ts";
import { Scratch } from "../src/tunnel/scratch.ts";
import { Transport } from "../src/tunnel/transport.ts";

/** Spec: what kcptun reads of a connection at once (generic/copy.go). */
const READ_BYTES: Bytes = 4096;
const SID = 3;

export interface KcptunClientParts {
  readonly loop: Loop;
  readonly cipher: PacketCipher;
  readonly prng: Prng;
}

/** Is told of each FEC packet view[start…end) before it is encrypted. */
export type Watch = (view: DataView, start: number, end: number, kcp: Kcp) => void;

export class KcptunClient implements UdpHandler, Driver, TcpHandler {
  /** Of all there are. */
  static watch: Watch | undefined;
  readonly transport: Transport;
  readonly #parts: KcptunClientParts;
  readonly #socket: UdpSocket;
  readonly #peer: number;
  readonly #snappy: SnappyEncoder | undefined;
  readonly #scratch = new Scratch();
  readonly #batch = new Batch(1);
  #application: TcpSocket | undefined;
  /** Bytes that nothing compresses: what an application says is worth its length alone. */
  readonly #noise = new Uint8Array(HEADER_BYTES + READ_BYTES);
  readonly #read = new Uint8Array(READ_BYTES);
  readonly #written = new Uint8Array(SnappyEncoder.encodedBytesMax(HEADER_BYTES + READ_BYTES));
  /** Ends of the writes that wait for room, and where the first begins. */
  #ends: number[] = [];
  #from = 0;

  constructor(
    at: { host: string; port: number },
    server: { host: string; port: number },
    conv: number,
    config: TunnelConfig,
    parts: KcptunClientParts,
  ) {
    const { loop, cipher } = parts;
    this.#parts = parts;
    this.transport = new Transport(0, conv, config, cipher.headBytes + cipher.tailBytes, this.#scratch);
    this.#snappy = config.nocomp ? undefined : new SnappyEncoder();
    this.#socket = loop.udp({ host: at.host, port: 0, peersMax: 2, peer: server }, this);
    this.#peer = this.#socket.addresses.intern(server.host, server.port);
    loop.listen(at, (socket, now) => {
      this.#application = socket;
      this.#frame(CMD_SYN, 0);
      this.#pump(now);
      return this;
    });
    loop.drive(this);
  }

  connected(): void {}
  writable(): void {}
  closed(): void {}

  readable(now: Millis): void {
    this.#pump(now);
  }

  receive(now: Millis, batch: Batch): void {
    this.#parts.cipher.open(batch);
    const { transport } = this;
    const { bytes, at } = this.#scratch.inbound;
    for (let i = 0; i < batch.length; i++) {
      const [start, end] = [batch.start[i]!, batch.end[i]!];
      if (end > start) transport.receive(now, batch.bytes, batch.view, start, end);
      this.#drain(now);
    }
    while (transport.kcp.read(now, bytes, at, at + SLOT_BYTES) > 0);
    this.#pump(now);
    this.#parts.loop.wake();
  }

  advance(now: Millis): Millis {
    this.transport.kcp.advance(now);
    this.#drain(now);
    this.#pump(now);
    return this.transport.deadline();
  }

  /** Each write leaves at once, as far as the window goes; while as much waits as that takes, nothing is read. */
  #pump(now: Millis): void {
    const { kcp } = this.transport;
    for (;;) {
      for (; this.#ends.length > 0; this.#from = this.#ends.shift()!) {
        if (!kcp.writable) return;
        kcp.send(now, this.#written, this.#from, this.#ends[0]!);
        this.#drain(now);
      }
      const n = this.#application?.read(this.#read, 0, READ_BYTES) ?? 0;
      if (n <= 0) return;
      this.#frame(CMD_PSH, n);
    }
  }

  #frame(cmd: number, n: Bytes): void {
    const noise = this.#noise;
    this.#parts.prng.fill(noise);
    putHeader(new DataView(noise.buffer), 0, 1, cmd, n, SID);
    const length = HEADER_BYTES + n;
    this.#from = 0;
    if (this.#snappy === undefined) {
      this.#written.set(noise.subarray(0, length));
      this.#ends = [length];
    } else {
      const end = this.#snappy.encode(noise, 0, length, this.#written, 0);
      this.#ends = [end - length, end];
    }
  }

  #drain(now: Millis): void {
    const { transport } = this;
    const batch = this.#batch;
    for (;;) {
      batch.length = 0;
      transport.transmit(now, batch, this.#peer);
      if (batch.length === 0) return;
      KcptunClient.watch?.(batch.view, batch.start[0]!, batch.end[0]!, transport.kcp);
      this.#parts.cipher.seal(batch, 0);
      this.#socket.send(batch, 0);
    }
  }
}
