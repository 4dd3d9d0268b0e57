/** The units for systemd: sound, and each runs a command with options that exist. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");
const folder = join(root, "examples/systemd");
const units = readdirSync(folder);
const program = "/usr/local/bin/longhaul";
const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;

test("units are sound for systemd", { skip: !analyze && "no systemd-analyze here" }, () => {
  const copies = mkdtempSync(join(tmpdir(), "longhaul-units-"));
  try {
    for (const unit of units) {
      const copy = join(copies, unit);
      writeFileSync(copy, readFileSync(join(folder, unit), "utf8").replace(program, join(root, "bin/longhaul")));
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", copy], { encoding: "utf8" });
      const words = stderr.split("\n").filter((line) => line.includes(unit));
      assert.deepEqual({ status, words }, { status: 0, words: [] }, unit);
    }
  } finally {
    rmSync(copies, { recursive: true });
  }
});

test("units run commands with options that exist, and the documentation names them all", () => {
  const documented = readFileSync(join(root, "docs/service.md"), "utf8");
  for (const unit of units) {
    const [, line] = /^ExecStart=(.*)$/m.exec(readFileSync(join(folder, unit), "utf8")) ?? [];
    const [path, ...words] = line!.split(" ");
    assert.equal(path, program);
    const options = words.filter((word) => word.startsWith("-"));
    const command = words.slice(0, options.length === 0 ? words.length : words.indexOf(options[0]!));
    const help = spawnSync(join(root, "bin/longhaul"), [...command, "--help"], { encoding: "utf8" }).stdout;
    assert.match(help, new RegExp(`^Usage: longhaul ${command.join(" ")}`));
    for (const option of options) assert.ok(new RegExp(`^ *(-., )?${option}[ ,]`, "m").test(help), `${unit}: ${option}`);
    assert.ok(documented.includes(unit.replace(".service", "")), `${unit} is not in docs/service.md`);
  }
});

test("the configuration that a unit's head shows is one", () => {
  for (const name of ["server", "client"]) {
    const [, json] = /^# {3}(\{.*\})$/m.exec(readFileSync(join(folder, `longhaul-${name}.service`), "utf8")) ?? [];
    const file = join(mkdtempSync(join(tmpdir(), "longhaul-unit-")), `${name}.json`);
    const { listen: _listen, ...rest } = JSON.parse(json!);
    writeFileSync(file, JSON.stringify({ ...rest, mtu: 1 }));
    const { status, stderr } = spawnSync(join(root, "bin/longhaul"), [name, "-c", file], { encoding: "utf8", timeout: 10_000 });
    // Only what was made wrong is refused.
    assert.equal(status, 2, stderr);
    assert.match(stderr, /mtu/);
  }
});
