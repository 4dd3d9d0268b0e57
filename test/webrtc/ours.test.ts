/** That it is our feedback which a real libwebrtc gets and follows, and that nothing of werift's above ICE, DTLS and SRTP is ever called. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const missing = existsSync(join(root, "node_modules/@roamhq/wrtc")) ? false : "no @roamhq/wrtc";

test("libwebrtc publishes to us and is steered by our feedback alone", { skip: missing }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, "test/webrtc/ours.ts")], { timeout: 45_000 });
  const seen = JSON.parse(stdout.trim().split("\n").at(-1)!);
  for (const [call, count] of Object.entries(seen.calls)) assert.equal(count, 0, `werift's ${call} was called`);
  assert.ok(Object.keys(seen.calls).length >= 8);
  assert.ok(seen.received.packets > 5, `${seen.received?.packets} packets came`);
  assert.ok(seen.feedback > 0, `${seen.feedback} messages of feedback`);
  assert.equal(seen.identical, seen.feedback, "our writer makes the same bytes");
  assert.equal(seen.reports, seen.feedback);
  assert.ok(seen.availableKbps > 600, `${seen.availableKbps} kbit/s`);
});
