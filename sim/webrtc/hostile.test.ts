/** A session under fire: damaged, repeated, reordered and made-up datagrams in the midst of a call. It must not throw, and the call goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../src/base/prng.ts";
import { putTraffic } from "../../src/media/rtp/testing/traffic.ts";
import { Call } from "./call.ts";

test("damaged RTP and RTCP are dropped and the call goes on", () => {
  const seed = 4242;
  const random = new Prng(seed);
  const call = new Call({ forward: "delay=20 rate=2mbit qbytes=75k", backward: "delay=20", seed });
  const bytes = new Uint8Array(2400);
  const view = new DataView(bytes.buffer);
  for (let at = 100; at <= 4000; at += 20) {
    call.run(at);
    const now = at * 1000;
    for (let i = 0; i < 20; i++) {
      const session = random.chance(0.5) ? call.sender : call.receiver;
      let length = putTraffic(random, view);
      for (let flips = random.below(4); flips > 0; flips--) bytes[random.below(length)] = random.below(256);
      if (random.chance(0.2)) length = random.below(length + 1);
      session.receiveRtcp(now, bytes, view, length);
      random.fill(bytes.subarray(0, 60));
      bytes[0] = 0x80 | random.below(64);
      bytes[1] = random.chance(0.5) ? 96 + random.below(2) : random.below(256);
      session.receiveRtp(now, bytes, view, random.below(60));
    }
  }
  call.run(8000);
  assert.ok(call.receiver.receiver.streams.length <= 64, `seed ${seed}: ${call.receiver.receiver.streams.length} streams`);
  assert.ok(call.receiver.receiver.stats.streamsRefused > 0);
  assert.ok(call.receiver.receiver.packet.stats.damagedHeaders > 0);
  const before = call.arrivals.size;
  call.run(10_000);
  assert.ok(call.arrivals.size > before, `seed ${seed}: media still comes`);
});
