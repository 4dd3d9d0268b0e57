import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { extensionOffset, padRtp, RtpPacket } from "./rtp-packet.ts";
import { bytesOf, hexOf, viewOf } from "./testing/packet.ts";

/** Marker, payload type 96, sequence 0x1234, two CSRCs, an extension of another profile, three bytes of payload, padded by five. */
const GOLDEN = "b2e01234 89abcdef deadbeef 00000001 fffffffe abac0001 01020304 aabbcc 0000000005";

test("golden bytes read field by field, in the midst of a buffer", () => {
  const content = bytesOf(GOLDEN);
  const bytes = new Uint8Array(100).fill(0xff);
  bytes.set(content, 9);
  const packet = new RtpPacket();
  assert.ok(packet.read(viewOf(bytes), 9, 9 + content.length));
  assert.equal(packet.marker, true);
  assert.equal(packet.payloadType, 96);
  assert.equal(packet.sequenceNumber, 0x1234);
  assert.equal(packet.timestamp, 0x89abcdef);
  assert.equal(packet.ssrc, 0xdeadbeef);
  assert.deepEqual([...packet.csrcs.subarray(0, packet.csrcCount)], [1, 0xfffffffe]);
  assert.equal(packet.extensionProfile, 0xabac);
  assert.equal(hexOf(bytes, packet.extensionStart, packet.extensionEnd), "01020304");
  assert.equal(hexOf(bytes, packet.payloadStart, packet.payloadEnd), "aabbcc");
  assert.equal(packet.paddingBytes, 5);
});

test("a packet of padding alone is one, without an extension there is none", () => {
  const bytes = bytesOf("a0000001 00000002 00000003 000003");
  const packet = new RtpPacket();
  assert.ok(packet.read(viewOf(bytes), 0, bytes.length));
  assert.equal(packet.payloadEnd - packet.payloadStart, 0);
  assert.equal(packet.paddingBytes, 3);
  assert.equal(packet.extensionProfile, -1);
  assert.equal(packet.extensionEnd, packet.extensionStart);
});

test("damage is told apart and counted", () => {
  const packet = new RtpPacket();
  const read = (hex: string): boolean => {
    const bytes = bytesOf(hex);
    return packet.read(viewOf(bytes), 0, bytes.length);
  };
  assert.ok(!read(""));
  assert.ok(!read("80000001 00000002 000000"), "shorter than a header");
  assert.ok(!read("82000001 00000002 00000003 00000004"), "a CSRC is missing");
  assert.ok(!read("90000001 00000002 00000003 bede00"), "no room for the extension's length");
  assert.ok(!read("90000001 00000002 00000003 bede0002 00000000"), "the extension is cut short");
  assert.equal(packet.stats.damagedHeaders, 5);
  assert.ok(!read("40000001 00000002 00000003"));
  assert.ok(!read("00000001 00000002 00000003"));
  assert.equal(packet.stats.damagedVersions, 2);
  assert.ok(!read("a0000001 00000002 00000003 00"), "padding of no bytes");
  assert.ok(!read("a0000001 00000002 00000003 0003"), "padding reaches into the header");
  assert.ok(!read("b0000001 00000002 00000003 bede0001 00000002 01ff"), "padding reaches into the extension");
  assert.equal(packet.stats.damagedPadding, 3);
  assert.equal(packet.stats.packets, 10);
  assert.ok(read("80000001 00000002 00000003"), "and goes on");
});

test("what is written is read back: 2000 random packets", () => {
  const prng = new Prng(1);
  const bytes = new Uint8Array(300);
  const view = viewOf(bytes);
  const packet = new RtpPacket();
  const other = new RtpPacket();
  for (let i = 0; i < 2000; i++) {
    prng.fill(bytes);
    packet.marker = prng.chance(0.5);
    packet.payloadType = prng.below(128);
    packet.sequenceNumber = prng.below(65_536);
    packet.timestamp = prng.u32();
    packet.ssrc = prng.u32();
    packet.csrcCount = prng.below(16);
    for (let k = 0; k < packet.csrcCount; k++) packet.csrcs[k] = prng.u32();
    const payload = packet.write(view, 5);
    assert.equal(payload, extensionOffset(view, 5));
    const payloadEnd = payload + prng.below(50);
    const end = prng.chance(0.5) ? padRtp(view, 5, payloadEnd, 1 + prng.below(100)) : payloadEnd;
    assert.ok(other.read(view, 5, end));
    for (const field of ["marker", "payloadType", "sequenceNumber", "timestamp", "ssrc", "csrcCount"] as const)
      assert.equal(other[field], packet[field], `${field} of packet ${i}`);
    assert.deepEqual(other.csrcs.subarray(0, other.csrcCount), packet.csrcs.subarray(0, packet.csrcCount));
    assert.deepEqual([other.payloadStart, other.payloadEnd, other.paddingBytes], [payload, payloadEnd, end - payloadEnd]);
  }
});
