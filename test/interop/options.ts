/**
 * Options and failures shown live against Debian's kcptun, over loopback, under the name kcptun-client:
 * conn, autoexpire, a restarted server, wrong settings, snmplog; half close and a range of ports against our own server.
 *
 *   node test/interop/options.ts
 *
 * Needs Debian's package kcptun. Takes about 25 s; no check depends on how fast the machine is. Closes with `N passed, N failed, N skipped`.
 */
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { Tally } from "./checks.ts";
import { type Child, Children, longhaul, root, sleep, waitFor } from "./children.ts";

const ourClient = join(root, "bin/kcptun-client");
const children = new Children();
const [wan, local, target] = [23_900, 23_901, 23_902];
const echo = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => {});
  socket.pipe(socket);
});
await new Promise<void>((done) => echo.listen(target, "127.0.0.1", done));

/** Sends `text`, optionally ends its side, and answers what comes back, "" when nothing does in time. */
function ask(text: string, options: { readonly ms?: number; readonly end?: boolean } = {}): Promise<string> {
  return new Promise((done) => {
    let got = "";
    const socket = connect(local, "127.0.0.1", () => (options.end ? socket.end(text) : socket.write(text)));
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      done(got);
    };
    const timer = setTimeout(finish, options.ms ?? 15_000);
    socket.on("data", (data) => {
      got += data;
      if (got.length >= text.length && !options.end) finish();
    });
    socket.on("end", finish);
    socket.on("error", finish);
  });
}

const theirServer = (...flags: string[]): Child =>
  children.start("server", ["kcptun-server", "-l", `127.0.0.1:${wan}`, "-t", `127.0.0.1:${target}`, "--key", "k", ...flags]);
const client = (...flags: string[]): Child =>
  children.start("client", [ourClient, "-l", `127.0.0.1:${local}`, "-r", `127.0.0.1:${wan}`, "--key", "k", ...flags]);

type Check = () => Promise<string | undefined>;

const checks: Readonly<Record<string, Check>> = {
  "compat 2021, conn 2, snmplog: both sessions carry, the rows have Debian's columns": async () => {
    const rows = join(children.folder, "snmp.csv");
    await waitFor(theirServer(), "key derivation done");
    const ours = client("--compat", "2021", "--conn", "2", "--snmplog", rows, "--snmpperiod", "1");
    await waitFor(ours, "listening");
    const answers = await Promise.all(["one", "two", "three", "four"].map((text) => ask(text)));
    // The first rows may be older than the sessions.
    let header: string | undefined;
    let row: string | undefined;
    for (let tries = 100; tries > 0 && row?.split(",")[4] !== "2"; tries--) {
      await sleep(200);
      if (!existsSync(rows)) continue;
      const lines = readFileSync(rows, "utf8").split("\n");
      header = lines[0];
      row = lines.at(-2);
    }
    if (answers.join() !== "one,two,three,four") return `answers ${answers}`;
    if (!header?.endsWith("FECRecovered,FECShortShards")) return `header ${header}`;
    return row?.split(",")[4] === "2" ? undefined : `ActiveOpens is not 2: ${row}`;
  },
  "autoexpire 1: connections are spread over sessions, the old ones go on": async () => {
    await waitFor(theirServer(), "key derivation done");
    const ours = client("--compat", "2021", "--autoexpire", "1");
    await waitFor(ours, "listening");
    for (const text of ["a", "b", "c"]) {
      if ((await ask(text)) !== text) return `no answer to ${text}`;
      await sleep(1100);
    }
    return ours.output().split("session started").length === 4 ? undefined : "not three sessions";
  },
  "a restarted server: a new connection is served (how soon: sim/tunnel-death.test.ts; kcptun: 59 s)": async () => {
    const first = theirServer();
    await waitFor(first, "key derivation done");
    const ours = client("--compat", "2021");
    await waitFor(ours, "listening");
    if ((await ask("before")) !== "before") return "no answer before the restart";
    await children.end(first);
    await waitFor(theirServer(), "key derivation done");
    for (let tries = 20; tries > 0; tries--) if ((await ask("after", { ms: 1000 })) === "after") return undefined;
    return "no answer to 20 connections";
  },
  "a wrong key, cipher, smuxver and nocomp are named (when: sim/tunnel-mismatch.test.ts)": async () => {
    const server = theirServer();
    await waitFor(server, "key derivation done");
    for (const [flags, named] of [
      [["--key", "other"], "key or crypt differ"],
      [["--crypt", "salsa20"], "key or crypt differ"],
      [["--smuxver", "2"], "smuxver or nocomp differ"],
      [["--nocomp"], "smuxver or nocomp differ"],
    ] as const) {
      const wrong = client("--compat", "2021", ...flags);
      await waitFor(wrong, "listening");
      const asked = ask("x", { ms: 30_000 });
      await waitFor(wrong, named, 30_000).catch((error: Error) => Promise.reject(new Error(`${flags}: ${error.message}`)));
      await children.end(wrong);
      await asked;
    }
    return undefined;
  },
  "our own server: a range of ports, and a half close that gets its answer": async () => {
    const listen = `127.0.0.1:${wan + 10}-${wan + 17}`;
    const ours = children.start("server", [longhaul, "server", "-l", listen, "-t", `127.0.0.1:${target}`, "--key", "k"]);
    await waitFor(ours, "listening");
    const near = children.start("client", [ourClient, "-l", `127.0.0.1:${local}`, "-r", listen, "--key", "k", "--conn", "4"]);
    await waitFor(near, "listening");
    const answers = await Promise.all(["w", "x", "y", "z"].map((text) => ask(text.repeat(5000), { end: true })));
    if (answers.some((text) => text.length !== 5000)) return `answers of ${answers.map(({ length }) => length)} bytes`;
    const ports = new Set(near.output().match(/:239\d\d","from"/g));
    return ports.size > 1 ? undefined : `ports ${[...ports]}`;
  },
};

const tally = new Tally();
try {
  await tally.runBesideKcptun(checks, children);
} finally {
  await children.endAll();
  echo.close();
}
tally.end();
