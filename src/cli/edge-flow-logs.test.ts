import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { removeOld } from "./edge-flow-logs.ts";

test("old files of flow logs are removed, and nothing else", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-flow-logs-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const deep = join(folder, "bucket/AWSLogs/1/2026/11/21");
  mkdirSync(deep, { recursive: true });
  const names = ["1_globalaccelerator_a_fl-1_x_y.log.gz", "1_globalaccelerator_b_fl-1_x_y.log.gz", "somebody-elses.log.gz"];
  const [old, fresh, foreign] = names.map((name) => join(deep, name));
  for (const path of [old!, fresh!, foreign!]) writeFileSync(path, "");
  for (const path of [old!, foreign!]) utimesSync(path, 1000, 1000);
  assert.equal(await removeOld(folder, 2_000_000), 1);
  assert.deepEqual([existsSync(old!), existsSync(fresh!), existsSync(foreign!)], [false, true, true]);
  assert.equal(await removeOld(join(folder, "nothing"), 2_000_000), 0);
});
