import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { findInstances, instancePath, type Surroundings } from "./instances.ts";

const uid = process.getuid?.() ?? 0;

function inFolder(run: (folder: string, of: Surroundings) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-instances-"));
  try {
    run(folder, { env: { XDG_RUNTIME_DIR: folder }, uid, tmp: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("sockets lie in a folder of the user's own and are found by name and pid", () => {
  inFolder((folder, of) => {
    const path = instancePath("server", process.pid, of);
    assert.equal(path, join(folder, "longhaul", `server-${process.pid}.sock`));
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    writeFileSync(path, "");
    writeFileSync(join(dirname(path), "notes.txt"), "");
    assert.deepEqual(
      findInstances(false, of).filter((found) => found.path.startsWith(folder)),
      [{ name: "server", pid: process.pid, path }],
    );
  });
});

test("what a dead process left is removed", () => {
  inFolder((_folder, of) => {
    const { pid } = spawnSync("true");
    const path = instancePath("client", pid, of);
    writeFileSync(path, "");
    assert.deepEqual(
      findInstances(false, of).filter((found) => found.pid === pid),
      [],
    );
    assert.equal(existsSync(path), false);
  });
});

test("a folder that others may enter, or too long a path, is not used", () => {
  inFolder((folder, of) => {
    const path = instancePath("client", 1, of);
    chmodSync(dirname(path), 0o755);
    assert.throws(() => instancePath("client", 1, of), /not this user's alone/);
    assert.throws(() => instancePath("client", 1, { ...of, env: { XDG_RUNTIME_DIR: join(folder, "x".repeat(90)) } }), /too long/);
  });
});

test("those of others only when asked for, and nothing of theirs is removed", () => {
  inFolder((folder, of) => {
    const { pid } = spawnSync("true");
    const theirs = instancePath("server", pid, { ...of, env: { XDG_RUNTIME_DIR: join(folder, "longhaul-9") } });
    writeFileSync(theirs, "");
    const path = theirs.replace("/longhaul/", "/").replace(String(pid), String(process.pid));
    writeFileSync(path, "");
    writeFileSync(path.replace(String(process.pid), String(pid)), "");
    const found = (all: boolean): string[] => findInstances(all, of).flatMap((one) => (one.path.startsWith(folder) ? one.path : []));
    assert.deepEqual([found(false), found(true)], [[], [path]]);
    assert.ok(existsSync(path.replace(String(process.pid), String(pid))));
  });
});
