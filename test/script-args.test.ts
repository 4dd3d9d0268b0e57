import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { headOf } from "./script-args.ts";

const root = join(import.meta.dirname, "..");
const run = (...words: string[]) => spawnSync(process.execPath, words, { cwd: root, encoding: "utf8" });

test("--help of a script is its head comment, and a wrong option is one sentence", () => {
  const help = run("sim/auto/main.ts", "--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /the table of mode auto in virtual time[\s\S]*--seeds --only --peers/);
  const wrong = run("sim/auto/main.ts", "--seed", "3");
  assert.equal(wrong.status, 2);
  assert.equal(wrong.stderr, "Unknown option '--seed'; --help tells which there are\n");
});

test("every script with options has a head comment for its help", () => {
  let scripts = 0;
  for (const folder of ["bench", "sim", "test"])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts") || name.startsWith("script-args")) continue;
      const source = readFileSync(join(root, folder, name), "utf8");
      assert.ok(!/\bparseArgs\b.*from "node:util"/.test(source), `${folder}/${name} reads its options past script-args.ts`);
      if (!/\bparseArgs\(/.test(source)) continue;
      scripts++;
      assert.notEqual(headOf(source), "no description", `${folder}/${name}`);
    }
  assert.ok(scripts > 40, `${scripts} scripts`);
});
