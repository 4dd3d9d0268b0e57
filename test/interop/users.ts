/**
 * Our server with unmodified clients of Debian's kcptun, over loopback: two users with a key and a cipher each on one port, SIGHUP under a running
 * connection, and an application that reads nothing beside one that does, with smux 1 and 2.
 *
 *   node test/interop/users.ts
 *
 * Needs Debian's package kcptun. Takes about 15 s. Closes with `N passed, N failed, N skipped`.
 */
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { until } from "../until.ts";
import { Tally } from "./checks.ts";
import { type Child, Children, longhaul, sleep, waitFor, waitForPort } from "./children.ts";

const children = new Children();
const [wan, ann, bob, target] = [23_950, 23_951, 23_952, 23_953];
/** Sends without end what it is asked to with the first byte "s", echoes anything else. */
const source = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => {});
  socket.once("data", (first) => {
    if (first[0] !== 115) {
      socket.write(first);
      socket.pipe(socket);
      return;
    }
    const piece = Buffer.alloc(65_536, 7);
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on("drain", more);
    more();
  });
});
await new Promise<void>((done) => source.listen(target, "127.0.0.1", done));

function ask(port: number, text: string): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const timer = setTimeout(() => finish(""), 3000);
    const finish = (got: string): void => {
      clearTimeout(timer);
      socket.destroy();
      done(got);
    };
    socket.on("data", (data) => finish(String(data)));
    socket.on("error", () => finish(""));
  });
}

const users = (names: readonly string[]): void => {
  const all = [
    { name: "ann", key: "ann's", crypt: "aes" },
    { name: "bob", key: "bob's", crypt: "salsa20" },
  ];
  writeFileSync(join(children.folder, "users.json"), JSON.stringify(all.filter(({ name }) => names.includes(name))));
};
const server = (): Child => {
  const file = join(children.folder, "users.json");
  return children.start("server", [longhaul, "server", "-l", `127.0.0.1:${wan}`, "-t", `127.0.0.1:${target}`, "--users", file]);
};
const client = (port: number, key: string, crypt: string, ...more: string[]): Child =>
  children.start("client", ["kcptun-client", "-l", `127.0.0.1:${port}`, "-r", `127.0.0.1:${wan}`, "--key", key, "--crypt", crypt, ...more]);

const checks: Readonly<Record<string, () => Promise<string | undefined>>> = {
  "two users with keys and ciphers of their own; one is added by SIGHUP under the other's connection, one removed": async () => {
    users(["ann"]);
    const ours = server();
    await waitFor(ours, "listening");
    for (const near of [client(ann, "ann's", "aes"), client(bob, "bob's", "salsa20")]) await waitFor(near, "key derivation done");
    await waitForPort(ann);
    const held = connect(ann, "127.0.0.1", () => held.write("held"));
    const heard: string[] = [];
    let broken = false;
    held.on("data", (data) => heard.push(String(data)));
    held.on("error", () => {
      broken = true;
    });
    await until("ann's connection answers", () => heard.join("") === "held");
    if ((await ask(bob, "x")) !== "") return "bob is served before he is a user";
    users(["ann", "bob"]);
    ours.process.kill("SIGHUP");
    await waitFor(ours, "configuration reloaded");
    if ((await ask(bob, "from bob")) !== "from bob") return "bob is not served";
    held.write(" on");
    await until("ann's connection answers after the reload", () => heard.join("") === "held on");
    if (!ours.output().includes('"user":"bob"') || /ann's|bob's/.test(ours.output()))
      return "the log does not name the user, or says a key";
    users(["bob"]);
    ours.process.kill("SIGHUP");
    await waitFor(ours, "the user was removed");
    held.destroy();
    return broken || (await ask(ann, "x")) === "" ? undefined : "ann is served after she was removed";
  },
  ...Object.fromEntries(
    [1, 2].map((version) => [
      `an upload that the target does not read, smuxver ${version}: another connection of the same session goes on${version === 1 ? ", after stallwait at the latest" : ""}`,
      async () => {
        users(["ann"]);
        const deaf = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
        await new Promise((done) => deaf.once("listening", done));
        const near = client(ann, "ann's", "aes", "--smuxver", String(version), "--nocomp");
        const file = join(children.folder, "users.json");
        const { port } = deaf.address() as { port: number };
        // Version 1 has no windows: what a fast client sends for the blocked stream fills any spill, and then all wait for stallwait.
        const ours = children.start("server", [
          ...[longhaul, "server", "-l", `127.0.0.1:${wan}`, "-t", `127.0.0.1:${port}`],
          ...["--users", file, "--stallwait", "2"],
        ]);
        await waitFor(ours, "listening");
        await sleep(1000);
        // Every connection goes to the same target, which reads the second and later ones only.
        let count = 0;
        let read = 0;
        deaf.on("connection", (socket) => {
          if (count++ === 0) return;
          socket.on("data", (data) => {
            read += data.length;
          });
          socket.resume();
        });
        const piece = Buffer.alloc(65_536, 1);
        const flood = (): void => {
          const socket = connect(ann, "127.0.0.1");
          socket.on("error", () => {});
          const more = (): void => {
            while (!socket.destroyed && socket.write(piece));
          };
          socket.on("connect", more).on("drain", more);
        };
        flood();
        await sleep(1500);
        flood();
        await sleep(1500);
        const before = read;
        await sleep(3000);
        const gone = read - before;
        deaf.close();
        await children.end(near);
        if (ours.output().includes("session ended")) return "the session ended";
        return gone > 1_000_000 ? undefined : `${gone} bytes in 3 s beside the blocked one`;
      },
    ]),
  ),
};

const tally = new Tally();
try {
  await tally.runBesideKcptun(checks, children);
} finally {
  await children.endAll();
  source.close();
}
tally.end();
process.exit();
