import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { silentLog } from "../host/log.ts";
import { serverConfig } from "../tunnel/config.ts";
import { RECEIVED, SENT, UserLedger } from "../tunnel/user-ledger.ts";
import { UserAccounts } from "./user-accounts.ts";

const folder = mkdtempSync(join(tmpdir(), "longhaul-state-"));
const config = (state: string, ...names: string[]) => serverConfig.parse({ state, users: names.map((name) => ({ name, key: name })) });

test("what users have used is kept over a restart, also of those that are away; rows stay", () => {
  const path = join(folder, "state.json");
  const first = config(path, "ann", "bob");
  const accounts = new UserAccounts(first, 2, silentLog);
  const rows = (of: { users: unknown }): number[] => (of.users as { row: number }[]).map(({ row }) => row);
  assert.deepEqual(rows(accounts.place(first)), [0, 1]);
  assert.deepEqual(rows(accounts.place(config(path, "eve", "bob"))), [2, 1], "after a reload");
  const { memory, threads, thread } = accounts.share(1);
  const ledger = new UserLedger(threads, thread, memory);
  ledger.write(0, RECEIVED, 100);
  ledger.write(1, SENT, 7);
  accounts.close();
  const second = config(path, "bob");
  const again = new UserAccounts(second, 1, silentLog);
  again.place(second);
  new UserLedger(1, 0, again.share(0).memory).write(0, SENT, 5);
  again.close();
  assert.deepEqual(JSON.parse(readFileSync(path, "utf8")).users, {
    ann: { received: 100, sent: 0 },
    bob: { received: 0, sent: 12 },
    eve: { received: 0, sent: 0 },
  });
  assert.deepEqual(readdirSync(folder), ["state.json"], "nothing half written is left");
});

test("a state file that is none is refused in a sentence and not touched", () => {
  const path = join(folder, "wrong.json");
  for (const text of ["{", "[]", '{"users":{"ann":{"received":-1,"sent":0}}}', "null"]) {
    writeFileSync(path, text);
    const make = (): UserAccounts => new UserAccounts(config(path, "ann"), 1, silentLog);
    assert.throws(make, (error) => error instanceof ConfigError && error.key === "state" && /^--state: "/.test(error.message));
    assert.equal(readFileSync(path, "utf8"), text);
  }
  assert.throws(() => new UserAccounts(config(join(folder, "no/such"), "ann"), 1, silentLog), /--state: .*ENOENT/);
});
