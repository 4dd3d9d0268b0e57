import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { type ServerConfig, serverConfig } from "../tunnel/config.ts";
import { withUsers } from "./users-file.ts";

const folder = mkdtempSync(join(tmpdir(), "longhaul-users-"));
after(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, "users.json");
  writeFileSync(path, text);
  return path;
}

const read = (users: unknown, more: object = {}, env = {}): ServerConfig => withUsers(serverConfig.parse({ users, ...more }), env);
const message = (users: unknown, more: object = {}): string => {
  try {
    read(users, more);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.doesNotMatch(error.message, /SECRET/);
    return error.message;
  }
  return assert.fail("accepted");
};

test("keys from the entry, from a file beside the users file, and from the environment", () => {
  writeFileSync(join(folder, "b.key"), "b's\n");
  const text = '[{"name":"a","key":"a\'s"},{"name":"b","keyfile":"b.key","ratedown":5000},{"name":"c","keyenv":"C_KEY","crypt":"sm4"}]';
  const config = read(file(text), {}, { C_KEY: "c's" });
  const got = (config.users as { name: string; key: string; ratedown: number; crypt?: string }[]).map(({ name, key, ratedown, crypt }) => [
    name,
    key,
    ratedown,
    crypt,
  ]);
  assert.deepEqual(got, [
    ["a", "a's", 0, undefined],
    ["b", "b's", 5000, undefined],
    ["c", "c's", 0, "sm4"],
  ]);
  assert.equal(read("").users, "");
});

test("what is wrong is said in a sentence that names the place and what is allowed, and no key", () => {
  const key = "SECRET";
  assert.match(message("/nowhere/users.json"), /--users: "\/nowhere\/users\.json" cannot be used: ENOENT/);
  assert.match(message(file(`[{"name":"a","key":"${key}",]`)), /it is not JSON/);
  assert.match(message(file(`{"key":"${key}"}`)), /give a JSON array of users/);
  assert.match(message([]), /no user is given; give at least one/);
  assert.match(message([{ name: "a" }]), /"a" has 0 of key, keyfile and keyenv; give exactly one/);
  assert.match(message([{ name: "a", key, keyenv: "X" }]), /"a" has 2 of key, keyfile and keyenv/);
  assert.match(message([{ name: "a", keyenv: "NOT_SET" }]), /the key of "a" is empty; the variable NOT_SET must hold it/);
  assert.match(message([{ name: "a", keyfile: "/nowhere" }]), /the keyfile of "a" cannot be read/);
  assert.match(message([{ name: "a b", key }]), /users\[0\]\.name: "a b" is not allowed; give 1 to 64 letters/);
  assert.match(message([{ name: "a", key: 5 }]), /users\[0\]\.key: the value given is not allowed/);
  assert.match(message([{ name: "a", key, crypt: "rot13" }]), /users\[0\]\.crypt: "rot13" is not allowed; give .*one of aes, /);
  assert.match(message([{ name: "a", key, rateup: 5 }]), /users\[0\]\.rateup: 5 is not allowed; give .*from 1000 on/);
  assert.match(message([{ name: "a", key, speed: 5 }]), /users\[0\]: "speed" is not known; give an object with name, key/);
});

test("users that cannot stand together are refused", () => {
  const [a, b] = [
    { name: "a", key: "SECRET 1" },
    { name: "b", key: "SECRET 2" },
  ];
  assert.match(message([a, { ...b, name: "a" }]), /the name "a" is given twice/);
  assert.match(message([a, { ...b, key: a.key }]), /"a" and "b" have the same key and crypt/);
  read([a, { ...b, key: a.key, crypt: "sm4" }]);
  assert.match(message([a, { ...b, crypt: "none" }]), /"b" has crypt none, by which users cannot be told apart; give any other cipher/);
  assert.match(message([a, b], { crypt: "null" }), /"a" has crypt null/);
  read([{ ...a, crypt: "none" }]);
  assert.match(message([a], { key: "SECRET" }), /--key: not allowed together with --users/);
  assert.match(
    message(Array.from({ length: 4097 }, (_, i) => ({ name: `${i}`, key: `${i}` }))),
    /4097 users are not allowed; give at most 4096/,
  );
});
