import assert from "node:assert/strict";
import { test } from "node:test";
import { AlrDetector } from "./alr-detector.ts";

const ESTIMATE = 300_000;

/** Sends `share` of the estimate for `ms`, one packet every 10 ms. */
function send(alr: AlrDetector, from: number, ms: number, share: number): number {
  let now = from;
  for (let t = 0; t < ms; t += 10) {
    now += 10_000;
    alr.onBytesSent((ESTIMATE * share * 10_000) / 8e6, now);
  }
  return now;
}

// Source of the figures: libwebrtc 2026 alr_detector_unittest (20 % use for 1.5 s starts it, 60 % keeps it, 100 % ends it).
test("little use begins the region, full use ends it, what lies between changes nothing", () => {
  const alr = new AlrDetector();
  alr.setEstimate(ESTIMATE);
  assert.equal(alr.limited, false);
  let now = send(alr, 0, 1500, 0.2);
  assert.equal(alr.limited, true);
  const since = alr.startTime;
  now = send(alr, now, 1000, 0.6);
  assert.equal(alr.limited, true);
  assert.equal(alr.startTime, since);
  send(alr, now, 2000, 1);
  assert.equal(alr.limited, false);
});

test("a short spike does not end it", () => {
  const alr = new AlrDetector();
  alr.setEstimate(ESTIMATE);
  let now = send(alr, 0, 1000, 0.2);
  assert.equal(alr.limited, true);
  now = send(alr, now, 100, 1.5);
  assert.equal(alr.limited, true);
  send(alr, now, 1000, 0.2);
  assert.equal(alr.limited, true);
});

test("a higher estimate makes the same use little, a lower one makes it much", () => {
  const alr = new AlrDetector();
  alr.setEstimate(ESTIMATE);
  let now = send(alr, 0, 2000, 1);
  assert.equal(alr.limited, false);
  alr.setEstimate(ESTIMATE * 5);
  now = send(alr, now, 2000, 1);
  assert.equal(alr.limited, true);
  alr.setEstimate(ESTIMATE / 5);
  send(alr, now, 2000, 0.5);
  assert.equal(alr.limited, false);
});
