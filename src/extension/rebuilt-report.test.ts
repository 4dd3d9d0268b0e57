import assert from "node:assert/strict";
import { test } from "node:test";
import { RebuiltCount, RebuiltNews } from "./rebuilt-report.ts";

const view = new DataView(new ArrayBuffer(64));

test("what was rebuilt is told once, not too often, and only to who asks", () => {
  const count = new RebuiltCount();
  const news = new RebuiltNews();
  count.add();
  count.received(0);
  assert.equal(count.transmit(view, 0, 7), 0);
  count.wanted = true;
  let told = 0;
  let reports = 0;
  for (let now = 0; now < 2000; now += 10) {
    if (now % 50 === 0 && now < 1500) count.add();
    count.received(now);
    const length = count.transmit(view, 5, 7);
    if (length === 0) continue;
    reports++;
    told += news.receive(view, 5, 5 + length);
  }
  assert.equal(told, 31);
  assert.ok(reports <= 9, `${reports} reports in 2 s`);
});

test("reports that are lost, late or twice there change nothing; damaged and impossible ones are counted", () => {
  const news = new RebuiltNews();
  const say = (count: number, bytes = 10): number => {
    view.setUint32(6, count, true);
    return news.receive(view, 0, bytes);
  };
  assert.equal(say(3), 3);
  assert.equal(say(10), 7);
  assert.equal(say(3), 0);
  assert.equal(say(10), 0);
  assert.equal(say(12, 9), 0);
  assert.equal(say(1_000_000), 0);
  assert.equal(news.errors, 2);
  for (let count = 60_000; count < 2 ** 32; count += 60_000) assert.ok(say(count) > 0);
  assert.equal(say(1) > 0, true);
});
