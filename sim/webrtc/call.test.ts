/** WebRTC sessions against each other over emulated links: what one sends the other gets, whatever feedback they agreed on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CongestionFeedbackKind } from "../../src/media/sdp/negotiation.ts";
import { Call, type CallOptions } from "./call.ts";

const LINK = "delay=40 rate=2mbit qbytes=75k";

/** 10 s of video, and 2 s for what is still under way. */
function call(options: Partial<CallOptions> = {}): Call {
  const made = new Call({ forward: LINK, backward: "delay=40", seed: 5, ...options });
  made.run(10_000);
  made.filming = false;
  made.run(12_000);
  return made;
}

for (const [congestionFeedback, least] of [
  ["transport-cc", 1500],
  ["ccfb", 1500],
  ["goog-remb", 1500],
] as readonly (readonly [CongestionFeedbackKind, number])[]) {
  test(`${congestionFeedback}: the sender finds 2 Mbit/s and stays below, nothing is lost to the queue`, () => {
    const { sender, receiver, forward, made, arrivals, arrivedBytes } = call({ congestionFeedback });
    const kbps = arrivedBytes / 1250;
    assert.ok(kbps > least && kbps < 2000, `${Math.round(kbps)} kbit/s arrived`);
    assert.equal(receiver.receiver.reporter.kind, congestionFeedback);
    assert.ok(receiver.receiver.reporter.reports > 20, `${receiver.receiver.reporter.reports} reports`);
    assert.ok(sender.sender!.controller.targetRate < 2_300_000);
    assert.equal(arrivals.size, made);
    assert.equal(forward.counters.droppedQueue, 0);
  });
}

for (const [name, options] of [
  ["by RTX", {}],
  ["as they were, without RTX", { retransmission: false }],
  ["with compound RTCP", { reducedSize: false }],
  ["told of by CCFB", { congestionFeedback: "ccfb" }],
] as readonly (readonly [string, Partial<CallOptions>])[]) {
  test(`lost packets come again, ${name}`, () => {
    const lossy = call({ forward: `${LINK} loss=3%`, ...options });
    const { nacks, statistics } = lossy.inbound;
    assert.ok(nacks!.stats.missing > 20, `${nacks!.stats.missing} were missing`);
    // Nothing after the very last packet tells of its loss.
    assert.ok(lossy.made - lossy.arrivals.size <= 1, `${lossy.made - lossy.arrivals.size} never came`);
    // Without RTX padding has numbers of the stream, and lost padding is not sent again.
    if (options.retransmission !== false) assert.equal(nacks!.length, 0);
    // A loss rate of 3 % is no reason to slow down.
    assert.ok(lossy.sender.sender!.controller.targetRate > 1_300_000, `${lossy.sender.sender!.controller.targetRate} bit/s`);
    assert.ok(statistics.stats.received > 0);
  });
}

test("a path that loses everything for a second ends in a request for a key frame and goes on", () => {
  const cut = new Call({ forward: LINK, backward: "delay=40", seed: 6 });
  cut.run(5000);
  cut.forward.set("down=1");
  cut.run(6500);
  cut.forward.set("down=0");
  const before = cut.arrivedBytes;
  cut.run(12_000);
  assert.ok(cut.keyFrameRequests > 0 || cut.inbound.nacks!.stats.recovered > 0);
  assert.ok(cut.arrivedBytes - before > 400_000, `${cut.arrivedBytes - before} bytes after the cut`);
});

test("without feedback on packets the receiver's reports raise the rate slowly", () => {
  const { sender } = call({ congestionFeedback: "none" });
  const { targetRate } = sender.sender!.controller;
  assert.ok(targetRate > 400_000 && targetRate < 1_000_000, `${targetRate} bit/s`);
});

test("round trips come from sender and receiver reports", () => {
  const { sender } = call();
  const { roundTrip } = sender.sender!;
  assert.ok(roundTrip >= 80_000 && roundTrip < 140_000, `${roundTrip} µs`);
});

test("goog-remb without abs-send-time: RTP timestamps tell the receiver as much", () => {
  const forward = "delay=40 rate=220kbit qbytes=20k";
  const { receiver, sender, arrivedBytes } = call({ congestionFeedback: "goog-remb", absSendTime: false, forward });
  const kbps = arrivedBytes / 1250;
  assert.ok(kbps > 140 && kbps < 220, `${Math.round(kbps)} kbit/s arrived`);
  assert.ok(receiver.receiver.reporter.reports > 20, `${receiver.receiver.reporter.reports} reports`);
  // It began with 300.
  const { targetRate } = sender.sender!.controller;
  assert.ok(targetRate > 120_000 && targetRate < 250_000, `${targetRate}`);
});

test("a full congestion window is told to the encoder, which may drop frames for it", () => {
  const congestionWindow = { queueTime: 200_000, pushbackMin: 30_000, dropFrames: true };
  const made = new Call({ forward: LINK, backward: "delay=40", seed: 5, sender: { congestionWindow } });
  made.run(8000);
  assert.equal(made.windowReduction, 0);
  made.forward.set("rate=20kbit");
  made.run(9000);
  assert.ok(made.windowReduction > 0.2 && made.windowReduction < 1, `${made.windowReduction}`);
});
