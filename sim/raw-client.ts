/** A client of the tunnel's server that says any bytes it likes inside a correct session: smux frames as an enemy with the key would write them. */
import { Batch, SLOT_BYTES } from "../src/base/batch.ts";
import type { Millis } from "../src/base/units.ts";
import type { PacketCipher } from "../src/cipher/cipher.ts";
import type { Driver, Loop, UdpHandler, UdpSocket } from "../src/host/loop.ts";
import { HEADER_BYTES, putHeader } from "../src/smux/frame.ts";
import type { TunnelConfig } from "../src/tunnel/config.ts";
import { Scratch } from "../src/tunnel/scratch.ts";
import { Transport } from "../src/tunnel/transport.ts";

export class RawClient implements UdpHandler, Driver {
  readonly #transport: Transport;
  readonly #cipher: PacketCipher;
  readonly #socket: UdpSocket;
  readonly #loop: Loop;
  readonly #peer: number;
  readonly #batch = new Batch(64);
  readonly #received = new Uint8Array(SLOT_BYTES);

  constructor(loop: Loop, server: { host: string; port: number }, config: TunnelConfig, cipher: PacketCipher, conv: number) {
    this.#loop = loop;
    this.#cipher = cipher;
    this.#transport = new Transport(loop.now(), conv, config, cipher.headBytes + cipher.tailBytes, new Scratch());
    this.#socket = loop.udp({ host: "", port: 0, peersMax: 4 }, this);
    this.#peer = this.#socket.addresses.intern(server.host, server.port);
    this.#socket.addresses.hold(this.#peer);
    loop.drive(this);
  }

  /** Bytes of the server's stream that came. */
  receivedBytes = 0;

  say(bytes: Uint8Array): void {
    this.#transport.kcp.send(this.#loop.now(), bytes, 0, bytes.length);
    this.#loop.wake();
  }

  frame(version: number, command: number, sid: number, payload: Uint8Array = new Uint8Array(), length = payload.length): void {
    const bytes = new Uint8Array(HEADER_BYTES + payload.length);
    putHeader(new DataView(bytes.buffer), 0, version as 1, command as 0, length, sid);
    bytes.set(payload, HEADER_BYTES);
    this.say(bytes);
  }

  receive(now: Millis, batch: Batch): void {
    this.#cipher.open(batch);
    const { kcp } = this.#transport;
    for (let i = 0; i < batch.length; i++) this.#transport.receive(now, batch.bytes, batch.view, batch.start[i]!, batch.end[i]!);
    for (let n = 1; n > 0; this.receivedBytes += n) n = kcp.read(now, this.#received, 0, SLOT_BYTES);
    this.#loop.wake();
  }

  writable(): void {}

  advance(now: Millis): Millis {
    this.#transport.kcp.advance(now);
    const batch = this.#batch;
    for (let drained = false; !drained; batch.length = 0) {
      drained = this.#transport.transmit(now, batch, this.#peer);
      this.#cipher.seal(batch, 0);
      this.#socket.send(batch, 0);
    }
    return this.#transport.deadline();
  }
}
