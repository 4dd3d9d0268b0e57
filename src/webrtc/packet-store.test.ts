import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketStore } from "./packet-store.ts";

const payload = Uint8Array.from({ length: 40 }, (_, i) => i);

test("a packet is found by its number until its slot is needed", () => {
  const store = new PacketStore(4, 100);
  const slots = [0, 1, 2].map((i) => store.put(payload, i, i + 10, 90_000 + i, i === 2));
  assert.equal(store.find(65_535), -1, "what waits was not sent");
  slots.forEach((slot, i) => {
    store.sent(i, slot, (65_535 + i) & 0xffff);
  });
  const found = store.find(0);
  assert.equal(found, slots[1]);
  assert.deepEqual([...store.bytes.subarray(found * 100, found * 100 + store.length[found]!)], [...payload.subarray(1, 11)]);
  assert.deepEqual([store.timestamp[found], store.marker[slots[2]!], store.sentAt[found]], [90_001, 1, 1]);
  store.put(payload, 0, 1, 0, false);
  store.put(payload, 0, 1, 0, false);
  assert.equal(store.find(65_535), -1, "its slot was taken");
  assert.equal(store.find(0), slots[1]);
});

test("what waits, and what is being sent again, keeps its slot", () => {
  const store = new PacketStore(2, 100);
  const first = store.put(payload, 0, 10, 0, false);
  store.put(payload, 0, 10, 0, false);
  assert.equal(store.put(payload, 0, 10, 0, false), -1, "both slots wait");
  store.sent(0, first, 1);
  store.resending[first] = 1;
  assert.equal(store.put(payload, 0, 10, 0, false), -1, "the slot is being sent again");
  store.resending[first] = 0;
  assert.equal(store.put(payload, 0, 10, 0, false), first);
  store.drop(first);
  assert.equal(store.find(1), -1);
});
