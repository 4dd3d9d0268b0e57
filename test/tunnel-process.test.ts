/** The tunnel's two programs as a user starts them, over loopback: what only a whole process can show of its options, its files and its signals. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Child, Children, longhaul, sleep } from "./interop/children.ts";

const children = new Children();
const file = (name: string): string => join(children.folder, name);
const read = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : "");

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 600; tries > 0; tries--) {
    if (await condition()) return;
    await sleep(50);
  }
  assert.fail(`${what} did not come true`);
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  return port;
}

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

/** Sends a text through a unix socket and answers what comes back. */
function ask(path: string, text: string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(path, () => socket.end(text));
    let got = "";
    socket.on("data", (data) => {
      got += data;
    });
    socket.on("end", () => done(got));
    socket.on("error", fail);
  });
}

const get = (socketPath: string, path: string): Promise<string> =>
  new Promise((done) => {
    request({ socketPath, path }, (response) => {
      let text = "";
      response.on("data", (data) => {
        text += data;
      });
      response.on("end", () => done(text));
    })
      .on("error", () => done(""))
      .end();
  });

test("SIGHUP: a changed file is taken over under a running connection, a rotated log is opened anew, a broken file changes nothing", async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise<void>((done) => echo.listen(file("reload-target"), done));
  const wan = await freeUdpPort();
  const users = (names: readonly string[]): void => {
    writeFileSync(file("users.json"), JSON.stringify(names.map((name) => ({ name, key: `${name}'s` }))));
  };
  const settings = (more: object): void => {
    const fixed = { listen: `127.0.0.1:${wan}`, target: file("reload-target"), users: file("users.json"), statussocket: "none" };
    writeFileSync(file("reload.json"), JSON.stringify({ ...fixed, log: file("reload.log"), ...more }));
  };
  users(["ann"]);
  settings({});
  const server = children.start("server", [longhaul, "server", "-c", file("reload.json")]);
  const near = ["client", "-r", `127.0.0.1:${wan}`, "--statussocket", "none"];
  const ann = children.start("ann", [longhaul, ...near, "-l", file("ann"), "--key", "ann's"]);
  const bob = children.start("bob", [longhaul, ...near, "-l", file("bob"), "--key", "bob's"]);
  const reloaded = async (name: string, text: string): Promise<void> => {
    server.process.kill("SIGHUP");
    await until(`the log says "${text}"`, () => read(name).includes(text));
  };
  try {
    await until(
      "they listen",
      () => read("reload.log").includes("listening") && ann.output().includes("listening") && bob.output().includes("listening"),
    );
    const running = connect(file("ann"));
    let heard = "";
    running.on("data", (data) => {
      heard += data;
    });
    running.write("before");
    await until("it is answered", () => heard === "before");
    users(["ann", "bob"]);
    settings({ mtu: 1200, io: "node" });
    await reloaded("reload.log", "configuration reloaded");
    const line = read("reload.log")
      .split("\n")
      .find((text) => text.includes("configuration reloaded"))!;
    const { now, forNewSessions, users: change } = JSON.parse(line);
    assert.deepEqual([now, forNewSessions, change.added], [["users"], ["mtu"], ["bob"]]);
    assert.match(read("reload.log"), /"options":\["io"\],"msg":"these options change only when the program is started anew"/);
    assert.equal(await ask(file("bob"), "from bob"), "from bob");
    renameSync(file("reload.log"), file("reload.log.1"));
    writeFileSync(file("users.json"), '[{"name":"ann","key":"secret",}]');
    await reloaded("reload.log.1", "nothing has changed");
    users(["ann", "bob"]);
    await reloaded("reload.log", "configuration reloaded");
    running.end(" and after");
    await until("the old connection lives", () => heard === "before and after");
    assert.doesNotMatch(read("reload.log.1") + read("reload.log"), /secret|ann's/);
  } finally {
    await children.endAll();
    echo.close();
  }
});

