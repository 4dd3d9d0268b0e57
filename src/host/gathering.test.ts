import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { Gathering } from "./gathering.ts";
import { EpollLoop } from "./loop-epoll.ts";
import { onEpoll, udpHandler } from "./testing/each-loop.ts";

/** Looks `looks` times, every `everyMs`, at `fresh` new messages each; answers the pauses. */
function pauses(looks: number, everyMs: Millis, fresh: number, gathering = new Gathering(), from: Millis = 1000): Millis[] {
  return Array.from({ length: looks }, (_, i) => gathering.pause(from + i * everyMs, (i + 1) * fresh));
}

test("what comes one by one at 200,000 a second is let gather, for 0.05 to 0.3 ms", () => {
  const all = pauses(100, 0.01, 2);
  const first = all.findIndex((pause) => pause > 0);
  assert.ok(first >= 31 && first < 40, `after ${2 * (first + 1)} messages`);
  for (const pause of all.slice(first)) assert.ok(pause >= 0.05 && pause <= 0.3, `${pause} ms`);
});

test("pings, bursts of a frame, full rounds and 15 a millisecond wait for nothing", () => {
  assert.ok(
    pauses(1000, 0.1, 1).every((pause) => pause === 0),
    "a ping-pong",
  );
  assert.ok(
    pauses(100, 33, 60).every((pause) => pause === 0),
    "a frame of 60 packets each 33 ms",
  );
  assert.ok(
    pauses(100, 0.2, 100).every((pause) => pause === 0),
    "rounds that are full already",
  );
  assert.ok(
    pauses(100, 0.2, 3).every((pause) => pause === 0),
    "15 a millisecond",
  );
});

test("when the stream has ended the next datagram waits for nothing", () => {
  const gathering = new Gathering();
  assert.ok(pauses(100, 0.01, 2, gathering).at(-1)! > 0);
  assert.equal(gathering.pause(1003, 201), 0);
});

/** A clock that says how fast the rounds follow each other. */
class SteppedLoop extends EpollLoop {
  stepMs: Millis = 0.01;
  #now: Millis = 1000;
  override now(): Millis {
    this.#now += this.stepMs;
    return this.#now;
  }
}

for (const [stepMs, busy] of [
  [0.01, true],
  [1, false],
] as const) {
  onEpoll(
    `a loop ${busy ? "pauses" : "does not pause"} where datagrams come each ${stepMs} ms, and none is lost`,
    async (loop) => {
      (loop as SteppedLoop).stepMs = stepMs;
      let received = 0;
      const receive = (_now: Millis, batch: Batch): void => {
        received += batch.length;
      };
      // Each datagram a message of its own.
      const at = { host: "127.0.0.1", port: 0, segmentation: false };
      const to = loop.udp(at, udpHandler({ receive }));
      const from = loop.udp(at, udpHandler());
      const batch = new Batch(4);
      batch.peer.fill(from.addresses.intern("127.0.0.1", to.local.port));
      batch.length = 4;
      batch.end.fill(100);
      for (let round = 0; round < 40; round++) {
        from.send(batch, 0);
        loop.round(50);
      }
      assert.equal(received, 160);
      assert.equal(loop.counters.pauses > 0, busy, `${loop.counters.pauses} pauses`);
    },
    () => new SteppedLoop(),
  );
}
