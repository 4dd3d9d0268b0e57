/**
 * Benches of the XDP forwarder. Root.
 *
 *   npm run bench:forward [-- --only run|wire|echo|lossless …]
 *
 *   run       the program alone, in test runs of the kernel: test-run.ts
 *   wire      between namespaces, beside iptables: namespaces.ts
 *   echo      round trips at 140,000 a second, beside iptables: echo.ts
 *   lossless  reloads, restarts and floods, packets counted: lossless.ts
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const PARTS = { run: "test-run.ts", wire: "namespaces.ts", echo: "echo.ts", lossless: "lossless.ts" } as const;
const given = process.argv.slice(2);
const at = given.indexOf("--only");
const only = at < 0 ? undefined : given.splice(at, 2)[1];
if (only !== undefined && !(only in PARTS)) {
  console.error(`--only: "${only}" is not allowed; give one of ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
for (const [name, file] of Object.entries(PARTS)) {
  if (only !== undefined && only !== name) continue;
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, file), ...given], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
