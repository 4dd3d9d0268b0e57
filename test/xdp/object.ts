/** The delivered objects are what clang of Debian 12 makes of bpf/: byte for byte. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const version = /clang version (\S+)/.exec(spawnSync("clang", ["--version"], { encoding: "utf8" }).stdout ?? "")?.[1];
if (version === undefined || !version.startsWith("14.")) {
  console.log(`skipped: the objects are built by clang 14 (Debian 12), here is ${version ?? "none"}`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "longhaul-bpf-"));
try {
  const { status } = spawnSync(join(root, "bpf/build"), [folder], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
  for (const name of ["forward", "bench"]) {
    const [built, delivered] = [join(folder, `${name}.bpf.o`), join(root, "assets", `${name}.bpf.o`)].map((path) => readFileSync(path));
    if (!built!.equals(delivered!)) {
      console.error(`assets/${name}.bpf.o is not what bpf/ builds to; run bpf/build and commit it`);
      process.exitCode = 1;
    } else console.log(`${name}.bpf.o: ${built!.length} bytes, the same`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
