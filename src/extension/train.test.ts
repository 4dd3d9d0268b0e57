import assert from "node:assert/strict";
import { test } from "node:test";
import { readType } from "./header.ts";
import { CAR, REPORT, Train } from "./train.ts";

const bytes = new Uint8Array(2048);
const view = new DataView(bytes.buffer);

/** Sends all that `from` has over a path that takes `ms` for a car; answers the time after it. */
function carry(now: number, from: Train, to: Train, ms: number, lost: (car: number) => boolean = () => false): number {
  let at = now + 50;
  for (let n = from.transmit(bytes, view, 0), car = 0; n > 0; n = from.transmit(bytes, view, 0), car++) {
    const type = readType(view, 0);
    assert.ok(type === CAR || type === REPORT);
    if (type === CAR) at += ms;
    if (!lost(car)) to.receive(at, type, view, 0, n);
    to.advance(at);
  }
  return at;
}

test("the middle one of three trains tells the rate, with cars lost too", () => {
  const [a, b] = [new Train(1, 1300), new Train(1, 1300)];
  a.depart(0);
  carry(carry(0, a, b, 2), b, a, 0);
  assert.ok(Math.abs(a.rate - 650) < 5, `${a.rate}`);
  a.advance(300);
  carry(
    carry(300, a, b, 1, (car) => car === 3 || car === 7),
    b,
    a,
    0,
  );
  assert.ok(Math.abs(a.rate - 650) < 5, "of two the slower one");
  a.advance(600);
  carry(carry(600, a, b, 1.5), b, a, 0);
  assert.ok(Math.abs(a.rate - 867) < 10, `${a.rate}`);
  a.advance(5000);
  assert.equal(a.transmit(bytes, view, 0), 0, "three are enough");
});

test("a train whose end was lost is reported all the same; what nobody asked for is not believed", () => {
  const [a, b] = [new Train(1, 1300), new Train(1, 1300)];
  a.depart(0);
  const at = carry(0, a, b, 1, (car) => car > 14);
  b.advance(at + 100);
  carry(at + 100, b, a, 0);
  assert.ok(Math.abs(a.rate - 1300) < 10, `${a.rate}`);
  const stranger = new Train(1, 1300);
  a.depart(0);
  const forged = new Train(1, 1300);
  forged.depart(0);
  carry(0, forged, b, 0.001);
  stranger.receive(0, REPORT, view, 0, 12);
  assert.deepEqual([stranger.rate, stranger.errors], [0, 1]);
});

test("over another path it is measured anew, and reports of the path before are not believed", () => {
  const [a, b] = [new Train(1, 1300), new Train(1, 1300)];
  a.again(0);
  assert.equal(a.transmit(bytes, view, 0), 0, "nothing to repeat before the first one");
  a.depart(0);
  const at = carry(0, a, b, 2);
  a.again(at);
  // The report on the first train comes late.
  carry(at, b, a, 0);
  assert.deepEqual([a.rate, a.late], [0, 1]);
  carry(carry(at, a, b, 1), b, a, 0);
  assert.ok(Math.abs(a.rate - 1300) < 10, `${a.rate}`);
});
