/**
 * Options and failures shown live against Debian's kcptun, over loopback, under the name kcptun-client:
 * conn, autoexpire, a restarted server, a wrong key, a wrong smuxver, snmplog; half close and a range of ports against our own server.
 *
 *   node test/interop/options.ts
 *
 * Needs Debian's package kcptun. Takes about 25 s. Closes with `N passed, N failed, N skipped`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
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
    const timer = setTimeout(finish, options.ms ?? 2000);
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
    await sleep(1200);
    const [header, row] = readFileSync(rows, "utf8").split("\n");
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
  "a restarted server: a new connection is served within 4 s (kcptun: 59 s)": async () => {
    const first = theirServer();
    await waitFor(first, "key derivation done");
    const ours = client("--compat", "2021");
    await waitFor(ours, "listening");
    if ((await ask("before")) !== "before") return "no answer before the restart";
    await children.end(first);
    await waitFor(theirServer(), "key derivation done");
    const since = Date.now();
    while ((await ask("after", { ms: 1000 })) !== "after") if (Date.now() - since > 4000) return "no answer within 4 s";
    return undefined;
  },
  "a wrong key and a wrong smuxver are named within 3.5 s": async () => {
    await waitFor(theirServer(), "key derivation done");
    const wrongKey = client("--compat", "2021", "--key", "other");
    await waitFor(wrongKey, "listening");
    await ask("x", { ms: 2800 });
    if (!wrongKey.output().includes("key or crypt differ")) return "the key is not named";
    await children.end(wrongKey);
    const wrongVersion = client("--smuxver", "2");
    await waitFor(wrongVersion, "listening");
    await ask("x", { ms: 3500 });
    return wrongVersion.output().includes("smuxver or nocomp differ") ? undefined : `smuxver is not named:\n${wrongVersion.output()}`;
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

let [passed, failed, skipped] = [0, 0, 0];
try {
  execFileSync("kcptun-client", ["-v"], { stdio: "ignore" });
  for (const [name, check] of Object.entries(checks)) {
    const wrong = await check().catch((error: Error) => error.message);
    await children.endAll();
    if (wrong === undefined) passed++;
    else failed++;
    console.log(`${wrong === undefined ? "ok    " : "FAILED"} ${name}${wrong === undefined ? "" : `: ${wrong}`}`);
  }
} catch {
  skipped = Object.keys(checks).length;
  console.log("skipped: Debian's package kcptun is not installed");
} finally {
  await children.endAll();
  echo.close();
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
