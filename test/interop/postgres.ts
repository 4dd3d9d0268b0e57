/**
 * The store's tests on PostgreSQL: a server of Debian's package in a folder of its own on a unix socket, the same test files as on SQLite.
 *
 *   node test/interop/postgres.ts          npm run test:postgres
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Children, root } from "./children.ts";
import { postgresMissing, startPostgres } from "./postgres-server.ts";

if (postgresMissing !== false) {
  console.log(`skipped: ${postgresMissing}`);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "longhaul-postgres-"));
const children = new Children();

try {
  const { url } = await startPostgres(children, folder);
  const env = { ...process.env, LONGHAUL_TEST_DATABASE: url };
  const files = globSync("src/control/**/*.test.ts", { cwd: root });
  const tests = spawnSync(process.execPath, ["--test", "--test-isolation=none", "--test-reporter=./test/reporter.ts", ...files], {
    cwd: root,
    env,
    stdio: "inherit",
  });
  process.exitCode = tests.status ?? 1;
} finally {
  await children.endAll();
  rmSync(folder, { recursive: true, force: true });
}
