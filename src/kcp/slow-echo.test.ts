import assert from "node:assert/strict";
import { test } from "node:test";
import { PeerDelay } from "./peer-delay.ts";
import { SlowEcho } from "./slow-echo.ts";

/** Segments 2 ms apart by the peer's clock, each `wait` longer under way than the quickest; the peer's clock is 5 s behind. */
function come(sent: number, waits: readonly number[], delay: PeerDelay, echo: SlowEcho): number {
  let at = sent;
  for (const [i, wait] of waits.entries()) {
    at = sent + 2 * i;
    delay.took(at + 5100 + wait, at);
    echo.took(at + 5100 + wait, at);
  }
  return at + 5100 + waits.at(-1)!;
}

test("where no queue fills, what came last is named", () => {
  const delay = new PeerDelay();
  const echo = new SlowEcho(delay);
  const now = come(1000, new Array(200).fill(3), delay, echo);
  assert.equal(echo.find(now), false);
});

test("after a burst that waited, a segment is named whose round trip is as long as that wait", () => {
  const delay = new PeerDelay();
  const echo = new SlowEcho(delay);
  come(1000, new Array(100).fill(0), delay, echo);
  // 40 segments that leave together, and a queue of up to 80 ms.
  come(
    1200,
    Array.from({ length: 40 }, (_, i) => i * 2),
    delay,
    echo,
  );
  const now = come(1500, new Array(100).fill(0), delay, echo);
  assert.equal(echo.find(now), true);
  const wait = now - echo.ts - 5100;
  assert.ok(wait >= 78 && wait < 78 + 20, `${wait} ms`);
});

test("what waited long ago is forgotten, and nothing is named that is much older than wanted", () => {
  const delay = new PeerDelay();
  const echo = new SlowEcho(delay);
  come(1000, [0, 0, 0, 90, 90], delay, echo);
  assert.equal(echo.find(7600), false, "after a pause all are older");
  come(4200, new Array(100).fill(0), delay, echo);
  const now = come(8000, new Array(100).fill(0), delay, echo);
  assert.equal(echo.find(now), false);
});
