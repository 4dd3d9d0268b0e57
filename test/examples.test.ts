/** The examples run as they stand, on the sources: `longhaul/…` leads there under the condition longhaul:source. test/package runs them on the package. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { examples } from "./package/examples.ts";

const folder = join(import.meta.dirname, "..", "examples");
const names = globSync("*.ts", { cwd: folder }).map((name) => basename(name, ".ts"));
const statementsMax = 14;

test("every example is checked, and short", () => {
  assert.deepEqual(names.toSorted(), Object.keys(examples).toSorted());
  for (const name of names) {
    const lines = readFileSync(join(folder, `${name}.ts`), "utf8").split("\n");
    const statements = lines.filter((line) => !/^(import .*|\/\*\*.*|[\s)}\];]*)$/.test(line));
    assert.ok(statements.length <= statementsMax, `${name}: ${statements.length} lines besides imports; ${statementsMax} are allowed`);
  }
});

for (const [name, check] of Object.entries(examples)) {
  test(`example ${name}`, { timeout: 20_000 }, () =>
    check((example) => [process.execPath, "--conditions=longhaul:source", join(folder, `${example}.ts`)]),
  );
}
