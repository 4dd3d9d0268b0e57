/**
 * The tunnel over each of its carriers, between two namespaces joined by a lossy link: a server that listens on several at once, a client for each, bytes both
 * ways with their hashes checked. The kernels answer nothing that belongs to a raw connection (no RST is sent), and the firewall is as it was before.
 *
 *   node test/netns/carriers.ts [--only TEXT] [--bytes N] [--link WORDS]          needs root, ../shared/netlab
 *
 * With LONGHAUL_UDP2RAW naming the program also: our client through a real udp2raw and Debian's kcptun server, and the other way round.
 */
import { execFileSync } from "node:child_process";
import { type Check, Tally } from "../interop/checks.ts";
import { type Child, Children, longhaul, root, sleep, waitFor } from "../interop/children.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";
import { parseArgs } from "../script-args.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    bytes: { type: "string", default: "1500000" },
    link: { type: "string", default: "delay=15 loss=1% rate=50mbit qbytes=512k" },
  },
});
const missing = netlabMissing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

const udp2raw = process.env.LONGHAUL_UDP2RAW ?? "";
const children = new Children();
const lab = new Netlab(`lhcar${process.pid}`, values.link);
const [c, s] = [lab.prefix("c"), lab.prefix("s")];
const far = Netlab.serverAddress;
const [PORT, RAW_PORT, ENTRY, TARGET] = [29900, 4096, 1936, 7001];
const settings = ["--key", "of the carriers"];
const transfer = [process.execPath, `${root}/test/interop/transfer.ts`];

const inside = (prefix: readonly string[], ...command: readonly string[]): string =>
  execFileSync(prefix[0]!, [...prefix.slice(1), ...command], { encoding: "utf8", timeout: 20_000 });
const resets = (prefix: readonly string[]): number => Number(inside(prefix, "awk", "/^Tcp: [0-9]/ {print $15}", "/proc/net/snmp"));
const rules = (): string => [c, s].map((prefix) => inside(prefix, "nft", "list", "ruleset")).join("");

/** Moves the bytes through the tunnel whose client listens at ENTRY; answers what is wrong. `mute`: no kernel may send a RST meanwhile. */
async function move(ends: readonly Child[], mute = true): Promise<string | undefined> {
  children.start("target", [...transfer, "serve", String(TARGET), values.bytes], s);
  await sleep(500);
  const before = [resets(c), resets(s)];
  const run = children.start("run", [...transfer, "run", String(ENTRY), values.bytes], c);
  const limit = setTimeout(() => run.process.kill("SIGKILL"), 60_000);
  const status = await run.exited;
  clearTimeout(limit);
  const after = [resets(c), resets(s)];
  if (status !== 0) return `${run.output()}\n${ends.map((end) => end.output().slice(-1200)).join("\n--\n")}`;
  console.log(`       ${run.output().trim()}`);
  // A kernel that answered would send one for each segment; connections of this script may end with one.
  if (mute && after.some((count, side) => count - before[side]! > 5))
    return `RSTs of the kernels, client and server: ${before} before, ${after} after`;
  return undefined;
}

async function end(running: readonly Child[], ruleset: string): Promise<string | undefined> {
  for (const child of running) {
    await children.end(child);
    if (child.program === longhaul && child.process.exitCode !== 0) return `ended with ${child.process.exitCode}:\n${child.output()}`;
    if (/of the carriers/.test(child.output())) return "the key is in the log";
  }
  const left = rules();
  return left === ruleset ? undefined : `left in the firewall:\n${left}`;
}

/** Our two ends. */
const ours =
  (server: readonly string[], client: readonly string[], started = "listening"): Check =>
  async () => {
    const ruleset = rules();
    const near = children.start("server", [longhaul, "server", "-l", `:${PORT}`, "-t", `127.0.0.1:${TARGET}`, ...settings, ...server], s);
    await waitFor(near, "listening");
    const other = children.start("client", [longhaul, "client", "-l", `:${ENTRY}`, "-r", `${far}:${PORT}`, ...settings, ...client], c);
    await waitFor(other, started);
    return (await move([near, other])) ?? end([other, near], ruleset);
  };

const checks: Record<string, Check> = {
  "udp, beside others at the same port": ours(["--carrier", "udp,faketcp,icmp"], []),
  faketcp: ours(["--carrier", "udp,faketcp"], ["--carrier", "faketcp"]),
  icmp: ours(["--carrier", "udp,icmp"], ["--carrier", "icmp"]),
  easyfaketcp: ours(["--carrier", "udp,easyfaketcp"], ["--carrier", "easyfaketcp"]),
  tcp: ours(["--carrier", "udp,tcp"], ["--carrier", "tcp"]),
  "tcp, four connections": ours(["--carrier", "udp,tcp"], ["--carrier", "tcp", "--tcpcarrier", "connections=4"]),
  tcpraw: ours(["--tcp"], ["--tcp"]),
  "rawudp at a port of its own": ours(["--carrier", `udp,rawudp=:${RAW_PORT}`], ["--carrier", "rawudp", "-r", `${far}:${RAW_PORT}`]),
};

