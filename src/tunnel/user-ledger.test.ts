import assert from "node:assert/strict";
import { test } from "node:test";
import type { SharedRate } from "./shared-rate.ts";
import { User } from "./user.ts";
import { DEMAND_UP, RECEIVED, SESSIONS, UserLedger } from "./user-ledger.ts";

const limits = { sessions: 0, streams: 0, rateup: 0, ratedown: 0, quota: 0 };

function threads(count: number): UserLedger[] {
  const memory = new SharedArrayBuffer(UserLedger.bytesFor(3, count));
  return Array.from({ length: count }, (_, thread) => new UserLedger(count, thread, memory));
}

test("threads see what the others have, and what was before; rows do not touch", () => {
  const [one, two] = threads(2) as [UserLedger, UserLedger];
  one.write(1, SESSIONS, 2);
  two.write(1, SESSIONS, 3);
  two.write(2, SESSIONS, 100);
  one.writePast(1, 1000, 500);
  one.write(1, RECEIVED, 7);
  assert.deepEqual([one.elsewhere(1, SESSIONS), two.elsewhere(1, SESSIONS), one.elsewhere(0, SESSIONS)], [3, 2, 0]);
  assert.deepEqual([one.elsewhere(1, RECEIVED), two.elsewhere(1, RECEIVED), one.total(1, RECEIVED)], [1000, 1007, 1007]);
  const own = new UserLedger();
  own.reach(40);
  own.write(40, SESSIONS, 1);
  own.reach(4000);
  assert.deepEqual([own.total(40, SESSIONS), own.elsewhere(40, SESSIONS)], [1, 0]);
});

test("a limit on sessions, and a quota, count what other threads have", () => {
  const [one, two] = threads(2) as [UserLedger, UserLedger];
  const user = new User(0, "ann", { ...limits, sessions: 2, quota: 10_000 }, one, 1);
  assert.equal(user.refusesSession(), undefined);
  two.write(1, SESSIONS, 2);
  assert.equal(user.refusesSession(), "sessions");
  two.write(1, SESSIONS, 0);
  two.writePast(1, 4000, 5000);
  assert.deepEqual([user.overQuota, user.refusesSession()], [false, undefined]);
  two.write(1, RECEIVED, 1000);
  assert.deepEqual([user.overQuota, user.refusesSession(), user.report().usedBytes], [true, "quota", 10_000]);
});

test("a rate is shared out by demand: all of it to the only one, halves to two that wait, the rest to the one beside a modest one", () => {
  const ledgers = threads(3);
  const share = (thread: number): number => Math.round(ledgers[thread]!.shareOf(0, DEMAND_UP, 64_000));
  assert.equal(share(0), 64_000);
  ledgers[0]!.write(0, DEMAND_UP, Number.POSITIVE_INFINITY);
  ledgers[1]!.write(0, DEMAND_UP, Number.POSITIVE_INFINITY);
  assert.deepEqual([share(0), share(1)], [32_000, 32_000]);
  ledgers[2]!.write(0, DEMAND_UP, 4000);
  assert.deepEqual([share(0), share(1)], [29_000, 29_000]);
  ledgers[1]!.write(0, DEMAND_UP, 0);
  assert.equal(share(0), 58_000);
});

test("threads that send as fast as they may keep to the rate together", () => {
  const users = threads(2).map((ledger) => new User(0, "ann", { ...limits, ratedown: 1_000_000 }, ledger, 0));
  const shares = users.map(({ down }: { down: SharedRate }) => down.share());
  const sent = [0, 0];
  const run = (from: number, to: number, active: readonly number[]): number => {
    const before = sent[0]! + sent[1]!;
    for (let now = from; now < to; now++) {
      for (const i of active) {
        while (shares[i]!.admits(now)) {
          shares[i]!.spend(1400);
          sent[i]! += 1400;
        }
      }
      if (now % 100 === 0) for (const user of users) user.publish(now);
    }
    return ((sent[0]! + sent[1]! - before) * 1000) / (to - from);
  };
  run(1, 1000, [0, 1]);
  const both = run(1000, 6000, [0, 1]);
  assert.ok(both > 900_000 && both < 1_050_000, `${both} bytes a second`);
  run(6000, 6500, [1]);
  const alone = run(6500, 10_000, [1]);
  assert.ok(alone > 900_000 && alone < 1_050_000, `${alone} bytes a second`);
});
