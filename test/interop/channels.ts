/**
 * Forwards, targets, UDP and reverse forwarding, live over loopback between our own programs, on either socket layer; and beside Debian's kcptun, in both roles,
 * which must neither be disturbed by the question whether it is ours nor be given what was meant for a named target.
 *
 *   node test/interop/channels.ts
 *
 * The part with kcptun needs Debian's package kcptun. Takes about 30 s. Closes with `N passed, N failed, N skipped`.
 */
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { until } from "../until.ts";
import { Tally } from "./checks.ts";
import { type Child, Children, longhaul, sleep, waitFor } from "./children.ts";

const [wan, first] = [25_300, 25_310];
const children = new Children();

/** TCP programs that say their name and repeat what they hear; UDP programs that repeat what they hear behind their name. */
const programs: (Server | ReturnType<typeof createSocket>)[] = [];
const heard = new Map<string, Buffer>();

async function tcpTarget(name: string, port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`${name}:`);
    socket.on("data", (data) => {
      heard.set(name, Buffer.concat([heard.get(name) ?? Buffer.alloc(0), Buffer.from(data)]));
      socket.write(data);
    });
  });
  programs.push(server);
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
}

async function udpTarget(name: string, port: number): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (data, from) => socket.send(Buffer.concat([Buffer.from(`${name}:`), data]), from.port, from.address));
  programs.push(socket);
  await new Promise<void>((done) => socket.bind(port, "127.0.0.1", done));
}

/** Says "hi" to a port or unix socket and answers what comes back, "" when nothing does. */
function ask(to: number | string, ms = 2500): Promise<string> {
  return new Promise((done) => {
    let got = "";
    const socket = typeof to === "number" ? connect(to, "127.0.0.1") : connect(to);
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      done(got);
    };
    const timer = setTimeout(finish, ms);
    socket.on("connect", () => socket.write("hi"));
    socket.on("data", (data) => {
      got += data;
      if (got.endsWith("hi")) finish();
    });
    socket.on("end", finish);
    socket.on("error", finish);
  });
}

/** Sends `count` datagrams of `bytes` to host:port, until an answer to each has come, each at most five times; answers the answers' texts. */
async function askUdp(host: string, port: number, count: number, bytes: number): Promise<{ answers: Set<string>; from: Set<string> }> {
  const socket = createSocket("udp4");
  const answers = new Set<string>();
  const from = new Set<string>();
  socket.on("message", (data, { address, port: source }: RemoteInfo) => {
    answers.add(
      data.subarray(0, data.indexOf("|")).toString() + (data.length === bytes + data.indexOf("#") ? "" : ` of ${data.length} bytes`),
    );
    from.add(`${address}:${source}`);
  });
  for (let round = 0; round < 5 && answers.size < count; round++) {
    for (let i = 0; i < count; i++) {
      socket.send(Buffer.from(`#${i}|`.padEnd(bytes, ".")), port, host);
      if (i % 8 === 7) await sleep(5);
    }
    await sleep(400);
  }
  socket.close();
  return { answers, from };
}

type Check = () => Promise<string | undefined>;
const same = (got: unknown, wanted: unknown): string | undefined =>
  JSON.stringify(got) === JSON.stringify(wanted) ? undefined : `${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`;

const start = async (role: "client" | "server", ...flags: string[]): Promise<Child> => {
  const address = role === "client" ? "-r" : "-l";
  const child = children.start(role, [longhaul, role, address, `127.0.0.1:${wan}`, "--key", "k", ...flags]);
  await waitFor(child, "listening");
  return child;
};
const theirs = async (role: "client" | "server", ...flags: string[]): Promise<Child> => {
  const address = role === "client" ? "-r" : "-l";
  const child = children.start(role, [`kcptun-${role}`, address, `127.0.0.1:${wan}`, "--key", "k", ...flags]);
  await waitFor(child, "key derivation done");
  return child;
};

