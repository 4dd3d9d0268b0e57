import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { laterRawOptions } from "./raw-options.ts";
import { parseRaw, type RawSettings } from "./raw-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "longhaul-raw-"));
after(() => rmSync(folder, { recursive: true }));

const ends = ["-c", "-l", "127.0.0.1:3333", "-r", "192.0.2.1:4096"];

function request(argv: readonly string[], env: Record<string, string> = {}) {
  return parseRaw({ argv, env });
}
function settings(argv: readonly string[], env: Record<string, string> = {}): RawSettings {
  const answer = request(argv, env);
  return answer.action === "clear" ? assert.fail("no settings") : answer.settings;
}
function refused(argv: readonly string[], expected: RegExp): void {
  assert.throws(
    () => request(argv),
    (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, expected);
      assert.ok(!error.message.includes("\n"));
      return true;
    },
  );
}
function file(text: string): string {
  const path = join(folder, "raw.conf");
  writeFileSync(path, text);
  return path;
}

test("without a mode two of ours have aes128gcm; with one, or by --compat, the defaults are udp2raw's", () => {
  const modes = (...argv: string[]) => {
    const { cipherMode, authMode, antiReplay } = settings([...ends, ...argv]);
    return [cipherMode, authMode, antiReplay];
  };
  assert.deepEqual(
    modes().filter((_, i) => i !== 1),
    ["aes128gcm", true],
  );
  assert.deepEqual(modes("--auth-mode", "hmac_sha1"), ["aes128cbc", "hmac_sha1", true]);
  assert.deepEqual(modes("--cipher-mode", "xor"), ["xor", "md5", true]);
  assert.deepEqual(modes("--compat", "udp2raw"), ["aes128cbc", "md5", true]);
  assert.deepEqual(modes("--compat", "udp2raw", "--auth-mode", "none"), ["aes128cbc", "none", false]);
  assert.equal(modes("--cipher-mode", "aes128gcm", "--disable-anti-replay")[2], false);
  refused([...ends, "--cipher-mode", "aes128gcm", "--auth-mode", "md5"], /^--auth-mode: "md5" is not allowed with --cipher-mode aes128gcm/);
});

test("udp2raw's defaults", () => {
  assert.deepEqual(settings([...ends, "--compat", "udp2raw"]), {
    role: "client",
    local: { host: "127.0.0.1", port: 3333 },
    remote: { host: "192.0.2.1", port: 4096 },
    password: "secret key",
    passwordCut: false,
    mode: "faketcp",
    stream: false,
    easy: false,
    seqMode: 3,
    cipherMode: "aes128cbc",
    authMode: "md5",
    fixGro: false,
    heartbeatBytes: 1200,
    heartbeatMode: 1,
    antiReplay: true,
    ttl: 64,
    bufferBytes: 1_048_576,
    sourceIp: undefined,
    sourcePort: undefined,
    mtuWarnBytes: 1375,
    device: undefined,
    lowerLevel: undefined,
    fifo: undefined,
    forceBuffers: false,
    retryOnError: false,
    resetsShown: 15,
    resetsAllowed: undefined,
    randomDrop: 0,
    workers: 1,
    firewall: "none",
    logLevel: "info",
    colors: true,
  });
});

test("values glued to letters, letters together, values after = and values that begin with -", () => {
  const given = settings([
    "-sa",
    "-l[2001:db8::1]:4096",
    "-r127.0.0.1:5000",
    "--cipher-mode=xor",
    "-k",
    "-x",
    "--hb-len",
    "0",
    "--seq-mode",
    "4",
  ]);
  assert.deepEqual([given.role, given.local, given.firewall], ["server", { host: "2001:db8::1", port: 4096 }, "auto"]);
  assert.deepEqual([given.cipherMode, given.password, given.heartbeatBytes, given.seqMode], ["xor", "-x", 0, 4]);
  const more = settings([...ends, "--keep-rule", "--source-ip", "192.0.2.9", "--source-port=4000", "--sock-buf", "10", "--set-ttl", "44"]);
  assert.deepEqual([more.firewall, more.sourceIp, more.sourcePort, more.bufferBytes, more.ttl], ["keep", "192.0.2.9", 4000, 10_240, 44]);
  assert.equal(settings([...ends, "--auth-mode", "none"]).antiReplay, false, "auth none has nothing to tell replays by");
  assert.equal(settings([...ends, "--disable-anti-replay"]).antiReplay, false);
});

