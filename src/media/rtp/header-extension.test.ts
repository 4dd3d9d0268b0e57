import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { HeaderExtensions, HeaderExtensionWriter, ONE_BYTE, TWO_BYTE } from "./header-extension.ts";
import { RtpPacket } from "./rtp-packet.ts";
import { bytesOf, hexOf, viewOf } from "./testing/packet.ts";

/** "id:value" of each element of a packet with this extension. */
function elements(extension: string, reader = new HeaderExtensions()): string[] {
  const bytes = bytesOf(`90600001 00000002 00000003 ${extension} ffff`);
  const packet = new RtpPacket();
  assert.ok(packet.read(viewOf(bytes), 0, bytes.length));
  reader.open(packet);
  const found: string[] = [];
  while (reader.next(bytes)) found.push(`${reader.id}:${hexOf(bytes, reader.start, reader.end)}`);
  return found;
}

test("the one-byte example of RFC 8285: lengths 1, 2 and 4, with padding between", () => {
  assert.deepEqual(elements("bede0003 10aa 21bbcc 0000 33ddddeeee"), ["1:aa", "2:bbcc", "3:ddddeeee"]);
});

test("the two-byte example of RFC 8285: lengths 0, 1 and 4, with padding between; application bits change nothing", () => {
  for (const profile of ["1000", "1007", "100f"])
    assert.deepEqual(elements(`${profile}0003 0100 0201aa 00 0304 bbbbcccc`), ["1:", "2:aa", "3:bbbbcccc"]);
});

test("ID 15 ends the one-byte form, and so does a length without ID", () => {
  assert.deepEqual(elements("bede0002 10aa f1 10bb 000000"), ["1:aa"]);
  const reader = new HeaderExtensions();
  assert.deepEqual(elements("bede0002 10aa 01 10bb 000000", reader), ["1:aa"]);
  assert.equal(reader.damaged, 1);
});

test("an element longer than what is left is damage; those before it count", () => {
  const reader = new HeaderExtensions();
  assert.deepEqual(elements("bede0001 10aa 23bb", reader), ["1:aa"]);
  assert.deepEqual(elements("10000001 0101aa 02", reader), ["1:aa"]);
  assert.deepEqual(elements("10000001 0103aabb", reader), []);
  assert.equal(reader.damaged, 3);
});

test("other profiles and empty extensions have no elements", () => {
  assert.deepEqual(elements("abcd0001 10aa0000"), []);
  assert.deepEqual(elements("10100001 0101aa00"), []);
  assert.deepEqual(elements("bede0000"), []);
});

test("an element is found by its ID, the first of two", () => {
  const bytes = bytesOf("90600001 00000002 00000003 bede0002 10aa 50bb 10cc 0000");
  const packet = new RtpPacket();
  assert.ok(packet.read(viewOf(bytes), 0, bytes.length));
  const reader = new HeaderExtensions();
  assert.ok(reader.find(bytes, packet, 1));
  assert.equal(bytes[reader.start], 0xaa);
  assert.ok(reader.find(bytes, packet, 5));
  assert.equal(bytes[reader.start], 0xbb);
  assert.ok(!reader.find(bytes, packet, 9));
});

test("written: golden bytes of both forms", () => {
  for (const [form, golden] of [
    [ONE_BYTE, "91600001000000020000000300000004bede0002531122334410aa00"],
    [TWO_BYTE, "91600001000000020000000300000004100000030504112233440101aa000000"],
  ] as const) {
    const bytes = new Uint8Array(100);
    const view = viewOf(bytes);
    const packet = new RtpPacket();
    Object.assign(packet, { payloadType: 96, sequenceNumber: 1, timestamp: 2, ssrc: 3, csrcCount: 1 });
    packet.csrcs[0] = 4;
    packet.write(view, 0);
    const writer = new HeaderExtensionWriter();
    writer.begin(view, 0, 100, form);
    view.setUint32(writer.add(5, 4), 0x11223344);
    view.setUint8(writer.add(1, 1), 0xaa);
    assert.equal(hexOf(bytes, 0, writer.finish()), golden);
  }
});

test("elements that the form or the buffer cannot take are refused and counted", () => {
  const view = viewOf(new Uint8Array(100));
  const writer = new HeaderExtensionWriter();
  writer.begin(view, 0, 30, ONE_BYTE);
  for (const [id, length] of [
    [0, 1],
    [15, 1],
    [1, 0],
    [1, 17],
  ] as const)
    assert.equal(writer.add(id, length), -1);
  assert.equal(writer.add(1, 11), 17, "twelve bytes are left before the last whole word");
  assert.equal(writer.add(2, 1), -1);
  assert.equal(writer.finish(), 28);
  writer.begin(view, 0, 100, TWO_BYTE);
  for (const [id, length] of [
    [0, 1],
    [256, 1],
    [1, 256],
  ] as const)
    assert.equal(writer.add(id, length), -1);
  assert.equal(writer.refused, 8);
  assert.equal(writer.finish(), 12, "an extension without elements is none");
});

test("random elements come back as they were written", () => {
  const prng = new Prng(2);
  const bytes = new Uint8Array(2000);
  const view = viewOf(bytes);
  const packet = new RtpPacket();
  const writer = new HeaderExtensionWriter();
  const reader = new HeaderExtensions();
  for (let round = 0; round < 500; round++) {
    const twoByte = prng.chance(0.5);
    packet.csrcCount = prng.below(16);
    packet.write(view, 11);
    writer.begin(view, 11, 2000, twoByte ? TWO_BYTE : ONE_BYTE);
    const expected: string[] = [];
    for (let n = 1 + prng.below(6); n > 0; n--) {
      const id = 1 + prng.below(twoByte ? 255 : 14);
      const length = twoByte ? prng.below(256) : 1 + prng.below(16);
      const at = writer.add(id, length);
      for (let i = 0; i < length; i++) bytes[at + i] = prng.u32();
      expected.push(`${id}:${hexOf(bytes, at, at + length)}`);
    }
    const end = writer.finish();
    assert.ok(packet.read(view, 11, end));
    assert.equal(packet.payloadStart, end);
    reader.open(packet);
    for (const element of expected) {
      assert.ok(reader.next(bytes));
      assert.equal(`${reader.id}:${hexOf(bytes, reader.start, reader.end)}`, element);
    }
    assert.ok(!reader.next(bytes));
    assert.equal(reader.damaged, 0);
  }
});
