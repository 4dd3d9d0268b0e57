import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../base/errors.ts";
import { Prng } from "../../base/prng.ts";
import { type Listen, parseListen } from "../listen.ts";
import { LISTENER } from "./layout.ts";
import { ListenerTable } from "./listener-table.ts";

const SEED = new Uint32Array([0x1234_5678, 0]);

function tableOf(places: number): { table: ListenerTable; words: Int32Array } {
  const bytes = new Uint8Array(places * LISTENER.bytes);
  return { table: new ListenerTable({ bytes, seed: SEED }), words: new Int32Array(bytes.buffer) };
}

function listen(text: string): Listen {
  return parseListen(text)!;
}

/** What the program finds: on from where the hash leads, up to a place that is EMPTY. */
function found(table: ListenerTable, text: string): number | undefined {
  const place = table.claim(listen(text));
  const forward = table.at(place);
  table.abandon(place);
  return forward;
}

test("listeners of both families are found again, and are led elsewhere without a gap", () => {
  const { table } = tableOf(1024);
  const texts = ["10.0.0.1:5000", "10.0.0.1:5001", "[2001:db8::1]:5000", "[2001:db8::1:0]:5000", "0.0.0.1:5000"];
  for (const [id, text] of texts.entries()) table.publish(table.claim(listen(text)), id);
  assert.deepEqual(
    texts.map((text) => found(table, text)),
    [0, 1, 2, 3, 4],
  );
  const place = table.claim(listen("10.0.0.1:5001"));
  assert.equal(table.at(place), 1, "until another forward is published it is the one that was there");
  table.publish(place, 9);
  table.release(place, 1);
  assert.equal(table.at(place), 9, "who has lost the place takes it from nobody");
  assert.equal([...table.places()].length, 5);
});

test("what is gone gets another key only when packets that were under way are through", () => {
  const { table, words } = tableOf(2);
  const [a, b, c] = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"].map(listen) as [Listen, Listen, Listen];
  for (const [id, of] of [a, b].entries()) table.publish(table.claim(of), id);
  const place = table.claim(a);
  table.release(place, 0);
  const key = words.slice((place * LISTENER.bytes) / 4, (place * LISTENER.bytes) / 4 + 5);
  assert.throws(() => table.claim(c), HostError);
  table.rest();
  assert.throws(() => table.claim(c), HostError);
  assert.deepEqual(words.slice((place * LISTENER.bytes) / 4, (place * LISTENER.bytes) / 4 + 5), key);
  assert.ok(table.isResting);
  table.rest();
  assert.equal(table.claim(c), place);
  assert.equal(table.isResting, false);
});

test("whatever comes and goes, chains lead to who is there, and nothing is left behind", () => {
  const prng = new Prng(77);
  const { table, words } = tableOf(256);
  const there = new Map<string, { id: number; place: number }>();
  for (let step = 0; step < 20_000; step++) {
    const text = `10.0.0.${prng.below(4)}:${1 + prng.below(60)}`;
    const known = there.get(text);
    if (known === undefined && there.size < 128) {
      const place = table.claim(listen(text));
      table.publish(place, step);
      there.set(text, { id: step, place });
    } else if (known !== undefined) {
      table.release(known.place, known.id);
      there.delete(text);
    }
    if (step % 16 === 0) table.rest();
    if (step % 1000 === 0) for (const [key, { id }] of there) assert.equal(found(table, key), id, `step ${step}, ${key}`);
  }
  for (const { id, place } of there.values()) table.release(place, id);
  for (let i = 0; i < 3; i++) table.rest();
  assert.equal([...table.places()].length, 0);
  const { table: other } = tableOf(512);
  other.copy(table);
  const occupied = words.filter((word, i) => i % (LISTENER.bytes / 4) === LISTENER.forward / 4 && word !== 0);
  assert.equal(occupied.length, 0, "chains that nobody needs have ended");
});

test("half of the places can be had, by ports in a row and by addresses in a row", () => {
  for (const textOf of [(n: number) => `10.1.2.3:${n + 1}`, (n: number) => `10.${n >> 14}.${(n >> 6) & 0xff}.${n & 63}:5004`]) {
    const { table } = tableOf(131_072);
    for (let n = 0; n < 65_535; n++) table.publish(table.claim(listen(textOf(n))), n);
    const { table: larger } = tableOf(262_144);
    larger.copy(table);
    for (let n = 0; n < 65_535; n += 97) assert.equal(found(larger, textOf(n)), n);
  }
});
