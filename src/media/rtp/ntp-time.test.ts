import assert from "node:assert/strict";
import { test } from "node:test";
import { compactDuration, compactNtp, millisOfCompact, ntpFraction, ntpSeconds, unixMillisOf } from "./ntp-time.ts";

test("the example of RFC 3550 figure 2: SR at 0xb44db705:20000000, heard back 5.25 s later", () => {
  const sent = compactNtp(0xb44db705, 0x20000000);
  assert.equal(sent, 0xb7052000);
  assert.equal(millisOfCompact(0xb7108000 - sent - 0x00054000), 6125);
  assert.equal(compactDuration(5250), 0x00054000);
});

test("known times: the Unix epoch, and one in 2026", () => {
  assert.equal(ntpSeconds(0), 0x83aa7e80);
  assert.equal(ntpFraction(0), 0);
  assert.equal(ntpSeconds(1_795_238_400_500), 1_795_238_400 + 2_208_988_800);
  assert.equal(ntpFraction(1_795_238_400_500), 0x80000000);
});

test("Unix time goes there and back, before and after the era ends in 2036", () => {
  for (const millis of [0, 1, 1_795_238_400_123, 2_085_978_495_999, 2_085_978_496_001, 3_000_000_000_250]) {
    const back = unixMillisOf(ntpSeconds(millis), ntpFraction(millis));
    assert.ok(Math.abs(back - millis) < 0.001, `${millis} comes back as ${back}`);
  }
});

test("a duration is held within its 32 bits", () => {
  assert.equal(compactDuration(-5), 0);
  assert.equal(compactDuration(1e12), 0xffffffff);
});
