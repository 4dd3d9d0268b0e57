import assert from "node:assert/strict";
import { test } from "node:test";
import { RtcpCompound } from "./rtcp-compound.ts";
import { isRtcp, padRtcp, putRtcpHeader } from "./rtcp-header.ts";
import { bytesOf, viewOf } from "./testing/packet.ts";

const RR_EMPTY = "80c90001 00000001";
const PLI = "81ce0002 00000001 00000002";

/** "packet type/count:bytes behind the header" of each packet. */
function walk(hex: string, rtcp = new RtcpCompound()): string[] {
  const bytes = bytesOf(hex);
  rtcp.open(bytes, viewOf(bytes), 0, bytes.length);
  const found: string[] = [];
  while (rtcp.next()) found.push(`${rtcp.packetType}/${rtcp.count}:${rtcp.end - rtcp.body}`);
  assert.ok(!rtcp.next(), "the end stays the end");
  return found;
}

test("a compound packet is walked to its end; unknown types are passed over by the caller", () => {
  const rtcp = new RtcpCompound();
  assert.deepEqual(walk(`${RR_EMPTY}${PLI}84fe0000 80cc0002 00000001 61626364`, rtcp), ["201/0:4", "206/1:8", "254/4:0", "204/0:8"]);
  assert.deepEqual(rtcp.stats, { datagrams: 1, packets: 4, damagedHeaders: 0, damagedBodies: 0, notCompound: 0 });
});

test("reduced size is taken, or counted and dropped", () => {
  assert.deepEqual(walk(PLI), ["206/1:8"]);
  const strict = new RtcpCompound({ reducedSize: false });
  assert.deepEqual(walk(PLI, strict), []);
  assert.deepEqual(walk(RR_EMPTY + PLI, strict), ["201/0:4", "206/1:8"]);
  assert.equal(strict.stats.notCompound, 1);
});

test("padding is taken off, of whole words and of less", () => {
  assert.deepEqual(walk("a1ce0003 00000001 00000002 00000004"), ["206/1:8"]);
  assert.deepEqual(walk("a1ce0002 00000001 00000001"), ["206/1:7"]);
  assert.deepEqual(walk("a1ce0003 00000001 00000002 0000000c"), ["206/1:0"]);
});

test("what was before damage counts, and every damage is counted once", () => {
  const rtcp = new RtcpCompound();
  for (const damage of ["01c90000", "c0c90000", "80c90001", "80", "80c900", "a0c90001 00000000", "a0c90001 00000005", "a0c90000"])
    assert.deepEqual(walk(RR_EMPTY + damage, rtcp), ["201/0:4"], damage);
  assert.equal(rtcp.stats.damagedHeaders, 8);
  for (const tooShort of ["", "80c9"]) assert.deepEqual(walk(tooShort, rtcp), []);
  assert.equal(rtcp.stats.damagedHeaders, 10);
  assert.equal(rtcp.stats.packets, 8);
  assert.equal(rtcp.stats.datagrams, 10);
});

test("padRtcp makes a block of the last packet", () => {
  const bytes = new Uint8Array(64).fill(0xee);
  const view = viewOf(bytes);
  putRtcpHeader(view, 0, 0, 201, 8);
  putRtcpHeader(view, 8, 1, 206, 12);
  assert.equal(padRtcp(view, 8, 20, 12), 32);
  const rtcp = new RtcpCompound();
  rtcp.open(bytes, view, 0, 32);
  assert.ok(rtcp.next() && rtcp.next());
  assert.equal(rtcp.end - rtcp.body, 8);
  assert.ok(!rtcp.next());
  assert.equal(rtcp.stats.damagedHeaders, 0);
});

test("RTCP and RTP on one port: packet types 192…223 are RTCP", () => {
  const isIt = (second: number): boolean => isRtcp(Uint8Array.of(0x80, second, 0, 0), 0, 4);
  assert.deepEqual([191, 192, 200, 206, 223, 224, 96, 128 + 96].map(isIt), [false, true, true, true, true, false, false, false]);
  assert.ok(!isRtcp(Uint8Array.of(0x80, 200, 0), 0, 3));
});