test("-c, log, io, snmplog and snmpperiod, metrics, statussocket, quiet, target and localaddr as the two programs take them; SIGUSR1 tells all counters; IPv6 reaches a server on all addresses", async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise<void>((done) => echo.listen(0, "127.0.0.1", done));
  const wan = await freeUdpPort();
  const shared = { Key: "a secret", crypt: "aes-128-gcm", IO: "node", dscp: 46, snmpperiod: 1, metricsessions: 4 };
  writeFileSync(
    file("server.json"),
    JSON.stringify({
      ...shared,
      listen: `:${wan}`,
      target: `127.0.0.1:${(echo.address() as AddressInfo).port}`,
      log: file("server.log"),
      quiet: true,
      statussocket: "none",
    }),
  );
  writeFileSync(
    file("client.json"),
    JSON.stringify({
      ...shared,
      localaddr: file("app"),
      remoteaddr: hasIpv6 ? `[::1]:${wan}` : `127.0.0.1:${wan}`,
      log: file("client.log"),
      snmplog: file("snmp-2006.csv"),
      metrics: file("metrics"),
      statussocket: file("status"),
    }),
  );
  const ends: Child[] = ["server", "client"].map((role) =>
    children.start(role, [longhaul, role, "--io", "auto", "-c", file(`${role}.json`)]),
  );
  try {
    await until("both ends listen", () => read("client.log").includes("listening") && read("server.log").includes("sockets chosen"));
    for (const role of ["server", "client"]) assert.match(read(`${role}.log`), /"io":"node"/, "the file is above the command line");
    assert.equal(await ask(file("app"), "through the tunnel"), "through the tunnel");
    const rows = (): string[] => read(`snmp-${new Date().getFullYear()}.csv`).split("\n");
    await until("there are two rows", () => rows().length > 3);
    assert.ok(rows()[0]!.startsWith("Unix,BytesSent,BytesReceived"));
    await until("the rows count what was sent", () => Number(rows().at(-2)!.split(",")[1]) > 0);
    assert.match(await get(file("metrics"), "/metrics"), /longhaul_session_rtt_seconds/);
    assert.match(await get(file("status"), "/status"), /"sessions"/);
    for (const { process } of ends) process.kill("SIGUSR1");
    await until("both answer the signal", () =>
      ["server", "client"].every((role) => read(`${role}.log`).includes("counters of this process")),
    );
    const line = read("client.log")
      .split("\n")
      .find((text) => text.includes("counters of this process"))!;
    const { BytesSent, ActiveOpens, FECParityShards } = JSON.parse(line);
    // On a busy machine what is said first may leave as one burst, which has parity before loss is known.
    assert.ok(BytesSent > 0 && ActiveOpens === 1 && FECParityShards <= 2, line);
    assert.match(read("client.log"), /"msg":"session"/, "and of each session");
    assert.match(read("client.log"), /connection opened/);
    assert.match(read("client.log"), /dscp is not set/, "what these sockets cannot do is said");
    assert.doesNotMatch(read("server.log"), /"msg":"connection /);
    for (const end of ends) assert.equal(end.output(), "", "nothing goes to the terminal");
    assert.equal(existsSync(file("none")), false);
    assert.doesNotMatch(read("server.log") + read("client.log"), /a secret/);
  } finally {
    await children.endAll();
    echo.close();
  }
});

test("wrong options end the program with status 2 and one sentence that names the key and what is allowed", async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["client", "--mtu", "9000"], /^longhaul: --mtu: "9000" is not allowed; give a whole number from 64 to 1500 \(.+\)\n$/],
    [["server", "--crypt", "rot13"], /^longhaul: --crypt: "rot13" is not allowed; give one of aes, .+\n$/],
    [["client", "--datashard", "200", "--parityshard", "100"], /^longhaul: --datashard and --parityshard: .+ at most 255\n$/],
    [["server", "-t", "nowhere", "-l", "127.0.0.1:0-70000"], /^longhaul.*--listen: .+\n$/],
  ];
  const runs = wrong.map(([args]) => children.start("wrong", [longhaul, ...args]));
  const codes = await Promise.all(runs.map(({ exited }) => exited));
  runs.forEach((run, i) => {
    assert.match(
      run
        .output()
        .split("\n")
        .filter((text) => !text.startsWith("{"))
        .join("\n"),
      wrong[i]![1],
    );
  });
  assert.deepEqual(codes, [2, 2, 2, 2]);
});
