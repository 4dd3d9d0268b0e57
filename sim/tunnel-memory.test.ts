/**
 * What an idle session takes: a thousand of them must fit into a small server. Counted is what V8 and its buffers hold, and the sessions' share of
 * the kernels' memory; the figures of whole processes are bench/idle.ts's.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { KIND_TCP } from "../src/extension/description.ts";
import type { TcpSocket } from "../src/host/loop.ts";
import { clientConfig } from "../src/tunnel/config.ts";
import { Scratch } from "../src/tunnel/scratch.ts";
import { inOwnProcess } from "../test/own-process.ts";
import { SessionEnd } from "./session-end.ts";

/** The least of the batches counts: in the others V8 keeps compiled code and feedback as well, which depends on when its threads come to it. */
const batches = 3;
const pairs = 20;
/** Of both ends together. Mode auto keeps account of each path besides. */
const kinds = [
  { mode: "fast3", window: 1024, bytesPerPairMax: 40_000, windowBytesMax: 4_000 },
  { mode: "auto", window: 8192, bytesPerPairMax: 52_000, windowBytesMax: 8_000 },
];

/** Has `left` bytes to say, and takes all. */
class Application implements TcpSocket {
  readonly remote = "";
  readonly local = "";
  left: number;
  taken = 0;
  constructor(left: number) {
    this.left = left;
  }
  read(_bytes: Uint8Array, offset: number, limit: number): number {
    const n = Math.min(this.left, limit - offset);
    this.left -= n;
    return n;
  }
  readv(pieces: { readonly total: number }): number {
    return this.read(new Uint8Array(0), 0, pieces.total);
  }
  write(_bytes: Uint8Array, offset: number, end: number): number {
    this.taken += end - offset;
    return end - offset;
  }
  writev(pieces: { readonly total: number }): number {
    this.taken += pieces.total;
    return pieces.total;
  }
  shutdown(): void {}
  close(): void {}
  reset(): void {}
}

inOwnProcess(import.meta.url, () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const held = (): number => {
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  for (const { mode, window, bytesPerPairMax, windowBytesMax } of kinds)
    test(`an idle session takes little, after a burst too: what it does not use, others have, mode ${mode}`, (t) => {
      const config = clientConfig.parse({ crypt: "null", mode, sndwnd: window, rcvwnd: window, quiet: "true" });
      const scratch = new Scratch();
      let now = 1;
      const ends: [SessionEnd, SessionEnd][] = [];
      const make = (): void => {
        const near = new Application(1_000_000);
        const far = new Application(1_000_000);
        const client = new SessionEnd("client", config, { scratch });
        const server = new SessionEnd("server", config, { scratch, opened: (_session, stream) => stream.attach(far, true) });
        const stream = client.session.open(now, { kind: KIND_TCP, target: "" });
        assert.ok(typeof stream !== "string");
        stream.attach(near, true);
        for (; far.taken < 1_000_000 || near.taken < 1_000_000; now += 1) {
          client.round(now, server);
          server.round(now, client);
        }
        ends.push([client, server]);
      };
      const idle = (seconds: number): void => {
        for (const until = now + seconds * 1000; now < until; now += 500) {
          for (const [client, server] of ends) {
            client.round(now, server);
            server.round(now, client);
          }
          scratch.trim(now);
        }
      };
      for (let i = 0; i < 3; i++) make();
      idle(40);
      let each = Number.POSITIVE_INFINITY;
      let before = held();
      for (let batch = 0; batch < batches; batch++) {
        for (let i = 0; i < pairs; i++) make();
        idle(60);
        const after = held();
        each = Math.min(each, (after - before) / pairs);
        before = after;
      }
      const kcp =
        ends.reduce((sum, [client, server]) => sum + client.session.kcp.bytesHeld + server.session.kcp.bytesHeld, 0) / ends.length;
      t.diagnostic(`${(each / 1000).toFixed(1)} kB a pair, ${(kcp / 1000).toFixed(1)} kB of it or beside it in windows`);
      assert.ok(each < bytesPerPairMax, `${each} bytes a pair of idle sessions`);
      assert.ok(kcp < windowBytesMax, `${kcp} bytes in the windows of a pair of idle sessions`);
      assert.ok(scratch.segments.out === 0, `${scratch.segments.out} received segments wait at idle ends`);
      assert.ok(scratch.segments.bytesHeld + scratch.shards.bytesHeld < 3_000_000, "what bursts needed was given back");
    });
});
