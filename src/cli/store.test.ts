import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../host/log.ts";
import { firstKey, openStore } from "./store.ts";

test("a store is opened with the key it was made with, or not at all; its first key is written for its owner alone, once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-store-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const first = await openStore(folder, "");
  assert.match(await firstKey(first.credentials, folder, "aws", silentLog), /credentials/);
  const text = readFileSync(join(folder, "credentials"), "utf8");
  const [, id, secret] = /= (\S+)\n.*= (\S+)\n/.exec(text)!;
  assert.deepEqual(await first.credentials.identity(id!), { role: "admin", secret });
  assert.equal(statSync(join(folder, "credentials")).mode & 0o777, 0o600);
  assert.equal(await firstKey(first.credentials, folder, "aws", silentLog), "");
  assert.equal(await first.credentials.count(), 1);
  await first.database.destroy();
  writeFileSync(join(folder, "master.key"), `${"ab".repeat(32)}\n`);
  await assert.rejects(openStore(folder, ""), /master\.key is not the key that this database is sealed with/);
});
