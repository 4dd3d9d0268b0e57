/**
 * The store's tests on PostgreSQL: a server of Debian's package in a folder of its own on a unix socket, the same test files as on SQLite.
 *
 *   node test/interop/postgres.ts          npm run test:postgres
 */
import { spawnSync } from "node:child_process";
import { chownSync, globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Children, root, sleep } from "./children.ts";

const bin = globSync("/usr/lib/postgresql/*/bin").at(-1);
if (bin === undefined) {
  console.log("skipped: Debian's package postgresql is not installed");
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "longhaul-postgres-"));
const cluster = join(folder, "data");
const children = new Children();
// PostgreSQL refuses to run as root.
const prefix = userInfo().uid === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
const run = (...command: string[]) =>
  spawnSync([...prefix, ...command][0]!, [...prefix, ...command].slice(1), { encoding: "utf8", cwd: folder });

try {
  mkdirSync(cluster);
  if (prefix.length > 0) {
    const id = (which: string): number => Number(spawnSync("id", [which, "postgres"], { encoding: "utf8" }).stdout);
    for (const path of [folder, cluster]) chownSync(path, id("-u"), id("-g"));
  }
  const made = run(join(bin, "initdb"), "-D", cluster, "-U", "longhaul", "--auth=trust", "--no-sync");
  if (made.status !== 0) throw new Error(made.stderr);
  children.start(
    "postgres",
    [join(bin, "postgres"), "-D", cluster, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=300"],
    prefix,
  );
  for (let i = 0; run(join(bin, "pg_isready"), "-h", folder).status !== 0; i++) {
    if (i > 100) throw new Error("PostgreSQL does not start");
    await sleep(100);
  }
  const env = { ...process.env, LONGHAUL_TEST_DATABASE: `postgres://longhaul@${encodeURIComponent(folder)}/postgres` };
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