const own: Record<string, Check> = {};
for (const io of ["epoll", "node"]) {
  own[`several listeners and targets, a unix socket among them, over one session (${io})`] = async () => {
    const path = join(children.folder, `${io}.sock`);
    await start("server", "--io", io, "-t", `127.0.0.1:${first}`, "--targets", `web=localhost:${first + 1},git=127.0.0.1:${first + 2}`);
    const client = await start(
      "client",
      "--io",
      io,
      "--forward",
      `127.0.0.1:${first + 10}=web,${path}=git`,
      "--forward",
      `127.0.0.1:${first + 11}`,
    );
    const answers = await Promise.all([ask(first + 10), ask(path), ask(first + 11)]);
    if (client.output().split("session started").length !== 2) return "not one session";
    return same(answers, ["web:hi", "git:hi", "default:hi"]);
  };
  own[`what is not on the list is refused, named in both logs, and goes nowhere (${io})`] = async () => {
    const server = await start("server", "--io", io, "-t", `127.0.0.1:${first}`);
    const client = await start("client", "--io", io, "--forward", `127.0.0.1:${first + 10}=web`);
    const answer = await ask(first + 10);
    if (answer !== "") return `answered ${answer}`;
    const reason = '\\"web\\" is not a target for TCP here';
    return server.output().includes(reason) && client.output().includes(reason) ? undefined : "the reason is not in both logs";
  };
  own[`UDP: small, long and the longest datagrams; answers come from the address that was asked (${io})`] = async () => {
    await start("server", "--io", io, "-t", `127.0.0.1:${first}`, "--targets", `dns=udp:localhost:${first + 3}`, "--flowqueue", "2048");
    await start("client", "--io", io, "--forward", `udp::${first + 12}=dns`, "--flowqueue", "2048");
    for (const [host, count, bytes] of [
      ["127.0.0.1", 200, 60],
      ["127.0.0.2", 50, 1452],
      ["127.0.0.1", 3, 65_000],
    ] as const) {
      const { answers, from } = await askUdp(host, first + 12, count, bytes);
      if (answers.size !== count || [...answers].some((text) => !/^dns:#\d+$/.test(text)))
        return `${answers.size} of ${count} answers, such as ${[...answers][0]}`;
      // dgram cannot choose the address that answers leave from.
      if (io === "epoll" && [...from].join() !== `${host}:${first + 12}`) return `answers from ${[...from]}`;
    }
    return undefined;
  };
  own[`reverse: TCP and UDP at the server come out at the client; its list decides (${io})`] = async () => {
    await start("server", "--io", io, "--reverse", `web=127.0.0.1:${first + 13},dns=udp:127.0.0.1:${first + 14}`);
    const client = await start("client", "--io", io, "--reverse", `web=127.0.0.1:${first + 1},dns=127.0.0.1:${first + 3},ssh=127.0.0.1:22`);
    await waitFor(client, '\\"ssh\\" is not a listener here');
    const { answers } = await askUdp("127.0.0.1", first + 14, 20, 100);
    const dns = [...answers].filter((text) => text.startsWith("dns:#")).length;
    return same([await ask(first + 13), dns], ["web:hi", 20]);
  };
}
own["proxyprotocol: the target hears the application's own address"] = async () => {
  await start("server", "-t", `127.0.0.1:${first}`, "--proxyprotocol");
  await start("client", "-l", `127.0.0.1:${first + 10}`);
  heard.delete("default");
  const socket = connect(first + 10, "127.0.0.1");
  await once(socket, "connect");
  const source = socket.localPort ?? 0;
  socket.write("hi");
  await until("the target hears the header and the word", () => (heard.get("default")?.length ?? 0) >= 30);
  socket.destroy();
  const header = heard.get("default");
  if (header === undefined || header.length !== 30) return `${header?.length} bytes`;
  return same(
    [...header.subarray(16, 24), header.readUInt16BE(24), header.readUInt16BE(26)],
    [127, 0, 0, 1, 127, 0, 0, 1, source, first + 10],
  );
};
own["wrong words end with status 2 and one sentence"] = async () => {
  for (const [role, flags, wanted] of [
    ["client", ["--forward", "8080=web"], '--forward: "8080=web" is not a forward; give'],
    ["client", ["--reverse", "web=80"], '--reverse: "web=80" has a port but no host'],
    ["server", ["--targets", "a=:1,a=:2"], '--targets: "a" is given twice'],
    ["server", ["--reverse", "x=udp:/run/x"], "UDP goes to host:port, not to a unix socket"],
  ] as const) {
    const child = children.start(role, [longhaul, role, "--key", "k", ...flags]);
    const status = await child.exited;
    if (status !== 2 || !child.output().includes(wanted)) return `status ${status}: ${child.output()}`;
  }
  return undefined;
};

const beside: Record<string, Check> = {
  "a kcptun server is asked at most 8 times, serves the default target, and never gets what has a name": async () => {
    const rows = join(children.folder, "snmp.csv");
    const server = await theirs("server", "-t", `127.0.0.1:${first}`, "--snmplog", rows, "--snmpperiod", "1");
    const client = await start("client", "--compat", "2021", "-l", `127.0.0.1:${first + 10}`, "--forward", `127.0.0.1:${first + 11}=web`);
    const [plain, named] = await Promise.all([ask(first + 10), ask(first + 11, 6000)]);
    await sleep(2500);
    const [header, ...lines] = existsSync(rows) ? readFileSync(rows, "utf8").trim().split("\n") : [""];
    const errors = Number(lines.at(-1)?.split(",")[header!.split(",").indexOf("KCPInErrors")]);
    if (!client.output().includes("connection refused: the server is a kcptun")) return "the log does not say so";
    if (!(errors >= 1 && errors <= 8)) return `KCPInErrors ${errors}\n${server.output()}`;
    return same([plain, named, await ask(first + 10)], ["default:hi", "", "default:hi"]);
  },
  "UDP and reverse forwards to a kcptun server are refused in words, and its streams go on": async () => {
    await theirs("server", "-t", `127.0.0.1:${first}`);
    const flags = ["-l", `127.0.0.1:${first + 10}`, "--forward", `udp:127.0.0.1:${first + 12}`, "--reverse", `web=127.0.0.1:${first + 1}`];
    const client = await start("client", "--compat", "2021", ...flags);
    await waitFor(client, "the server does not know extensions");
    await askUdp("127.0.0.1", first + 12, 5, 50);
    await sleep(6000);
    await askUdp("127.0.0.1", first + 12, 1, 50);
    if (!client.output().includes("datagrams refused: the other end is a kcptun")) return "UDP: the log does not say so";
    if (!/the server is a kcptun, or has extensions off/.test(client.output())) return "reverse: the log does not say so";
    return same(await ask(first + 10), "default:hi");
  },
  "a kcptun client of a server with targets, reverse listeners and PROXY headers is served as ever": async () => {
    const server = await start(
      "server",
      "-t",
      `127.0.0.1:${first}`,
      "--targets",
      `web=127.0.0.1:${first + 1}`,
      "--reverse",
      `web=127.0.0.1:${first + 13}`,
      "--proxyprotocol",
    );
    await theirs("client", "-l", `127.0.0.1:${first + 10}`);
    heard.delete("default");
    const answer = await ask(first + 10);
    if (server.output().includes("the peer is a Longhaul")) return "it is taken for ours";
    return answer.startsWith("default:") && heard.get("default")?.length === 30
      ? undefined
      : `${answer}, ${heard.get("default")?.length} bytes`;
  },
};

const tally = new Tally();
try {
  await Promise.all([tcpTarget("default", first), tcpTarget("web", first + 1), tcpTarget("git", first + 2), udpTarget("dns", first + 3)]);
  await tally.run(own, children);
  await tally.runBesideKcptun(beside, children);
} finally {
  await children.endAll();
  for (const program of programs) program.close();
}
tally.end();
