import assert from "node:assert/strict";
import { test } from "node:test";
import { inOwnProcess } from "../../test/own-process.ts";
import { seqAdd } from "../base/seq.ts";
import { kernels } from "../kernel/kernels.ts";
import { FASTACK, NEXT, PLACE_WORDS, SendWindow, SN } from "./send-window.ts";

const mss = 100;

/** A window that wraps around 2^32, with `queued` full segments of which byte 0 is the number modulo 256. */
function windowOf(queued: number): SendWindow {
  const window = new SendWindow(mss, 4096, 32, 24, 0xfffffffa);
  append(window, queued);
  return window;
}

function append(window: SendWindow, segments: number): boolean {
  const grew = window.expect(segments * mss);
  for (let k = 0; k < segments; k++) window.push(new Uint8Array(mss).fill(window.tail), 0, mss);
  return grew;
}

function launch(window: SendWindow, segments: number): void {
  for (let k = 0; k < segments; k++) window.launch(window.nxt & window.mask);
}

function inFlight(window: SendWindow): number[] {
  const sns: number[] = [];
  for (let i = window.first; i !== -1; i = window.links[PLACE_WORDS * i + NEXT]!) sns.push(seqAdd(window.words[PLACE_WORDS * i + SN]!, 6));
  return sns;
}

test("a ring that grows keeps every segment, its payload and what is known of it", () => {
  const window = windowOf(12);
  launch(window, 10);
  for (const sn of [1, 4, 8]) assert.equal(window.acknowledge(seqAdd(sn, -6)), mss);
  window.overtake(seqAdd(8, -6), 0, 2);
  assert.equal(window.mask, 15);
  assert.ok(append(window, 700), "it grows");
  assert.ok(window.mask >= 711, `${window.mask + 1} places`);

  assert.deepEqual(inFlight(window), [0, 2, 3, 5, 6, 7, 9]);
  launch(window, 400);
  assert.equal(window.inFlight, 410);
  const payload = new Uint8Array(mss);
  for (let sn = window.una; sn !== window.tail; sn = seqAdd(sn, 1)) {
    const i: number = sn & window.mask;
    assert.equal(window.words[PLACE_WORDS * i + SN], sn);
    assert.equal(window.words[PLACE_WORDS * i + FASTACK], [0, 2, 3, 5, 6, 7].includes(seqAdd(sn, 6)) ? 1 : 0);
    if ([1, 4, 8].includes(seqAdd(sn, 6))) continue;
    window.copyPayload(i, payload, 0);
    assert.ok(
      payload.every((byte) => byte === (sn & 255)),
      `segment ${sn}`,
    );
  }
  assert.equal(window.acknowledge(seqAdd(4, -6)), 0, "acknowledged before it grew");
  assert.equal(window.slide(seqAdd(410, -6)), (410 - 3) * mss);
  assert.deepEqual(inFlight(window), []);
});

// The memory that kernels share is full where many tests run in one process.
inOwnProcess(import.meta.url, () => {
  test("memory follows what is used, and a window at rest has given it back", () => {
    const window = windowOf(0);
    assert.ok(window.bytesHeld < 1000, `${window.bytesHeld} bytes before the first segment`);
    let held = 0;
    for (let i = 0; i < 10; i++) {
      window.expect(10);
      window.push(new Uint8Array(10), 0, 10);
      held ||= window.bytesHeld;
    }
    assert.equal(window.bytesHeld, held, "what fits into the last segment takes no other slot");
    launch(window, 1);
    window.slide(window.nxt);
    const before = kernels()!.take(64);
    kernels()!.give(before, 64);
    for (let round = 0; round < 50; round++) {
      append(window, 2000);
      assert.ok(window.bytesHeld >= 2000 * mss);
      launch(window, 2000);
      window.slide(window.nxt);
      window.rest();
      assert.ok(window.bytesHeld < 1000, `${window.bytesHeld} bytes at rest`);
    }
    const after = kernels()!.take(64);
    kernels()!.give(after, 64);
    assert.ok(after - before < 2 ** 20, "regions that were given back are used again");
  });
});
