import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, duration, millis, percent } from "./quantity.ts";

test("amounts have three digits and a letter, and never more than five characters", () => {
  const shown = [0, 7, 999, 999.6, 1000, 1234, 9994, 9996, 12_345, 99_949, 99_960, 123_456, 999_499, 999_500, 1.5e9, 2e18, -1500].map(
    amount,
  );
  assert.deepEqual(shown, [
    ...["0", "7", "999", "1.00k", "1.00k", "1.23k", "9.99k", "10.0k", "12.3k", "99.9k", "100k", "123k", "999k", "1.00M", "1.50G", "2.00E"],
    "-1.50k",
  ]);
  for (let value = 1; value < 1e18; value *= 1.37) assert.ok(amount(value).length <= 5, `${value}: ${amount(value)}`);
  assert.equal(amount(Number.NaN), "-");
});

test("shares, milliseconds, durations", () => {
  assert.deepEqual([0, 0.004, 0.0994, 0.0996, 0.5, 1, Number.NaN].map(percent), ["0%", "0.4%", "9.9%", "10%", "50%", "100%", "-"]);
  assert.deepEqual([0, 0.44, 3, 205.4, 9999, 12_345, Number.NaN].map(millis), ["0", "0.4", "3", "205", "9999", "12.3s", "-"]);
  assert.deepEqual([0, 59.9, 60, 3599, 3600, 86_399, 86_400, 99 * 86_400, 100 * 86_400].map(duration), [
    "0s",
    "59s",
    "1m00",
    "59m59",
    "1h00",
    "23h59",
    "1d00h",
    "99d00h",
    "100d",
  ]);
});
