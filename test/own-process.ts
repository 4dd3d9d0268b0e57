/**
 * Runs the tests of a file in a process of their own: for those that count bytes of heap, as what the compiler has seen of a function in other tests decides
 * whether its numbers are boxed, and for those that need room in the kernels' memory.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Call it with `import.meta.url`; `define` defines the tests. */
export function inOwnProcess(url: string, define: () => void): void {
  const file = fileURLToPath(url);
  if (process.env.LONGHAUL_OWN_PROCESS === file) {
    define();
    return;
  }
  test(`${relative(process.cwd(), file)} in a process of its own`, () => {
    // Without the mark of the runner, so that the child reports by its status.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
      encoding: "utf8",
      timeout: 300_000,
      env: { ...env, LONGHAUL_OWN_PROCESS: file },
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
}
