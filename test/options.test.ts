/**
 * Every option of the tunnel's two programs is proven: the table names, for each end, a test that fails when that end ignores the option.
 *
 * A new option fails here until it has its line. The proof of what shows on the wire or in virtual time goes to sim/tunnel-wire.test.ts, of what shows
 * between the two ends to sim/tunnel-options.test.ts, of what only a whole process shows to test/tunnel-process.test.ts.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { optionsOf } from "../src/cli/option.ts";
import { clientConfig, serverConfig } from "../src/tunnel/config.ts";

const flow = "sim/tunnel-flows.test.ts";
const root = join(import.meta.dirname, "..");
const [wire, sim, process] = ["sim/tunnel-wire.test.ts", "sim/tunnel-options.test.ts", "test/tunnel-process.test.ts"];

const users = "sim/tunnel-users.test.ts";

/** File and a part of the test's name as it is written there; one that goes on with "at the" runs for both ends. */
type Proof = readonly [file: string, name: string];

const addresses: Readonly<Record<string, Proof>> = {
  localaddr: [process, "localaddr"],
  remoteaddr: [sim, "remoteaddr and listen as ranges"],
  listen: [sim, "remoteaddr and listen as ranges"],
  target: [process, "target"],
  forward: ["sim/tunnel-targets.test.ts", "forward and targets"],
  targets: ["sim/tunnel-targets.test.ts", "forward and targets"],
  reverse: ["sim/tunnel-reverse.test.ts", "reverse: connections and datagrams at the server"],
  ports: [sim, "remoteaddr and listen as ranges"],
};

const carriers = "src/cli/carriers.test.ts";

const both: Readonly<Record<string, Proof>> = {
  carrier: [carriers, "carrier: a client has one"],
  path: ["sim/ways.test.ts", "a way dies under a connection"],
  copies: ["sim/copies.test.ts", "everything is copied: the way that is taken dies"],
  rawkey: [carriers, "raw and rawkey"],
  raw: [carriers, "raw and rawkey"],
  tcp: [carriers, "tcp: as kcptun's"],
  tcpcarrier: [carriers, "tcpcarrier: "],
  key: ["sim/tunnel-mismatch.test.ts", "both our ends name it within 2 s"],
  crypt: ["sim/tunnel-mismatch.test.ts", "both our ends name it within 2 s"],
  cryptfallback: ["src/cli/flags.test.ts", "an unknown cipher means aes only where that is asked for"],
  mode: [wire, "mode at the "],
  nodelay: [wire, "mode at the "],
  interval: [wire, "mode at the "],
  resend: [wire, "mode at the "],
  nc: [wire, "mode at the "],
  mtu: [wire, "mtu at the "],
  datashard: [wire, "datashard and parityshard at the "],
  parityshard: [wire, "datashard and parityshard at the "],
  dscp: ["src/host/epoll-errors.test.ts", "DSCP marks both families, buffers are as large"],
  gso: [sim, "dscp, gso and sockbuf reach the sockets of both ends"],
  sockbuf: [sim, "dscp, gso and sockbuf reach the sockets of both ends"],
  QPP: [sim, "QPP and QPPCount"],
  QPPCount: [sim, "QPP and QPPCount"],
  nocomp: [wire, "smuxver and nocomp"],
  smuxver: [wire, "smuxver and nocomp"],
  ratelimit: [wire, "ratelimit at the "],
  acknodelay: [wire, "acknodelay at the "],
  smuxbuf: [wire, "smuxbuf at the "],
  framesize: [wire, "framesize at the "],
  streambuf: [wire, "streambuf at the "],
  spill: ["sim/tunnel-stall.test.ts", "spill at the "],
  stallwait: ["sim/tunnel-stall.test.ts", "stallwait at the "],
  keepalive: [wire, "keepalive at the "],
  closewait: [sim, "closewait"],
  compat: [wire, "compat: a receiver of 2021"],
  streams: [wire, "streams at the "],
  flows: [flow, "flows: no more than so many, at either end"],
  flowidle: [flow, "flowidle: a flow ends when it idles"],
  flowqueue: [flow, "flowqueue at the "],
  flowparts: [flow, "flowparts at the "],
  extensions: ["sim/tunnel-extension.test.ts", "a client without extensions says none"],
  workers: ["test/tunnel-workers.test.ts", "workers: "],
  io: [process, "io,"],
  log: [process, "log,"],
  snmplog: [process, "snmplog"],
  snmpperiod: [process, "snmpperiod"],
  quiet: [wire, "quiet at the "],
  metrics: [process, "metrics"],
  metricsessions: ["sim/tunnel-metrics.test.ts", "sessions have series of their own up to the option"],
  statussocket: [process, "statussocket"],
  sndwnd: [wire, "sndwnd at the "],
  rcvwnd: [wire, "rcvwnd at the "],
};

const client: Readonly<Record<string, Proof>> = {
  conn: [sim, "conn: sessions are used in turn"],
  autoexpire: [sim, "autoexpire and scavengettl"],
  scavengettl: [sim, "autoexpire and scavengettl"],
  retired: [sim, "retired:"],
  maxdelay: ["sim/rtmp-forward.test.ts", "maxdelay: after an outage"],
};

const server: Readonly<Record<string, Proof>> = {
  proxyprotocol: [sim, "proxyprotocol"],
  sessions: [wire, "sessions: a client beyond it"],
  state: ["test/tunnel-workers.test.ts", "users' limits and quotas over threads"],
  metricusers: ["sim/tunnel-metrics.test.ts", "users have series of their own up to the option"],
  users: [users, "clients of three users and ciphers share a port"],
  tries: [users, "tries: strangers cost so many"],
  triesonce: [users, "triesonce: a user beyond"],
};

const proofs: Readonly<Record<string, Proof>> = { ...addresses, ...both, ...client, ...server };
const schemas = { client: clientConfig, server: serverConfig };

for (const [role, schema] of Object.entries(schemas)) {
  test(`every option of longhaul ${role} has a test that fails when it is ignored`, () => {
    const missing = optionsOf(schema)
      .map(({ key }) => key)
      .filter((key) => proofs[key] === undefined);
    assert.deepEqual(
      missing,
      [],
      `name a proof of --${missing.join(", --")} in test/options.test.ts, and write it where the head of that file says`,
    );
  });
}

test("the proofs exist, and none is of an option that does not", () => {
  const known = new Set(Object.values(schemas).flatMap((schema) => optionsOf(schema).map(({ key }) => key)));
  for (const [key, [file, name]] of Object.entries(proofs)) {
    assert.ok(known.has(key), `test/options.test.ts: there is no option ${key} any more`);
    assert.ok(existsSync(join(root, file)), `test/options.test.ts: ${file} is named as the proof of ${key} and is not there`);
    assert.ok(
      readFileSync(join(root, file), "utf8").includes(name),
      `test/options.test.ts: ${file} has no test "${name}", the proof of ${key}`,
    );
  }
});
