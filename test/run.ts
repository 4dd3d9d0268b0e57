/**
 * `npm test`: types and tests side by side, tests in as many processes as there are processors, since half of their time they wait for programs and sockets.
 *
 *   test/run.ts [PATTERN…]          ends with `N passed, N failed, N skipped`, the sums, alone on a line (test/reporter.ts)
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const SHARDS = Math.max(2, Math.min(8, availableParallelism()));
const SUM = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;
const given = process.argv.slice(2);
const patterns = given.length > 0 ? given : ["{src,sim,test}/**/*.test.ts"];
const modules = join(import.meta.dirname, "../node_modules");
/** What was compiled and checked in a run before, or by another program of this one: a fifth of the time. */
const cache = join(modules, ".cache/longhaul");
const sums = [0, 0, 0];
let status = 0;

/** Resolves when the program has ended; what it says is said here, but for its sums. */
async function run(what: string, file: string, args: readonly string[], sumsWanted = false): Promise<void> {
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(cache, "modules") },
  });
  const ended = new Promise<number | null>((settle) => {
    child.on("error", () => settle(null));
    child.on("close", settle);
  });
  let summed = !sumsWanted;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, ...counts] = SUM.exec(line) ?? [];
    if (counts.length === 0) process.stdout.write(`${line}\n`);
    else for (const [i, count] of counts.entries()) sums[i]! += Number(count);
    summed ||= counts.length > 0;
  }
  const code = await ended;
  if (code === 0 && summed) return;
  status = 1;
  process.stdout.write(`${what} ended with ${code ?? "a signal"}${summed ? "" : " and no sum"}\n`);
}

const tsc = join(modules, ".bin/tsc");
const checked = (name: string): string[] => ["--incremental", "--tsBuildInfoFile", join(cache, `${name}.tsbuildinfo`)];
const tests = ["--test", "--test-isolation=none", `--test-reporter=${join(import.meta.dirname, "reporter.ts")}`];
await Promise.all([
  ...Array.from({ length: SHARDS }, (_, i) =>
    run(`tests ${i + 1} of ${SHARDS}`, process.execPath, [...tests, `--test-shard=${i + 1}/${SHARDS}`, ...patterns], true),
  ),
  run("types", tsc, checked("types")).then(() => run("the page's types", tsc, ["-p", "src/console", ...checked("page")])),
]);
process.stdout.write(`${process.uptime().toFixed(1)} s\n${sums[0]} passed, ${sums[1]} failed, ${sums[2]} skipped\n`);
process.exitCode = status;
