/**
 * Every option of `longhaul raw` is proven: the table names a test that fails when it is ignored.
 *
 * What shows in virtual time stands in sim/raw-options.test.ts, what the command line alone decides in src/cli, what only the kernel shows in
 * test/netns/raw-options.ts, which needs root and is run in CI.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { optionsOf } from "../src/cli/option.ts";
import { rawConfig } from "../src/cli/raw-options.ts";

type Proof = readonly [file: string, name: string];

const [sim, live, settings] = ["sim/raw-options.test.ts", "test/netns/raw-options.ts", "src/cli/raw-settings.test.ts"];
const command = "test/netns/raw-command.ts";
const rule = "src/cli/raw-rule.test.ts";
const idle: Proof = [settings, "what is only there for old command lines changes nothing"];

const proofs: Readonly<Record<string, Proof>> = {
  client: [settings, "values glued to letters"],
  server: [settings, "values glued to letters"],
  local: [live, "local and remote"],
  remote: [live, "local and remote"],
  key: [settings, "the key ends at its first blank"],
  "key-file": [settings, "the key ends at its first blank"],
  "raw-mode": [sim, "raw-mode: "],
  "cipher-mode": [sim, "cipher-mode, auth-mode and fix-gro"],
  "auth-mode": [sim, "cipher-mode, auth-mode and fix-gro"],
  compat: [settings, "without a mode two of ours have aes128gcm"],
  "easy-tcp": [settings, "--easy-tcp"],
  "auto-rule": [live, "auto-rule: "],
  "gen-rule": [rule, "-g prints"],
  "gen-add": [live, "gen-add: "],
  "keep-rule": [command, "was gone, restored"],
  clear: [live, "clear: "],
  "wait-lock": idle,
  "disable-anti-replay": [sim, "disable-anti-replay: "],
  "fix-gro": [sim, "cipher-mode, auth-mode and fix-gro"],
  "source-ip": [live, "source-ip and source-port"],
  "source-port": [live, "source-ip and source-port"],
  dev: [live, "dev: "],
  "lower-level": [live, "lower-level: "],
  fifo: [live, "fifo: "],
  "conf-file": [settings, "the file: an option on a line"],
  "log-level": [live, "log-level: "],
  "log-position": idle,
  "disable-color": [settings, "disable-color"],
  "enable-color": idle,
  "disable-bpf": idle,
  "sock-buf": [live, "sock-buf and force-sock-buf"],
  "force-sock-buf": [live, "sock-buf and force-sock-buf"],
  "retry-on-error": [live, "retry-on-error: "],
  "seq-mode": [sim, "seq-mode: "],
  "hb-len": [sim, "hb-len and hb-mode"],
  "hb-mode": [sim, "hb-len and hb-mode"],
  "mtu-warn": [live, "mtu-warn: "],
  "max-rst-to-show": [live, "max-rst-to-show and max-rst-allowed"],
  "max-rst-allowed": [live, "max-rst-to-show and max-rst-allowed"],
  "random-drop": [live, "random-drop: "],
  "set-ttl": [sim, "set-ttl: "],
  workers: [live, "workers: "],
  metrics: [live, "metrics and statussocket"],
  statussocket: [live, "metrics and statussocket"],
  "simple-rule": idle,
  "dns-resolve": idle,
};

test("every option of longhaul raw has a test that fails when it is ignored", () => {
  const missing = optionsOf(rawConfig)
    .map(({ key }) => key)
    .filter((key) => proofs[key] === undefined);
  assert.deepEqual(missing, [], `name a proof of --${missing.join(", --")} in test/raw-options.test.ts`);
});

test("the proofs exist, and none is of an option that does not", () => {
  const root = join(import.meta.dirname, "..");
  const known = new Set(optionsOf(rawConfig).map(({ key }) => key));
  for (const [key, [file, name]] of Object.entries(proofs)) {
    assert.ok(known.has(key), `there is no option ${key} any more`);
    assert.ok(existsSync(join(root, file)), `${file} is named as the proof of ${key} and is not there`);
    assert.ok(readFileSync(join(root, file), "utf8").includes(name), `${file} has no test "${name}", the proof of ${key}`);
  }
});
