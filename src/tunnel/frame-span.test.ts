import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { Kcp } from "../kcp/kcp.ts";
import { DATA, FAILED, SmuxSession } from "../smux/session.ts";
import { FrameSpan } from "./frame-span.ts";

const FRAME_BYTES = 1000;

/** What the peer reads of `sends` reads from a socket that has as much as asked for, or a little less. */
function carry(
  mtu: number,
  sends: number,
  seed: number,
): { readonly sent: number[]; readonly received: number[]; readonly frames: number } {
  const prng = new Prng(seed);
  const options = { conv: 1, mtu, sndWnd: 256, rcvWnd: 256, nodelay: 1, interval: 10, resend: 2, nc: 1, profile: "2026" } as const;
  const [kcp, peer] = [new Kcp(options), new Kcp(options)];
  const smux = new SmuxSession({ role: "client", version: 2, frameBytes: FRAME_BYTES });
  const other = new SmuxSession({ role: "server", version: 2, frameBytes: FRAME_BYTES });
  const sid = smux.open(0);
  const buffer = new Uint8Array(1500);
  const view = new DataView(buffer.buffer);
  kcp.send(0, buffer, 0, smux.transmit(0, buffer, view, 0, 100));
  const span = new FrameSpan();
  const sent: number[] = [];
  for (let i = 0; i < sends && kcp.writable; i++) {
    const allowance = smux.allowance(sid, 1 + prng.below(9));
    span.lay(0, kcp, FRAME_BYTES, allowance);
    const { payload } = span;
    const n = prng.chance(0.5) ? payload.total : prng.below(payload.total);
    for (let p = 0, left = n; left > 0; p++) {
      for (let at = payload.start[p]!; at < payload.end[p]! && left > 0; at++, left--) {
        payload.bytes[at] = prng.u32();
        sent.push(payload.bytes[at]!);
      }
    }
    span.finish(kcp, smux, sid, n);
    span.clear();
    if (prng.chance(0.5)) exchange(i, kcp, peer, buffer, view);
  }
  const into = new Uint8Array(1 << 18);
  let bytes = 0;
  for (let now = 100; now === 100 || kcp.waitSnd > 0 || peer.readable > 0; now += 10) {
    exchange(now, kcp, peer, buffer, view);
    bytes += peer.read(now, into, bytes, into.length);
  }
  const received: number[] = [];
  for (let at = 0; at < bytes; ) {
    at += other.receive(0, into, at, bytes);
    if (other.event === DATA) received.push(...into.subarray(other.dataStart, other.dataEnd));
    else assert.ok(other.event !== FAILED);
  }
  return { sent, received, frames: smux.stats.framesOut };
}

function exchange(now: number, a: Kcp, b: Kcp, buffer: Uint8Array, view: DataView): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.advance(now);
    for (let n = from.transmit(now, buffer, view, 0); n > 0; n = from.transmit(now, buffer, view, 0))
      to.receive(now, buffer, view, 0, n, true);
  }
}

for (const mtu of [50, 64, 333, 1350]) {
  test(`frames laid into segments of ${mtu - 24} bytes arrive whole`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { sent, received, frames } = carry(mtu, 8, seed);
      assert.ok(frames > 2, `only ${frames} frames`);
      assert.ok(Buffer.from(received).equals(Buffer.from(sent)), `seed ${seed}`);
    }
  });
}
