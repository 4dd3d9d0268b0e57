/**
 * Nothing is allocated per packet on the tunnel's path: cipher, FEC, KCP, snappy, smux and the streams, both directions, as the endpoints run them.
 * What V8 allocates is counted. The bound leaves room for what comes per round and batch, and for the two numbers per packet that a foreign call
 * boxes (an address is no small integer: 16 bytes each), and none for a view of the packet (over 100 bytes), a closure or an array.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { Batch } from "../src/base/batch.ts";
import type { Pieces } from "../src/base/pieces.ts";
import { Prng } from "../src/base/prng.ts";
import { createCipher, type PacketCipher } from "../src/cipher/cipher.ts";
import { KIND_TCP } from "../src/extension/description.ts";
import { primitives } from "../src/host/crypto.ts";
import { silentLog } from "../src/host/log.ts";
import type { TcpSocket } from "../src/host/loop.ts";
import { readEach, writeEach } from "../src/host/scatter.ts";
import { ChannelCounters } from "../src/tunnel/channel-counters.ts";
import { clientConfig } from "../src/tunnel/config.ts";
import { Scratch } from "../src/tunnel/scratch.ts";
import { Session } from "../src/tunnel/session.ts";

const bytesPerPacketMax = 48;

/** An endless source and a sink for ever: the TCP side of a bulk transfer. */
class Endless implements TcpSocket {
  readonly remote = "endless";
  readonly local = "";
  written = 0;
  #filled: Uint8Array | undefined;
  /** Noise, laid down once: a frame's payload stays where it is. */
  read(bytes: Uint8Array, offset: number, limit: number): number {
    if (bytes !== this.#filled) {
      new Prng(1).fill(bytes.subarray(offset, limit));
      this.#filled = bytes;
    }
    return limit - offset;
  }
  readv(pieces: Pieces): number {
    return readEach(this, pieces);
  }
  writev(pieces: Pieces): number {
    return writeEach(this, pieces);
  }
  write(_bytes: Uint8Array, offset: number, end: number): number {
    this.written += end - offset;
    return end - offset;
  }
  shutdown(): void {}
  close(): void {}
  reset(): void {}
}

class End {
  readonly session: Session;
  readonly socket = new Endless();
  readonly cipher: PacketCipher;
  readonly batch = new Batch(64);
  packets = 0;

  constructor(role: "client" | "server", config: ReturnType<typeof clientConfig.parse>) {
    this.cipher = createCipher(config.crypt, primitives.deriveKey("k"), primitives);
    this.session = new Session(0, {
      role,
      conv: 1,
      peer: 0,
      peerName: role,
      config,
      cipherBytes: this.cipher.headBytes + this.cipher.tailBytes,
      scratch: new Scratch(),
      log: silentLog,
      wake: () => {},
      features: 0,
      counters: new ChannelCounters(),
      flowOpened: () => ({ verdict: 1, reason: "none" }),
      opened: (_session, stream) => stream.attach(this.socket, true),
    });
  }

  /** Sends what is due straight into the other end. */
  round(now: number, to: End): void {
    const { session, batch, cipher } = this;
    session.advance(now);
    for (let drained = false; !drained; ) {
      batch.length = 0;
      drained = session.transmit(now, batch);
      cipher.seal(batch, 0);
      this.packets += batch.length;
      to.cipher.open(batch);
      for (let i = 0; i < batch.length; i++) {
        assert.ok(batch.end[i]! > batch.start[i]!);
        to.session.receive(now, batch.bytes, batch.view, batch.start[i]!, batch.end[i]!);
      }
    }
  }
}

for (const [crypt, nocomp] of [
  ["aes", "true"],
  ["none", "false"],
  ["aes-128-gcm", "true"],
] as const) {
  test(`no allocation per packet: ${crypt}, snappy ${nocomp === "true" ? "off" : "on"}`, (t) => {
    const config = clientConfig.parse({ crypt, nocomp, mode: "fast3", sndwnd: 512, rcvwnd: 512, quiet: "true" });
    const [client, server] = [new End("client", config), new End("server", config)];
    const stream = client.session.open(0, { kind: KIND_TCP, target: "" });
    assert.ok(typeof stream !== "string");
    stream.attach(client.socket, true);
    let now = 1;
    const run = (packets: number): number => {
      const goal = client.packets + server.packets + packets;
      const before = getHeapStatistics().total_allocated_bytes;
      for (; client.packets + server.packets < goal; now += 1) {
        client.round(now, server);
        server.round(now, client);
      }
      return (getHeapStatistics().total_allocated_bytes - before) / packets;
    };
    run(20_000);
    const measured = Math.min(...Array.from({ length: 5 }, () => run(20_000)));
    t.diagnostic(`${measured.toFixed(1)} bytes a packet`);
    assert.ok(server.socket.written > 10_000_000, `only ${server.socket.written} bytes arrived`);
    assert.ok(measured < bytesPerPacketMax, `${measured.toFixed(1)} bytes are allocated per packet, ${bytesPerPacketMax} is the limit`);
  });
}
