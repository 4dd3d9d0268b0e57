/** Arithmetic of reference/gcc.md C4. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AcknowledgedBitrate } from "./acknowledged-bitrate.ts";
import { ConstantRates } from "./testing/constant-rates.ts";

test("the first sample takes 500 ms, and is the mean", () => {
  const rates = new ConstantRates();
  const bitrate = new AcknowledgedBitrate();
  bitrate.receive(rates.feedback(50, 1000, 100_000, 100_000));
  assert.equal(bitrate.rate, undefined, "50 packets span 490 ms");
  bitrate.receive(rates.feedback(1, 1000, 100_000, 100_000));
  assert.equal(bitrate.rate, 800_000);
});

test("each further sample takes 150 ms and is weighed by how far it lies from the mean", () => {
  const rates = new ConstantRates();
  const bitrate = new AcknowledgedBitrate();
  bitrate.receive(rates.feedback(51, 1000, 100_000, 100_000));
  bitrate.receive(rates.feedback(15, 2000, 200_000, 200_000));
  // The window began with the packet that ended the last one: 1000 bytes of the old size, 14 of the new.
  const sample = ((1000 + 14 * 2000) * 8) / 150;
  const uncertainty = ((10 * (sample - 800)) / 800) ** 2;
  const expected = (uncertainty * 800 + 55 * sample) / (uncertainty + 55);
  assert.ok(Math.abs((bitrate.rate ?? 0) - expected * 1000) < 1e-6, `${bitrate.rate}, not ${expected * 1000}`);
});

test("after the application was idle the mean follows faster", () => {
  const rates = new ConstantRates();
  const bitrate = new AcknowledgedBitrate();
  bitrate.receive(rates.feedback(51, 1000, 100_000, 100_000));
  bitrate.alrEnded(rates.sendClock - 1);
  bitrate.receive(rates.feedback(15, 2000, 200_000, 200_000));
  const sample = ((1000 + 14 * 2000) * 8) / 150;
  const uncertainty = ((10 * (sample - 800)) / 800) ** 2;
  const expected = (uncertainty * 800 + 255 * sample) / (uncertainty + 255);
  assert.ok(Math.abs((bitrate.rate ?? 0) - expected * 1000) < 1e-6, `${bitrate.rate}, not ${expected * 1000}`);
});

test("silence longer than a window, and a clock set back, begin the window anew", () => {
  const rates = new ConstantRates();
  const bitrate = new AcknowledgedBitrate();
  bitrate.receive(rates.feedback(51, 1000, 100_000, 100_000));
  rates.receiveClock -= 2_000_000;
  bitrate.receive(rates.feedback(15, 1000, 100_000, 100_000));
  assert.equal(bitrate.rate, 800_000, "140 ms since the clock was set");
  rates.receiveClock += 10_000_000;
  bitrate.receive(rates.feedback(1, 1000, 100_000, 100_000));
  assert.equal(bitrate.rate, 800_000, "what came before the silence is no sample");
});
