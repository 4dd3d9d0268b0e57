/**
 * Nothing is allocated per packet on the tunnel's path: cipher, FEC, KCP, snappy, smux and the streams, both directions, as the endpoints run them.
 * What V8 allocates is counted. The bound leaves room for what comes per round and batch, and for the two numbers per packet that a foreign call
 * boxes (an address is no small integer: 16 bytes each), and none for a view of the packet (over 100 bytes), a closure or an array.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import type { Pieces } from "../src/base/pieces.ts";
import { Prng } from "../src/base/prng.ts";
import { KIND_TCP } from "../src/extension/description.ts";
import type { TcpSocket } from "../src/host/loop.ts";
import { readEach, writeEach } from "../src/host/scatter.ts";
import { clientConfig } from "../src/tunnel/config.ts";
import { inOwnProcess } from "../test/own-process.ts";
import { SessionEnd } from "./session-end.ts";

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

inOwnProcess(import.meta.url, () => {
  for (const [crypt, nocomp, mode] of [
    ["aes", "true", "fast3"],
    ["none", "false", "fast3"],
    ["aes-128-gcm", "true", "fast3"],
    ["none", "true", "auto"],
  ] as const) {
    test(`no allocation per packet: ${crypt}, snappy ${nocomp === "true" ? "off" : "on"}, mode ${mode}`, (t) => {
      const config = clientConfig.parse({ crypt, nocomp, mode, sndwnd: 512, rcvwnd: 512, quiet: "true" });
      const [near, far] = [new Endless(), new Endless()];
      const client = new SessionEnd("client", config);
      const server = new SessionEnd("server", config, { opened: (_session, stream) => stream.attach(far, true) });
      const stream = client.session.open(0, { kind: KIND_TCP, target: "" });
      assert.ok(typeof stream !== "string");
      stream.attach(near, true);
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
      // On a busy machine the compiler is late: what it has not seen to yet boxes its numbers. What allocates does so in every round.
      let measured = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 40 && measured >= bytesPerPacketMax / 2; round++) measured = Math.min(measured, run(20_000));
      t.diagnostic(`${measured.toFixed(1)} bytes a packet`);
      assert.ok(far.written > 5_000_000, `only ${far.written} bytes arrived`);
      assert.ok(measured < bytesPerPacketMax, `${measured.toFixed(1)} bytes are allocated per packet, ${bytesPerPacketMax} is the limit`);
    });
  }
});
