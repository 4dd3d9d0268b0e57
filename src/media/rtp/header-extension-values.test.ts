/** The values inside header extensions: ranges, signs, golden bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SequenceUnwrapper } from "../../base/sequence-unwrapper.ts";
import { ABS_SEND_TIME_BITS, absSendTimeOf, millisOfAbsSendTime, readAbsSendTime, writeAbsSendTime } from "./abs-send-time.ts";
import { readAudioLevel, readVoiceActivity, writeAudioLevel } from "./audio-level.ts";
import { isIdentification, readIdentification, writeIdentification } from "./stream-identification.ts";
import { hexOf, viewOf } from "./testing/packet.ts";
import { readTransmissionOffset, writeTransmissionOffset } from "./transmission-offset.ts";
import {
  readTransportSequenceNumber,
  requestedCount,
  requestedTimes,
  writeFeedbackRequest,
  writeTransportSequenceNumber,
} from "./transport-sequence-number.ts";
import { type Rotation, readBackCamera, readFlip, readRotation, writeVideoOrientation } from "./video-orientation.ts";

const bytes = new Uint8Array(32);
const view = viewOf(bytes);

test("abs-send-time: 1 s is 0x040000, wraps at 64 s, and unwraps within 4 µs", () => {
  assert.equal(absSendTimeOf(1000), 0x040000);
  assert.equal(absSendTimeOf(64_000), 0);
  assert.equal(absSendTimeOf(63_999.999), 0, "the nearest tick is the wrap");
  const unwrapper = new SequenceUnwrapper(ABS_SEND_TIME_BITS);
  for (let now = 0; now < 200_000; now += 777.7) {
    writeAbsSendTime(view, 1, absSendTimeOf(now));
    assert.ok(Math.abs(millisOfAbsSendTime(unwrapper.unwrap(readAbsSendTime(view, 1))) - now) < 0.004);
  }
  writeAbsSendTime(view, 0, 0xabcdef);
  assert.equal(hexOf(bytes, 0, 3), "abcdef");
});

test("transport sequence number: the lower 16 bits, and the request of version 02", () => {
  writeTransportSequenceNumber(view, 0, 0x1ffff);
  writeFeedbackRequest(view, 0, 0x7ffe, true);
  assert.equal(hexOf(bytes, 0, 4), "fffffffe");
  assert.equal(readTransportSequenceNumber(view, 0), 0xffff);
  assert.deepEqual([requestedCount(view, 0), requestedTimes(view, 0)], [0x7ffe, true]);
  writeFeedbackRequest(view, 0, 5, false);
  assert.deepEqual([requestedCount(view, 0), requestedTimes(view, 0)], [5, false]);
});

test("transmission offset has a sign and is held at its ends", () => {
  for (const [offset, hex] of [
    [0, "000000"],
    [1, "000001"],
    [-1, "ffffff"],
    [-300, "fffed4"],
    [0x7fffff, "7fffff"],
    [-0x800000, "800000"],
  ] as const) {
    writeTransmissionOffset(view, 0, offset);
    assert.equal(hexOf(bytes, 0, 3), hex);
    assert.equal(readTransmissionOffset(view, 0), offset);
  }
  writeTransmissionOffset(view, 0, 1e9);
  assert.equal(readTransmissionOffset(view, 0), 0x7fffff);
});

test("audio level and video orientation keep their bits apart", () => {
  for (const level of [0, 1, 126, 127])
    for (const voice of [true, false]) {
      writeAudioLevel(view, 0, level, voice);
      assert.deepEqual([readAudioLevel(view, 0), readVoiceActivity(view, 0)], [level, voice]);
    }
  for (const rotation of [0, 90, 180, 270] satisfies Rotation[])
    for (const flip of [true, false])
      for (const back of [true, false]) {
        writeVideoOrientation(view, 0, rotation, flip, back);
        assert.deepEqual([readRotation(view, 0), readFlip(view, 0), readBackCamera(view, 0)], [rotation, flip, back]);
      }
  writeVideoOrientation(view, 0, 270, false, true);
  assert.equal(bytes[0], 0x0b);
});

test("mid and rid: tokens of 1…16 characters, compared in place", () => {
  writeIdentification(bytes, 2, "hi-1_a");
  assert.equal(readIdentification(bytes, 2, 8), "hi-1_a");
  assert.ok(isIdentification(bytes, 2, 8, "hi-1_a"));
  assert.ok(!isIdentification(bytes, 2, 8, "hi-1_b"));
  assert.ok(!isIdentification(bytes, 2, 7, "hi-1_a"));
  assert.equal(readIdentification(bytes, 2, 2), undefined);
  writeIdentification(bytes, 2, "sixteen-letters!x");
  assert.equal(readIdentification(bytes, 2, 18), "sixteen-letters!");
  assert.equal(readIdentification(bytes, 2, 19), undefined);
  writeIdentification(bytes, 2, "hi-1_a");
  for (const outside of [" ", '"', "(", ",", "/", ":", "@", "[", "]", "\x7f", "\x00", "é"]) {
    bytes[3] = outside.charCodeAt(0);
    assert.equal(readIdentification(bytes, 2, 8), undefined, JSON.stringify(outside));
  }
});
