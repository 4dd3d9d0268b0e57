import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { newForwardStats } from "./datapath.ts";
import { type Forward, parseForward } from "./forward.ts";
import { SipMedia } from "./sip-media.ts";
import { ipPacket } from "./userspace/ip-packet.ts";

const sip: Forward = parseForward(
  { name: "sip", listen: "192.0.2.1:5060", to: ["10.0.0.1:5060", "10.0.0.2:5060"], sip: true, deny: ["203.0.113.0/24"], idle: 40 },
  "",
);

function message(sdp: readonly string[], from = "10.0.0.1", port = 5060, start = "SIP/2.0 200 OK"): Uint8Array {
  const body = ["v=0", "o=- 1 1 IN IP4 10.0.0.1", "s=-", ...sdp, ""].join("\r\n");
  const text = [start, "Via: SIP/2.0/UDP 192.0.2.9", "Content-Type: application/sdp", `Content-Length: ${body.length}`, "", body].join(
    "\r\n",
  );
  return ipPacket({ host: from, port }, { host: "192.0.2.9", port: 5060 }, Buffer.from(text), 65_535).bytes;
}

const learnt = (media: SipMedia): string[] => media.forwards.map(({ text }) => text);
const of = (port: number): string =>
  `{"name":"sip:${port}","listen":"192.0.2.1:${port}","to":["10.0.0.1"],"idle":40,"deny":["203.0.113.0/24"]}`;

test("ports of SDP, with RTCP beside, muxed, or where it is said to be, lead to the backend that named them", () => {
  for (const [sdp, ports] of [
    [
      ["c=IN IP4 192.0.2.1", "t=0 0", "m=audio 20000 RTP/AVP 0"],
      [20_000, 20_001],
    ],
    [["t=0 0", "m=audio 20000 RTP/AVP 0", "c=IN IP4 192.0.2.1", "a=rtcp-mux"], [20_000]],
    [
      ["c=IN IP4 192.0.2.1", "t=0 0", "m=audio 20000 RTP/AVP 0", "a=rtcp:20007 IN IP4 192.0.2.1", "m=video 0 RTP/AVP 96"],
      [20_000, 20_007],
    ],
    [["c=IN IP4 192.0.2.1", "t=0 0", "m=audio 20000 RTP/AVP 0", "a=rtcp-mux", "m=video 20002 RTP/AVP 96", "c=IN IP4 10.0.0.1"], [20_000]],
  ] as const) {
    const media = new SipMedia();
    assert.equal(media.packet(sip, message(sdp), 0), true);
    assert.deepEqual(learnt(media), ports.map(of));
    assert.equal(media.packet(sip, message(sdp), 0), false, "known already");
  }
});

test("nothing is learnt from clients, of other addresses, or from what is no SIP with SDP", () => {
  const media = new SipMedia();
  const good = ["c=IN IP4 192.0.2.1", "t=0 0", "m=audio 20000 RTP/AVP 0"];
  for (const packet of [
    message(good, "192.0.2.9"),
    message(good, "10.0.0.1", 5061),
    message(["c=IN IP4 10.0.0.1", "t=0 0", "m=audio 20000 RTP/AVP 0"]),
    message(["c=IN IP4 192.0.2.1", "t=0 0", "m=audio 80 RTP/AVP 0"]),
    message(good, "10.0.0.1", 5060, "HTTP/1.1 200 OK"),
    message(good).subarray(0, 60),
  ])
    assert.equal(media.packet(sip, packet, 0), false);
  assert.equal(media.counters.sipElsewhere, 1);
  assert.deepEqual(learnt(media), []);
});

test("what has no flow for a minute is closed; flows and new descriptions keep it; without its parent it goes at once", () => {
  const media = new SipMedia();
  const packet = message(["c=IN IP4 192.0.2.1", "t=0 0", "m=audio 20000 RTP/AVP 0", "a=rtcp-mux"]);
  const parents = new Set(["sip"]);
  media.packet(sip, packet, 0);
  const stats = (flows: number) => ({ forwards: new Map([["sip:20000", { ...newForwardStats(), flows }]]), counters: {} });
  assert.equal(media.sweep(stats(1), parents, 59_000), false);
  assert.equal(media.sweep(stats(0), parents, 118_000), false);
  media.packet(sip, packet, 118_500);
  assert.equal(media.sweep(stats(0), parents, 178_000), false);
  assert.equal(media.sweep(stats(0), parents, 179_000), true);
  assert.equal(media.forwards.length, 0);
  media.packet(sip, packet, 0);
  assert.equal(media.sweep(stats(1), new Set(), 1), true);
});

test("damaged packets are passed over", () => {
  const media = new SipMedia();
  const whole = message(["c=IN IP4 192.0.2.1", "t=0 0", "m=audio 20000 RTP/AVP 0"]);
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Prng(seed);
    const packet = Uint8Array.from(whole.subarray(0, random.below(whole.length + 1)));
    for (let n = random.below(8); n > 0 && packet.length > 0; n--) packet[random.below(packet.length)] = random.below(256);
    assert.doesNotThrow(() => media.packet(sip, packet, 0), `seed ${seed}`);
  }
});
