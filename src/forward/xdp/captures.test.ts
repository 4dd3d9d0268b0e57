import assert from "node:assert/strict";
import { test } from "node:test";
import { CAPTURES_MAX, Captures } from "./captures.ts";
import { ALL_FORWARDS, CAPTURE_EVENT, EVENT, SETTING_FLAG } from "./layout.ts";

function world() {
  const told = { oneIn: 0, forward: ALL_FORWARDS as number, whole: false };
  const settings = {
    capture: (oneIn: number, forward: number = ALL_FORWARDS) => void Object.assign(told, { oneIn, forward }),
    setFlag: (flag: number, on: boolean) => void (flag === SETTING_FLAG.whole && Object.assign(told, { whole: on })),
  };
  const names = ["a", "b"];
  const counts = { lost: 5 };
  const captures = new Captures(
    settings,
    { names, idOf: (name) => (names.includes(name) ? names.indexOf(name) : undefined) },
    () => counts.lost,
    1000,
  );
  return { captures, told, counts, names };
}

/** A frame of IPv4 and UDP, to 10.0.0.9:7000 in the end. */
function record(forward: number): DataView {
  const bytes = new Uint8Array(CAPTURE_EVENT.bytes + 14 + 40);
  const view = new DataView(bytes.buffer);
  view.setUint32(CAPTURE_EVENT.forward, forward, true);
  view.setUint16(CAPTURE_EVENT.length, 54, true);
  view.setUint16(CAPTURE_EVENT.captured, 54, true);
  view.setBigUint64(CAPTURE_EVENT.time, 2_500_000_000n, true);
  bytes.set([10, 0, 0, 9], CAPTURE_EVENT.to + 12);
  view.setUint16(CAPTURE_EVENT.toPort, 7000);
  bytes[CAPTURE_EVENT.bytes + 14] = 0x45;
  return view;
}

test("the program is told the widest wish of all, and each gets what it asked for", async () => {
  const { captures, told } = world();
  const seen = { a: 0, all: 0 };
  const a = captures.add({ forward: "a", oneIn: 1000, bytesMax: 100 }, () => seen.a++);
  assert.deepEqual(told, { oneIn: 1000, forward: 0, whole: false });
  const all = captures.add({ forward: undefined, oneIn: 1, bytesMax: 1500 }, (packet, seconds, length) => {
    assert.deepEqual([...packet.subarray(16, 20)], [10, 0, 0, 9]);
    assert.deepEqual([packet[22]! * 256 + packet[23]!, seconds, length], [7000, 1002.5, 40]);
    seen.all++;
  });
  assert.deepEqual(told, { oneIn: 1, forward: ALL_FORWARDS, whole: true });
  for (let i = 0; i < 2000; i++) captures.take(EVENT.capture, record(i & 1));
  assert.equal(seen.all, 2000);
  // One in 1,000 of 1,000: more than 20 comes once in 10^18.
  assert.ok(seen.a <= 20, String(seen.a));
  await all.stop();
  assert.deepEqual(told, { oneIn: 1000, forward: 0, whole: false });
  await a.stop();
  assert.equal(told.oneIn, 0);
});

test("SIP goes to its reader alone; a forward that gets another number is followed, one that is gone is not looked for", async () => {
  const { captures, told, names } = world();
  let [read, seen] = [0, 0];
  const reader = captures.add({ forward: "b", oneIn: 1, bytesMax: 65_535, sip: true }, () => read++);
  assert.equal(told.oneIn, 0);
  captures.add({ forward: "b", oneIn: 1, bytesMax: 64 }, () => seen++);
  captures.take(EVENT.sip, record(1));
  captures.take(EVENT.capture, record(1));
  assert.deepEqual([read, seen], [1, 1]);
  names[5] = "b";
  names[1] = "";
  captures.widen();
  assert.equal(told.forward, 5);
  await reader.stop();
  captures.take(EVENT.sip, record(5));
  assert.equal(read, 1);
  names.length = 1;
  captures.widen();
  assert.equal(told.oneIn, 0);
});

test("what was lost since is counted; unknown forwards and too many captures are refused", () => {
  const { captures, counts } = world();
  const options = { forward: undefined, oneIn: 1, bytesMax: 64 };
  const capture = captures.add(options, () => {});
  counts.lost += 3;
  assert.equal(capture.dropped, 3);
  assert.throws(() => captures.add({ ...options, forward: "nobody" }, () => {}), { code: "ENOENT" });
  for (let i = 1; i < CAPTURES_MAX; i++) captures.add(options, () => {});
  assert.throws(() => captures.add(options, () => {}), { code: "EBUSY" });
});