/** Our client, and Debian's kcptun server behind a real udp2raw with these options. */
const toTheirs =
  (carrier: string, ...more: string[]): Check =>
  async () => {
    const raw = ["--raw-mode", carrier, "--cipher-mode", "aes128cbc", "--auth-mode", "hmac_sha1", "-k", "rawpassword", ...more];
    const running = [
      children.start("udp2raw", [udp2raw, "-s", "-l", `0.0.0.0:${RAW_PORT}`, "-r", `127.0.0.1:${PORT}`, ...raw], s),
      children.start("kcptun", ["kcptun-server", "-l", `:${PORT}`, "-t", `127.0.0.1:${TARGET}`, ...settings], s),
    ];
    await waitFor(running[1]!, "key derivation done");
    const near = ["-l", `:${ENTRY}`, "-r", `${far}:${RAW_PORT}`, ...settings, "--smuxver", "1", "--carrier", carrier];
    const how = ["--rawkey", "rawpassword", "--raw", "cipher-mode=aes128cbc,auth-mode=hmac_sha1"];
    const client = children.start("client", [longhaul, "client", ...near, ...how], c);
    await waitFor(client, "listening");
    return move([client, ...running]);
  };

/** Debian's kcptun client behind a real udp2raw with options `theirs`, and our server, whose `--raw` says `ours`. */
const fromTheirs =
  (carrier: string, ours: string, theirs: readonly string[]): Check =>
  async () => {
    const raw = ["--raw-mode", carrier, ...theirs, "-k", "rawpassword"];
    const how = ["--carrier", `${carrier}=:${RAW_PORT}`, "--rawkey", "rawpassword", "--raw", ours];
    const server = children.start("server", [longhaul, "server", "-t", `127.0.0.1:${TARGET}`, ...settings, ...how], s);
    await waitFor(server, "listening");
    const running = [
      children.start("udp2raw", [udp2raw, "-c", "-l", "127.0.0.1:3333", "-r", `${far}:${RAW_PORT}`, ...raw], c),
      children.start("kcptun", ["kcptun-client", "-l", `:${ENTRY}`, "-r", "127.0.0.1:3333", ...settings], c),
    ];
    await waitFor(running[0]!, "client_ready");
    await waitFor(running[1]!, "key derivation done");
    return move([server, ...running]);
  };

const xor = ["--cipher-mode", "xor", "--auth-mode", "simple", "-a"];
const beside: Record<string, Check> = {
  "our client, Debian's kcptun server behind a real udp2raw": toTheirs("faketcp", "-a"),
  "easyfaketcp: our client, Debian's kcptun server behind a real udp2raw": toTheirs("easyfaketcp"),
  "easyfaketcp: Debian's kcptun client behind a real udp2raw, our server": fromTheirs("easyfaketcp", "compat=udp2raw", [
    "--cipher-mode",
    "aes128cbc",
    "--auth-mode",
    "md5",
  ]),
  "Debian's kcptun client behind a real udp2raw, our server": fromTheirs("faketcp", "cipher-mode=xor,auth-mode=simple", xor),
};

/** Debian's programs leave their rules behind: they are removed. */
const withIptables =
  (check: Check): Check =>
  async () => {
    try {
      return await check();
    } finally {
      await children.endAll();
      for (const prefix of [c, s]) for (const program of ["iptables", "ip6tables"]) inside(prefix, program, "-F", "OUTPUT");
    }
  };

const kcptun: Record<string, Check> = {
  "tcpraw: Debian's client with --tcp, our server": withIptables(async () => {
    const server = children.start("server", [longhaul, "server", "-l", `:${PORT}`, "-t", `127.0.0.1:${TARGET}`, ...settings, "--tcp"], s);
    await waitFor(server, "listening");
    const client = children.start("client", ["kcptun-client", "-l", `:${ENTRY}`, "-r", `${far}:${PORT}`, ...settings, "--tcp"], c);
    await waitFor(client, "key derivation done");
    // The kernel beside Debian's program sends some, with a time to live of 1.
    return move([server, client], false);
  }),
  "tcpraw: our client, Debian's server with --tcp": withIptables(async () => {
    const server = children.start("server", ["kcptun-server", "-l", `:${PORT}`, "-t", `127.0.0.1:${TARGET}`, ...settings, "--tcp"], s);
    await waitFor(server, "key derivation done");
    const how = ["--tcp", "--smuxver", "1"];
    const client = children.start("client", [longhaul, "client", "-l", `:${ENTRY}`, "-r", `${far}:${PORT}`, ...settings, ...how], c);
    await waitFor(client, "listening");
    // The kernel beside Debian's program sends some, with a time to live of 1.
    return move([server, client], false);
  }),
};

const wanted = (all: Record<string, Check>): Record<string, Check> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name.includes(values.only)));
const tally = new Tally();
try {
  await tally.run(wanted(checks), children);
  await tally.runBesideKcptun(wanted(kcptun), children);
  if (udp2raw === "") {
    tally.skipped += Object.keys(beside).length;
    console.log("skipped: the real udp2raw (LONGHAUL_UDP2RAW names no program)");
  } else await tally.runBesideKcptun(wanted(beside), children);
} finally {
  await children.endAll();
  lab.down();
}
tally.end();
