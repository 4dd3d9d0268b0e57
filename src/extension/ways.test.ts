import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import type { Millis } from "../base/units.ts";
import { PROBE_BYTES, readProbe } from "./way-message.ts";
import { Ways } from "./ways.ts";

interface Path {
  readonly rtt: Millis;
  readonly loss?: number;
  /** Nothing gets through from then on. */
  readonly deadAt?: Millis;
}

/** A client that sends on the active way every 10 ms and hears of it a round trip later; `pauses`: when our end, or theirs, does nothing, and from when on most is lost. */
function run(
  paths: readonly Path[],
  until: Millis,
  pauses: { ours?: readonly [Millis, Millis]; theirs?: readonly [Millis, Millis]; lossyFrom?: Millis; odd?: Millis } = {},
) {
  const ways = new Ways(1, new Uint8Array(8), paths.length);
  const bytes = new Uint8Array(PROBE_BYTES);
  const view = new DataView(bytes.buffer);
  const random = new Prng(7);
  let delivery = { transmissions: 0, lost: 0, deliveredBytes: 0 };
  const moves: { at: Millis; to: number }[] = [];
  let coming: { at: Millis; way: number; n: number }[] = [];
  const send = (now: Millis, way: number, n: number): void => {
    const { rtt, loss = 0, deadAt = Number.POSITIVE_INFINITY } = paths[way]!;
    if (now >= deadAt || random.float() < loss) return;
    const there = now + rtt / 2;
    const [from, to] = pauses.theirs ?? [0, 0];
    const answered = there >= from && there < to ? to : there;
    if (answered < deadAt) coming.push({ at: answered + rtt / 2, way, n });
  };
  for (let now = 0; now < until; now++) {
    const [from, to] = pauses.ours ?? [0, 0];
    if (now >= from && now < to) continue;
    const due = coming.filter(({ at }) => at <= now);
    coming = coming.filter(({ at }) => at > now);
    for (const { way, n } of due) n < 0 ? ways.seen(now, way) : ways.heard(now, { way, n, loss: 0 });
    if (now % 10 === 0) {
      ways.busy(now, now / 5);
      send(now, ways.active, -1);
    }
    if (due.length === 0 && now % 10 !== 0 && now < ways.deadline()) continue;
    const lossy = now >= (pauses.lossyFrom ?? Number.POSITIVE_INFINITY);
    if (lossy) ways.ways[0]!.rttvar = pauses.odd ?? 0;
    if (lossy) delivery = { ...delivery, transmissions: delivery.transmissions + 4, lost: delivery.lost + 3 };
    if (ways.advance(now, delivery)) moves.push({ at: now, to: ways.active });
    while (ways.probing >= 0) {
      const way = ways.probing;
      ways.transmit(now, bytes, view, 0);
      send(now, way, readProbe(bytes, view, 0, PROBE_BYTES)!.n);
    }
  }
  return { moves, ways };
}

test("a way that dies is left a round trip and less than 100 ms after the last that came, whatever its round trip", () => {
  for (const rtt of [10, 60, 200]) {
    const { moves } = run([{ rtt, deadAt: 3000 }, { rtt: 80 }], 4000);
    assert.equal(moves.length, 1, `${rtt}: ${JSON.stringify(moves)}`);
    // What was on its way when it died: answers for half a round trip more.
    assert.ok(moves[0]!.at - 3000 <= Math.max(rtt, 80) + 100, `${rtt}: ${moves[0]!.at - 3000} ms`);
  }
});

test("an end that does nothing for a while, ours or theirs, is no silence of a way", () => {
  for (const end of ["ours", "theirs"])
    assert.deepEqual(run([{ rtt: 60 }, { rtt: 80 }], 6000, { [end]: [3000, 3400] }).moves, [], `${end} pauses`);
});

test("what loses most of what is sent is not left for a way that is dead, however late it might have answered", () => {
  // A machine that was busy made the dead one's answers so odd that it would be waited for.
  const { moves } = run([{ rtt: 60, deadAt: 3000 }, { rtt: 80 }], 4500, { lossyFrom: 3200, odd: 300 });
  assert.deepEqual(
    moves.map(({ to }) => to),
    [1],
    JSON.stringify(moves),
  );
});

test("losses of 5 % make nobody change his way", () => {
  assert.deepEqual(run([{ rtt: 60, loss: 0.05 }, { rtt: 80 }], 20_000).moves, []);
});

test("what much is said about is probed more often, and what is not said about hardly", () => {
  const { ways } = run([{ rtt: 60 }, { rtt: 80 }], 1000);
  assert.ok(ways.ways[0]!.probes >= 19 && ways.ways[0]!.probes <= 30, `${ways.ways[0]!.probes}`);
  const much = new Ways(1, new Uint8Array(8), 2);
  const bytes = new Uint8Array(PROBE_BYTES);
  for (let now = 0; now < 1000; now += 5) {
    much.busy(now, now);
    much.advance(now, { transmissions: 0, lost: 0, deliveredBytes: 0 });
    while (much.probing >= 0) much.transmit(now, bytes, new DataView(bytes.buffer), 0);
  }
  assert.ok(much.ways[0]!.probes >= 35 && much.ways[0]!.probes <= 52, `${much.ways[0]!.probes}`);
});