test("options of the sockets and of the process", () => {
  const words = ["--dev", "wan0", "--lower-level", "eth0#00:16:3e:0a:0b:0C", "--fifo", "/run/raw", "--force-sock-buf", "--retry-on-error"];
  const given = settings([...ends, ...words, "--max-rst-to-show", "0", "--max-rst-allowed", "7", "--random-drop", "3000"]);
  assert.deepEqual(given.lowerLevel, { device: "eth0", mac: Uint8Array.of(0, 0x16, 0x3e, 10, 11, 12) });
  assert.deepEqual([given.device, given.fifo, given.forceBuffers, given.retryOnError], ["wan0", "/run/raw", true, true]);
  assert.deepEqual([given.resetsShown, given.resetsAllowed, given.randomDrop], [0, 7, 3000]);
  assert.equal(settings([...ends, "--lower-level", "auto"]).lowerLevel, "auto");
  assert.equal(settings([...ends, "--disable-color"]).colors, false);
});

test("what is only there for old command lines changes nothing", () => {
  const idle = ["--wait-lock", "--log-position", "--enable-color", "--disable-bpf", "--simple-rule", "--dns-resolve"];
  assert.deepEqual(settings([...ends, ...idle]), settings(ends));
});

test("the key ends at its first blank; from the command line, a file or the environment", () => {
  assert.equal(settings(ends, { LONGHAUL_RAW_KEY: "outer" }).password, "outer");
  assert.equal(settings([...ends, "-k", "inner"], { LONGHAUL_RAW_KEY: "outer" }).password, "inner");
  assert.equal(settings([...ends, "--key-file", file("of a file\n")]).password, "of");
  const cut = settings([...ends, "--key", " secret key"]);
  assert.deepEqual([cut.password, cut.passwordCut], ["secret", true]);
  refused([...ends, "--key", "  "], /^--key: nothing but blanks given/);
  refused([...ends, "--key", "a", "--key-file", "b"], /both given/);
  refused([...ends, "--key-file", join(folder, "missing")], /^--key-file: ".*missing" cannot be used/);
});

test("the file: an option on a line, split once, the rest of the line as it is", () => {
  const text = "# comment\n\n  -c\t\n-l 127.0.0.1:3333\r\n-r   192.0.2.1:4096\n--key \t pass#word 'x'\n\t--raw-mode icmp\n";
  const given = settings(["--conf-file", file(text)]);
  assert.deepEqual([given.role, given.local.port, given.remote.port, given.mode], ["client", 3333, 4096, "icmp"]);
  assert.equal(given.password, "pass#word");
  assert.equal(settings([...ends, "--conf-file", file("-k inner")]).password, "inner");
  refused([...ends, "--conf-file", file("-l 127.0.0.1:1")], /^-l: given twice/);
  refused(["--conf-file", file("--conf-file other")], /^--conf-file: given twice/);
  refused(["--conf-file", file("-c\nkey secret")], /^--conf-file: line 2 of ".*" does not begin with -$/);
  refused(["--conf-file", file("--key-x 1\n")], /^unknown option --key-x/);
  refused(["--conf-file", join(folder, "missing")], /^--conf-file: ".*missing" cannot be used/);
});

