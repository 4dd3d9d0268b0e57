import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { AddressTable } from "./address.ts";

test("an address has one id, and the id says the address", () => {
  const table = new AddressTable();
  const four = table.intern("203.0.113.7", 4711);
  const six = table.intern("2001:db8::1", 4711);
  assert.notEqual(four, six);
  assert.equal(table.intern("203.0.113.7", 4711), four);
  assert.equal(table.intern("::ffff:203.0.113.7", 4711), four);
  assert.notEqual(table.intern("203.0.113.7", 4712), four);
  assert.equal(table.format(four), "203.0.113.7:4711");
  assert.equal(table.format(six), "[2001:db8::1]:4711");
  assert.equal(table.host(six), "2001:db8::1");
  assert.equal(table.port(six), 4711);
  const scoped = table.intern("fe80::1%3", 5);
  assert.equal(table.format(scoped), "[fe80::1%3]:5");
  assert.throws(() => table.intern("localhost", 1), /not a literal/);
});

test("when full, the address not heard from for the longest time gives way, held ones never", () => {
  const table = new AddressTable({ peersMax: 3 });
  const [a, b, c] = [1, 2, 3].map((port) => table.intern("10.0.0.1", port)) as [number, number, number];
  table.hold(a);
  table.turn();
  assert.equal(table.intern("10.0.0.1", 2), b);
  const d = table.intern("10.0.0.1", 4);
  assert.equal(d, c);
  assert.equal(table.port(d), 4);
  assert.equal(table.intern("10.0.0.1", 5), -1, "the rest was heard in this turn or is held");
  assert.deepEqual(table.counters, { peers: 3, recycled: 1, full: 1 });
  table.turn();
  table.release(a);
  assert.equal(table.intern("10.0.0.1", 6), b);
  assert.equal(table.intern("10.0.0.1", 7), d);
  assert.equal(table.intern("10.0.0.1", 8), a);
  assert.throws(() => table.release(a), /nobody holds/);
});

test("who calls at two of our addresses is two peers; whom we call is one", () => {
  const table = new AddressTable();
  const called = table.intern("192.0.2.1", 53);
  const heard = (host: string, port: number, local: string): number => {
    const from = table.intern(host, port);
    const record = table.words.slice(from * 10, from * 10 + 10);
    const asked = table.intern(local, 0) * 10;
    record.set(table.words.subarray(asked, asked + 4), 6);
    table.key.set(record);
    return table.internKey();
  };
  assert.equal(heard("192.0.2.1", 53, "10.0.0.1"), called);
  const strangers = new AddressTable();
  const ask = (last: number): number => {
    strangers.key.fill(0);
    strangers.key[0] = 77;
    strangers.key[9] = last;
    return strangers.internKey();
  };
  assert.notEqual(ask(1), ask(2));
  assert.equal(ask(1), ask(1));
  strangers.turn();
  const dialled = ask(0);
  assert.notEqual(dialled, ask(1), "known before it was called: still the peer of that address");
  assert.equal(ask(3), dialled);
});

test("a mark is forgotten with its address", () => {
  const table = new AddressTable({ peersMax: 1 });
  const id = table.intern("10.0.0.1", 1);
  table.setMark(id, 9);
  assert.equal(table.mark(table.intern("10.0.0.1", 1)), 9);
  table.turn();
  assert.equal(table.mark(table.intern("10.0.0.1", 2)), 0);
});

test("random interning, holding and recycling agrees with a map", () => {
  const prng = new Prng(71);
  const table = new AddressTable({ peersMax: 100, seed: 1 });
  const held = new Map<number, number>();
  for (let step = 0; step < 30_000; step++) {
    if (prng.chance(0.3)) table.turn();
    const port = 1 + prng.below(400);
    const id = table.intern("192.0.2.9", port);
    if (held.has(port)) assert.equal(id, held.get(port), `step ${step}`);
    if (id < 0) continue;
    assert.equal(table.port(id), port, `step ${step}`);
    if (held.has(port) && prng.chance(0.5)) {
      table.release(id);
      held.delete(port);
    } else if (!held.has(port) && held.size < 60 && prng.chance(0.3)) {
      table.hold(id);
      held.set(port, id);
    }
  }
  assert.equal(table.counters.peers, 100);
  assert.ok(table.counters.recycled > 1000);
  assert.equal(new Set(held.values()).size, held.size);
});

test("200,000 strangers leave no trace but counts, and known peers stay known", () => {
  const table = new AddressTable({ peersMax: 1000 });
  const known = table.intern("192.0.2.1", 1);
  table.hold(known);
  const { buffer } = table.words;
  for (let i = 0; i < 200_000; i++) {
    if ((i & 63) === 0) table.turn();
    table.key[0] = i;
    assert.ok(table.internKey() >= 0);
  }
  assert.equal(table.intern("192.0.2.1", 1), known);
  assert.equal(table.counters.peers, 1000);
  assert.ok(table.words.buffer.byteLength <= 1000 * 40 && buffer.byteLength > 0);
});
