import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { clientConfig } from "../tunnel/config.ts";
import { parseFlags } from "./flags.ts";
import { flagsOfFile, splitFile } from "./kcptun-file.ts";
import { optionsOf } from "./option.ts";

const folder = mkdtempSync(join(tmpdir(), "longhaul-kcptun-"));
after(() => rmSync(folder, { recursive: true }));

function file(value: unknown): string {
  const path = join(folder, "c.json");
  writeFileSync(path, JSON.stringify(value));
  return path;
}
const parse = (value: unknown, argv: string[] = []) =>
  parseFlags(clientConfig, { argv: [...argv, ...flagsOfFile(file(value), optionsOf(clientConfig))], env: {}, lenient: true });

test("keys in any case, unknown and null ones ignored, the file wins, what asks for nothing is taken", () => {
  const { key, mtu, nocomp, conn, QPPCount } = parse(
    { Key: "secret=1", MTU: 1300, NoComp: true, nobody: { knows: 1 }, conn: null, tcp: false, pprof: true, qpp: false, "qpp-count": 67 },
    ["--mtu", "1200", "--conn", "3"],
  );
  assert.deepEqual([key, mtu, nocomp, conn, QPPCount], ["secret=1", 1300, true, 3, 67]);
});

test("tcp in the file asks for carrier tcpraw", () => {
  assert.deepEqual([parse({ TCP: true }).tcp, parse({ tcp: false }, ["--tcp"]).tcp], [true, false]);
});

test("what kcptun forgives is forgiven", () => {
  const { mtu, mode, crypt, keepalive, dscp } = parse({ mtu: 9000, mode: "turbo", crypt: "aes-256", keepalive: 60, dscp: -1 });
  assert.deepEqual([mtu, mode, crypt, keepalive, dscp], [1500, "manual", "aes", 30, 0]);
});

test("wrong types are refused as Go refuses them", () => {
  for (const wrong of [{ mtu: "1350" }, { mtu: 1.5 }, { nocomp: "true" }, { key: 7 }, { tcp: "true" }, [1], 7]) {
    assert.throws(() => parse(wrong), ConfigError, JSON.stringify(wrong));
  }
});

test("-c in all its spellings", () => {
  assert.deepEqual(splitFile(["-c", "x", "--key", "-c"]), { file: "", rest: ["--key"] });
  assert.deepEqual(splitFile(["--c=x=y", "-conn", "2"]), { file: "x=y", rest: ["-conn", "2"] });
});

test("exit status 255 for a wrong file, 1 for a wrong flag, 0 for help", () => {
  const run = (...argv: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "kcptun.ts"), "client", ...argv], { encoding: "utf8" });
  const wrong = run("-c", file({ mtu: "1350" }));
  assert.deepEqual([wrong.status, wrong.stderr], [255, 'kcptun: -c: "mtu" is "1350"; it must be a whole number\n']);
  assert.equal(run("--nonsense").status, 1);
  assert.match(run("-h").stdout, /^Usage: kcptun-client \[options\]/);
});

test("lists of ours may stand in kcptun's file, as arrays of texts or as one text", () => {
  const options = optionsOf(clientConfig);
  const path = join(folder, "lists.json");
  writeFileSync(path, JSON.stringify({ forward: [":1=a", "udp::53=dns"], Reverse: "web=:80" }));
  assert.deepEqual(flagsOfFile(path, options), ["--forward=:1=a", "--forward=udp::53=dns", "--reverse=web=:80"]);
  writeFileSync(path, JSON.stringify({ forward: [1] }));
  assert.throws(() => flagsOfFile(path, options), /"forward" is \[1\]; it must be a string/);
});