test("what ends the program: clear needs nothing else, gen-add goes before gen-rule", () => {
  assert.deepEqual(request(["--clear"]), { action: "clear" });
  assert.equal(request([...ends, "-a", "-g"]).action, "printRule");
  assert.equal(request([...ends, "-g", "--gen-add"]).action, "addRule");
  assert.equal(request(["explain", ...ends]).action, "explain");
  assert.equal(request(ends).action, "carry");
});

test("every option that is not there yet, and every unknown one, is refused by name", () => {
  for (const name of laterRawOptions.names)
    refused([...ends, `--${name}`, "1"], new RegExp(`^--${name} is an option of udp2raw that .* not have yet`));
  for (const mode of ["easyfaketcp", "easy_faketcp", "easy-faketcp"]) {
    const { mode: outside, easy } = settings([...ends, "--raw-mode", mode]);
    assert.deepEqual([outside, easy], ["faketcp", true]);
  }
  assert.equal(settings([...ends, "--easy-tcp"]).easy, true);
  refused([...ends, "--raw-mode", "easyfaketcp", "-a"], /^--auto-rule: not allowed with easyfaketcp/);
  refused([...ends, "--cipher-mod", "xor"], /^unknown option --cipher-mod; did you mean --cipher-mode\?$/);
  refused([...ends, "-x"], /^unknown option -x/);
  refused([...ends, "--l", "1"], /^unknown option --l;/);
});

test("wrong values: one sentence that names the key, what was given and what is allowed, and never the password", () => {
  refused([], /^-c and -s: neither given; give -c/);
  refused([...ends, "-s"], /^-c and -s: both given/);
  refused(["-c", "-r", "192.0.2.1:4096"], /^-l: nothing given/);
  refused(["-c", "-l", "127.0.0.1:3333"], /^-r: nothing given/);
  refused(["-c", "-l", "127.0.0.1:22", "-r", "192.0.2.1:4096"], /^--local: port 22 is not allowed/);
  refused(["-c", "-l", "127.0.0.1:3333", "-r", "192.0.2.1:22"], /^--remote: port 22 is not allowed/);
  refused(["-c", "-l", ":3333", "-r", "192.0.2.1:4096"], /^--local: ":3333" is not allowed; give 0\.0\.0\.0:3333 for IPv4/);
  refused(["-c", "-l", "here:3333", "-r", "192.0.2.1:4096"], /^--local: "here:3333" is not allowed; give a literal/);
  refused(["-c", "-l", "127.0.0.1:3333", "-r", "192.0.2.1:65536"], /^--remote: "192\.0\.2\.1:65536" is not an address/);
  refused([...ends, "--source-ip", "::1"], /^--source-ip: "::1" is not allowed; give a literal IPv4 address/);
  refused([...ends, "--raw-mode", "tls"], /^--raw-mode: "tls" is not allowed; give one of faketcp, icmp, udp, tcp, easyfaketcp/);
  assert.equal(settings([...ends, "--raw-mode", "tcp"]).stream, true);
  refused([...ends, "--raw-mode", "tcp", "-a"], /^--auto-rule, .* not allowed with --raw-mode tcp/);
  refused([...ends, "--seq-mode", "5"], /^--seq-mode: "5" is not allowed; give a whole number from 0 to 4/);
  refused([...ends, "--sock-buf", "9"], /^--sock-buf: "9" .* from 10 to 10240/);
  refused([...ends, "--lower-level", "eth0"], /^--lower-level: "eth0" is not allowed; give route, auto or an interface and an address/);
  refused([...ends, "--random-drop", "10001"], /^--random-drop: "10001" .* from 0 to 10000/);
  refused([...ends, "--hb-len"], /^--hb-len needs a value/);
  refused([...ends, "--fix-gro=1"], /^--fix-gro takes no value/);
  refused([...ends, "-k", "pass", "phrase"], /^argument 8 is not an option/);
  refused([...ends, "--", "x"], /^argument 6 is not an option/);
  refused([...ends, "-k", "a", "--key", "b"], /^--key: given twice; give it once$/);
});
