import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { clientConfig, serverConfig } from "../tunnel/config.ts";
import { commandHelp } from "./command.ts";
import { parseFlags } from "./flags.ts";

const parse = (argv: string[], env: Record<string, string> = {}) => parseFlags(clientConfig, { argv, env, later: ["pprof"] });
const message = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return assert.fail("accepted");
};

test("kcptun's defaults, per end", () => {
  const client = parse(["--mode", "fast"]);
  assert.equal(client.localaddr, ":12948");
  assert.equal(client.crypt, "aes");
  assert.equal(client.key, "it's a secrect");
  assert.deepEqual([client.mtu, client.sndwnd, client.rcvwnd, client.datashard, client.parityshard], [1350, 128, 512, 10, 3]);
  const server = parseFlags(serverConfig, { argv: ["--mode", "fast"], env: {} });
  assert.deepEqual([server.sndwnd, server.rcvwnd, server.listen, server.target], [1024, 1024, ":29900", "127.0.0.1:12948"]);
});

test("long, short, single-dash, inline and switch forms, and aliases", () => {
  const config = parse([
    "-r",
    "host:1",
    "-mode",
    "fast3",
    "--mtu=1200",
    "--nocomp",
    "--ds",
    "5",
    "-ps=2",
    "--quiet=false",
    "--acknodelay",
    "true",
  ]);
  assert.equal(config.remoteaddr, "host:1");
  assert.equal(config.mode, "fast3");
  assert.equal(config.mtu, 1200);
  assert.deepEqual([config.nocomp, config.quiet, config.acknodelay], [true, false, true]);
  assert.deepEqual([config.datashard, config.parityshard], [5, 2]);
});

test("environment below flags, JSON file above them, its keys in any case", () => {
  assert.equal(parse([], { KCPTUN_KEY: "from env" }).key, "from env");
  assert.equal(parse(["--key", "from flag"], { LONGHAUL_KEY: "from env" }).key, "from flag");
  const folder = mkdtempSync(join(tmpdir(), "longhaul-flags-"));
  const path = join(folder, "c.json");
  writeFileSync(path, JSON.stringify({ KEY: "from file", NoComp: true, mtu: 1300 }));
  const config = parse(["--key", "from flag", "-c", path]);
  rmSync(folder, { recursive: true });
  assert.deepEqual([config.key, config.nocomp, config.mtu], ["from file", true, 1300]);
});

test("in mode auto everything is measured, and windows only bound it", () => {
  const { mode, sndwnd, rcvwnd, smuxbuf, streambuf } = parse([]);
  assert.deepEqual([mode, sndwnd, rcvwnd, smuxbuf, streambuf], ["auto", 8192, 8192, 16_777_216, 16_777_216]);
  assert.equal(parse(["--mode", "auto", "--sndwnd", "100"]).sndwnd, 100);
});

test("a generation of kcptun brings its defaults, below what is given", () => {
  assert.deepEqual([parse([]).smuxver, parse([]).framesize], [2, 8192]);
  const old = parse(["--compat", "2021"]);
  assert.deepEqual([old.smuxver, old.framesize, old.compat], [1, 4096, "2021"]);
  assert.equal(parse(["--compat", "2021", "--smuxver", "2"]).smuxver, 2);
  assert.equal(parse([], { LONGHAUL_COMPAT: "2021" }).smuxver, 1);
});

test("an unknown cipher means aes only where that is asked for", () => {
  assert.equal(parse(["--crypt", "aes-256", "--cryptfallback"]).crypt, "aes");
  assert.equal(parse(["--crypt", "null", "--cryptfallback"]).crypt, "null");
  assert.throws(() => parse(["--crypt", "aes-256"]), ConfigError);
});

test("what is wrong is named in one sentence: key, given, allowed", () => {
  assert.equal(
    message(() => parse(["--mtu", "9000"])),
    '--mtu: "9000" is not allowed; give a whole number from 64 to 1500 (bytes in one UDP datagram)',
  );
  assert.match(
    message(() => parse(["--crypt", "rot13"])),
    /--crypt: "rot13" is not allowed; give one of aes, .*null/,
  );
  assert.match(
    message(() => parse(["--mod", "fast"])),
    /unknown option --mod; did you mean --mode\?/,
  );
  assert.match(
    message(() => parse(["--pprof"])),
    /does not have yet/,
  );
  assert.match(
    message(() => parse(["--mtu"])),
    /--mtu needs a value/,
  );
  assert.match(
    message(() => parse(["loose"])),
    /"loose" is not an option/,
  );
  assert.match(
    message(() => parse(["-c", "/nowhere.json"])),
    /--config: "\/nowhere.json" cannot be used/,
  );
});

test("a secret that is refused is not printed", () => {
  assert.ok(!message(() => parse(["--key", ""])).includes('""'));
});

test("help shows every option once, with default and choices, and no hidden ones", () => {
  const help = commandHelp({ name: "client", text: "", examples: [], schema: clientConfig, run: async () => 0 });
  assert.match(help, /-r, --remoteaddr V +the server: host:port, or host:min-max for a random port per session;.* \(default vps:29900\)/);
  assert.match(help, /--mode V .*auto \| normal \| fast \| fast2 \| fast3 \| manual; default auto/);
  assert.match(help, /--sndwnd V .*\(default 8192; 128 with another --mode\)/);
  assert.match(help, /--framesize V .*\(default 8192; 4096 with --compat 2021\)/);
  assert.match(help, /--datashard, --ds V/);
  assert.ok(!help.includes("--interval"));
  assert.ok(!help.includes("secrect"));
});

test("lists add up, with commas too, in files and in the environment; forward takes the place of the default localaddr", () => {
  assert.deepEqual(parse(["--forward", ":1=a,:2=b", "--forward=:3"]).forward, [":1=a", ":2=b", ":3"]);
  assert.deepEqual(parse([], { LONGHAUL_FORWARD: ":1=a, :2=b" }).forward, [":1=a", ":2=b"]);
  const folder = mkdtempSync(join(tmpdir(), "longhaul-flags-"));
  const path = join(folder, "c.json");
  writeFileSync(path, JSON.stringify({ forward: [":1=a", "udp::53=dns"] }));
  assert.deepEqual(parse(["-c", path]).forward, [":1=a", "udp::53=dns"]);
  rmSync(folder, { recursive: true });
  assert.deepEqual(
    [parse([]).localaddr, parse(["--forward", ":1"]).localaddr, parse(["--forward", ":1", "-l", ":2"]).localaddr],
    [":12948", "", ":2"],
  );
  assert.match(
    message(() => parse(["--forward", ""])),
    /--forward: .* is not allowed; give texts, once for each or with commas/,
  );
});
