import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../base/batch.ts";
import { Prng } from "../base/prng.ts";
import { createCipher } from "../cipher/cipher.ts";
import { primitives } from "../host/crypto.ts";
import { serverConfig } from "./config.ts";
import { Keyring } from "./keyring.ts";
import { Totals } from "./totals.ts";
import { Users } from "./users.ts";

const crypts = ["aes", "aes-128-gcm", "xtea", "salsa20", "xor"] as const;
const keys = crypts.map((crypt, i) => ({ name: crypt, key: `key ${i}`, crypt }));

function ring(settings: object = {}): { users: Users; keyring: Keyring } {
  const totals = new Totals("server");
  const users = new Users(0, serverConfig.parse({ users: keys, ...settings }), primitives, totals);
  return { users, keyring: new Keyring(users) };
}

/** A batch of datagrams: of which user (−1 = nobody's), from which peer. */
function batchOf(datagrams: readonly (readonly [user: number, peer: number])[], bytes = 100): Batch {
  const batch = new Batch(datagrams.length);
  const prng = new Prng(1);
  datagrams.forEach(([user, peer], i) => {
    batch.start[i] = batch.slot(i) + 64;
    batch.end[i] = batch.slot(i) + 64 + bytes;
    batch.peer[i] = peer;
    batch.bytes.fill(i + 1, batch.start[i], batch.end[i]);
    if (user < 0) {
      prng.fill(batch.bytes.subarray(batch.start[i], batch.end[i]));
      return;
    }
    const { crypt, key } = keys[user]!;
    const one = new Batch(1, batch.bytes);
    [one.start[0], one.end[0], one.length] = [batch.start[i]!, batch.end[i]!, 1];
    createCipher(crypt, primitives.deriveKey(key), primitives).seal(one, 0);
    [batch.start[i], batch.end[i]] = [one.start[0]!, one.end[0]!];
  });
  batch.length = datagrams.length;
  return batch;
}

function opened(batch: Batch): (number | undefined)[] {
  return Array.from({ length: batch.length }, (_, i) => (batch.end[i]! > batch.start[i]! ? batch.bytes[batch.start[i]!] : undefined));
}

test("a batch of strangers of every cipher: each datagram is opened with its user's key, garbage with none", () => {
  const { keyring, users } = ring();
  const batch = batchOf([
    [0, 10],
    [1, 11],
    [-1, 12],
    [2, 13],
    [3, 14],
    [4, 15],
    [1, 11],
  ]);
  keyring.open(0, batch);
  assert.deepEqual(opened(batch), [1, 2, undefined, 4, 5, 6, 7]);
  assert.equal(batch.length, 7);
  assert.deepEqual(
    [10, 11, 12, 13, 14, 15].map((peer) => keyring.lockOf(peer)?.user.name),
    ["aes", "aes-128-gcm", undefined, "xtea", "salsa20", "xor"],
  );
  assert.deepEqual([users.stats.strangers, users.stats.unreadable], [6, 1], "the seventh was known already");
});

test("what is tried in vain counts as nobody's damaged datagram", () => {
  const { keyring, users } = ring();
  keyring.open(0, batchOf([[4, 1]]));
  assert.equal(
    users.all.reduce((sum, { cipher }) => sum + cipher.stats.checksumErrors + cipher.stats.shortDatagrams, 0),
    0,
  );
});

test("the user found last is tried first", () => {
  const { keyring, users } = ring();
  keyring.open(0, batchOf([[3, 1]]));
  const before = users.stats.tries;
  keyring.open(0, batchOf([[3, 2]]));
  assert.equal(users.stats.tries - before, 1);
});

test("a known peer is opened with its key alone, sealed with it, and tried with all again only when in doubt", () => {
  const { keyring, users } = ring();
  keyring.open(0, batchOf([[2, 7]]));
  keyring.bind(7, keyring.lockOf(7)!);
  const { tries } = users.stats;
  const other = batchOf([[0, 7]]);
  keyring.open(0, other);
  assert.deepEqual([opened(other), users.stats.tries], [[undefined], tries]);

  const out = batchOf([[-1, 7]]);
  const clear = out.bytes[out.start[0]!];
  keyring.seal(out, 0);
  createCipher("xtea", primitives.deriveKey("key 2"), primitives).open(out);
  assert.deepEqual(opened(out), [clear]);

  keyring.doubt(7);
  const again = batchOf([[0, 7]]);
  keyring.open(0, again);
  assert.deepEqual([opened(again), keyring.lockOf(7)?.user.name], [[1], "aes"]);
});

test("tries are bounded for a datagram, which the peer's next one continues, and for a second", () => {
  const { keyring, users } = ring({ triesonce: 2 });
  const results = [0, 1, 2].map(() => {
    const batch = batchOf([[4, 1]]);
    keyring.open(0, batch);
    return opened(batch)[0];
  });
  assert.deepEqual([results, users.stats.tries], [[undefined, undefined, 1], 5]);

  const few = ring({ tries: 7 });
  const garbage = batchOf(Array.from({ length: 10 }, (_, i) => [-1, i] as const));
  few.keyring.open(0, garbage);
  assert.deepEqual([few.users.stats.tries, few.users.stats.triesRefused], [7, 9]);
  few.keyring.open(1000, batchOf([[0, 20]]));
  assert.equal(few.keyring.lockOf(20)?.user.name, "aes", "in the next second there are tries again");
});

test("users without a list: one, whose datagrams are opened where they lie, with no bound", () => {
  const { keyring, users } = ring({ users: "", key: "key 0", tries: 1, triesonce: 1 });
  const batch = batchOf([
    [0, 1],
    [-1, 2],
    [0, 3],
    [0, 4],
  ]);
  keyring.open(0, batch);
  assert.deepEqual(opened(batch), [1, undefined, 3, 4]);
  assert.deepEqual([users.named, users.stats.tries, users.all[0]!.cipher.stats.checksumErrors], [false, 0, 1]);
});
