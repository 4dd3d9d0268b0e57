import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { deriveKeys } from "../faketcp/keys.ts";
import { faketcpPrimitives } from "../host/faketcp-crypto.ts";
import { clientConfig, serverConfig } from "../tunnel/config.ts";
import { carrierPlan } from "./carrier-plan.ts";
import { rawSettings, tcpSettings } from "./carriers.ts";
import { parseFlags } from "./flags.ts";

const client = (...argv: string[]) => ({ role: "client" as const, config: parseFlags(clientConfig, { argv, env: {} }) });
const server = (...argv: string[]) => ({ role: "server" as const, config: parseFlags(serverConfig, { argv, env: {} }) });
const shown = (of: Parameters<typeof carrierPlan>[0]) => carrierPlan(of).map(({ name, at, raw }) => ({ name, at, version: raw?.version }));
const made = (of: Parameters<typeof carrierPlan>[0]) => rawSettings("a carrier", carrierPlan(of)[0]!.raw!);
const refused = (of: Parameters<typeof carrierPlan>[0], sentence: RegExp): void => {
  assert.throws(
    () => carrierPlan(of),
    (error) => error instanceof ConfigError && sentence.test(error.message),
  );
};

test("carrier: a client has one, a server several, raw ones at an address of one family each", () => {
  assert.deepEqual(shown(client()), [{ name: "udp", at: undefined, version: undefined }]);
  assert.deepEqual(shown(client("--carrier", "faketcp", "-r", "192.0.2.1:4096")), [{ name: "faketcp", at: undefined, version: 4 }]);
  assert.equal(shown(client("--carrier", "icmp", "-r", "far.example:4096"))[0]!.version, 6);
  const plan = shown(server("-l", "192.0.2.1:29900", "--carrier", "udp,faketcp", "--carrier", "rawudp=[2001:db8::1]:4096"));
  assert.deepEqual(plan, [
    { name: "udp", at: undefined, version: undefined },
    { name: "faketcp", at: { host: "192.0.2.1", port: 29900 }, version: 4 },
    { name: "rawudp", at: { host: "2001:db8::1", port: 4096 }, version: 6 },
  ]);
  const all = shown(server("--carrier", "faketcp"));
  assert.deepEqual(all[0], { name: "faketcp", at: { host: "0.0.0.0", port: 29900 }, version: 4 });
});

test("carrier: what is wrong is said in a sentence", () => {
  refused(server("--carrier", "pigeon"), /^--carrier: "pigeon" is not allowed; give NAME or NAME=host:port with a NAME of udp, faketcp,/);
  refused(server("--carrier", "faketcp=4096"), /^--carrier: "4096" is not an address/);
  refused(server("-l", ":3000-3007", "--carrier", "faketcp"), /range of ports in --listen; give faketcp=host:port$/);
  refused(server("--users", "users.json", "--carrier", "faketcp"), /^--rawkey: nothing given; with --users/);
  refused(client("--carrier", "faketcp", "--raw", "cipher-mode=rot13"), /^--raw cipher-mode: "rot13" is not allowed; give one of/);
  refused(client("--carrier", "faketcp", "--raw", "chipher-mode=xor"), /chipher-mode/);
  assert.throws(() => client("--carrier", "pigeon"), /^ConfigError: --carrier: "pigeon" is not allowed; give one of udp, faketcp/);
});

test("tcp: as kcptun's, a client has carrier tcpraw, a server has it as well", () => {
  assert.deepEqual(shown(client("--tcp")), [{ name: "tcpraw", at: undefined, version: undefined }]);
  const names = (...argv: string[]) => carrierPlan(server(...argv)).map(({ name }) => name);
  assert.deepEqual(names("--tcp"), ["udp", "tcpraw"]);
  assert.deepEqual(names("--carrier", "tcpraw", "--tcp"), ["tcpraw"]);
  refused(client("--tcp", "--carrier", "icmp"), /^--tcp and --carrier: "icmp" is not allowed with --tcp, which is carrier tcpraw/);
  refused(client("--copies", "0.5"), /^--copies: 0.5 is not allowed without --path; give a second way, or leave it out/);
});

test("tcpcarrier: connections and congestion control, and what is wrong is said", () => {
  const plan = carrierPlan(client("--carrier", "tcp", "--key", "k", "--tcpcarrier", "connections=4,congestion=reno"));
  assert.deepEqual(plan[0]!.tcp, { password: "k", connections: 4, congestion: "reno" });
  assert.equal(tcpSettings(plan[0]!.tcp!).connections, 4);
  assert.deepEqual(carrierPlan(server("--carrier", "tcp"))[0], {
    name: "tcp",
    at: { host: "::", port: 29900 },
    tcp: { password: "it's a secrect", connections: 1, congestion: "bbr" },
  });
  refused(
    client("--carrier", "tcp", "--tcpcarrier", "connections=17"),
    /^--tcpcarrier connections: "17" is not allowed; give a whole number from 1 to 16/,
  );
});

test("tcpcarrier: TLS, and what it needs", () => {
  const tls = (of: Parameters<typeof carrierPlan>[0]) => carrierPlan(of)[0]!.tcp!.tls;
  const over = (...argv: string[]) => client("--carrier", "tcp", "--tcpcarrier", "tls=true", ...argv);
  assert.deepEqual(tls(over("-r", "far.example:443")), { role: "client", options: { name: "far.example" } });
  const pin = "ab".repeat(32);
  assert.deepEqual(tls(over("-r", "192.0.2.1:443", "--tcpcarrier", `pin=${pin}`)), { role: "client", options: { pin } });
  refused(over("-r", "192.0.2.1:443"), /^--tcpcarrier name: nothing given; with an address/);
  refused(over("--tcpcarrier", "pin=abc"), /^--tcpcarrier pin: "abc" is not allowed/);
  refused(server("--carrier", "tcp", "--tcpcarrier", "tls=true"), /^--tcpcarrier cert: nothing given; tls at a server/);
  const files = server("--carrier", "tcp", "--tcpcarrier", "tls=true,cert=a.pem,certkey=b.pem");
  assert.deepEqual(tls(files), { role: "server", options: { certificate: "a.pem", key: "b.pem" } });
});

test("raw and rawkey: udp2raw's options by their names, and keys of the tunnel's key where none is given", () => {
  const how = ["--key", "tunnel's", "--raw", "cipher-mode=xor,auth-mode=simple,seq-mode=1,fix-gro=true,hb-len=7,set-ttl=9"];
  const source = ["--raw", "source-ip=192.0.2.9,source-port=4711"];
  const { raw, sourceHost, sourcePort } = made(client("--carrier", "rawudp", ...how, ...source));
  const { mode, cipherMode, authMode, seqMode, fixGro, heartbeatBytes, ttl } = raw;
  assert.deepEqual([mode, cipherMode, authMode, seqMode, fixGro, heartbeatBytes, ttl], ["udp", "xor", "simple", 1, true, 7, 9]);
  assert.deepEqual([sourceHost, sourcePort], ["192.0.2.9", 4711]);
  assert.deepEqual(raw.keys, deriveKeys("tunnel's", faketcpPrimitives));
  const own = made(server("--carrier", "faketcp", ...how, "--raw-key", "its own"));
  assert.deepEqual(own.raw.keys, deriveKeys("its own", faketcpPrimitives));
});
