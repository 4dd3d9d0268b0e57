/**
 * What a transfer and a live stream keep while somebody else's transfer fills the link the other way, and acknowledgements wait behind it. Four ways, one after another in one
 * run: the kernel's CUBIC and BBR, Debian's kcptun (fast2, 10+5, windows of 1,024), ours in mode auto.
 *
 *   npm run bench:opposite [-- --link "delay=20 rate=20mbit qbytes=1m" --seconds 15 --ways cubic,bbr,kcptun,longhaul --kinds bulk,rt]
 *
 *   c ── transfer, or 6 Mbit/s at 30 frames a second ──▶ s          c ◀── CUBIC, as much as it gets ── s
 *
 * Needs root, ../shared/netlab, gcc, libsrt-openssl-dev, Debian's kcptun.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, Children, longhaul, root, sleep } from "../test/interop/children.ts";
import { Netlab, netlabMissing } from "../test/interop/netlab.ts";
import { parseArgs } from "../test/script-args.ts";

const { values } = parseArgs({
  options: {
    link: { type: "string", default: "delay=20 rate=20mbit qbytes=1m" },
    seconds: { type: "string", default: "15" },
    ways: { type: "string", default: "cubic,bbr,kcptun,longhaul" },
    kinds: { type: "string", default: "bulk,rt" },
    help: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const own = ["--key", "opposite", "--crypt", "none", "--mtu", "1350", "--nocomp", "true", "--quiet"];
const fast2 = [
  "--key",
  "opposite",
  "--crypt",
  "none",
  "--mtu",
  "1350",
  "--nocomp",
  "--mode",
  "fast2",
  "--sndwnd",
  "1024",
  "--rcvwnd",
  "1024",
];

interface Result {
  readonly mbps?: number;
  readonly p50?: number;
  readonly p95?: number;
  readonly complete?: number;
  readonly frames?: number;
}

/** Where the sender's program connects to, once the way is there. */
async function open(way: string, lab: Netlab, children: Children): Promise<readonly string[]> {
  if (way === "cubic" || way === "bbr") return ["-h", Netlab.serverAddress, "-p", "9000", "-C", way];
  const [server, client] =
    way === "kcptun"
      ? [
          ["kcptun-server", ...fast2],
          ["kcptun-client", ...fast2],
        ]
      : [
          [longhaul, "server", ...own],
          [longhaul, "client", ...own],
        ];
  children.start("server", [...server, "-l", ":29900", "-t", "127.0.0.1:9000"], lab.prefix("s"));
  children.start("client", [...client, "-l", "127.0.0.1:9001", "-r", `${Netlab.serverAddress}:29900`], lab.prefix("c"));
  await sleep(2000);
  return ["-h", "127.0.0.1", "-p", "9001", "-C", "cubic"];
}

async function run(way: string, kind: string, beside: boolean, lab: Netlab, rtgen: string): Promise<Result> {
  const children = new Children();
  const [c, s] = [lab.prefix("c"), lab.prefix("s")];
  const start = (name: string, side: readonly string[], ...args: readonly string[]): Child => children.start(name, [rtgen, ...args], side);
  try {
    const to = await open(way, lab, children);
    if (beside) {
      start("opposite sink", c, "sink", "-x", "tcp", "-p", "9100", "-w", String(seconds + 12));
      await sleep(300);
      start("opposite", s, "blast", "-x", "tcp", "-h", "10.200.0.1", "-p", "9100", "-d", String(seconds + 10), "-C", "cubic");
      await sleep(3000);
    }
    const cadence = ["-f", "30", "-g", "60", "-k", "10", "-r", "6e6"];
    const receiver =
      kind === "bulk"
        ? start("sink", s, "sink", "-x", "tcp", "-p", "9000", "-w", String(seconds))
        : start("recv", s, "recv", "-x", "tcp", "-p", "9000", "-n", String(30 * seconds), "-f", "30", "-w", String(seconds + 8));
    await sleep(300);
    if (kind === "bulk") start("blast", c, "blast", "-x", "tcp", ...to, "-d", String(seconds + 0.5));
    else start("send", c, "send", "-x", "tcp", ...to, "-d", String(seconds), ...cadence, "-M", "15e6");
    await receiver.exited;
    const line = receiver
      .output()
      .split("\n")
      .filter((each) => each.startsWith("{"))
      .at(-1);
    return line === undefined ? {} : (JSON.parse(line) as Result);
  } finally {
    await children.endAll();
    rmSync(children.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const told = (kind: string, { mbps, p50, p95, complete, frames }: Result): string =>
  kind === "bulk"
    ? `${mbps?.toFixed(2) ?? "?"} Mbit/s`
    : `p50 ${p50 ?? "?"}, p95 ${p95 ?? "?"} ms, ${complete ?? 0} of ${frames ?? "?"} frames`;

if (values.help) {
  console.log(
    'npm run bench:opposite [-- --link "delay=20 rate=20mbit qbytes=1m" --seconds 15 --ways cubic,bbr,kcptun,longhaul --kinds bulk,rt]',
  );
  process.exit(0);
}
const missing = netlabMissing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "longhaul-opposite-"));
const rtgen = join(folder, "rtgen");
const source = join(process.env.LONGHAUL_NETLAB ?? join(root, "../shared/netlab"), "rtgen.c");
execFileSync("gcc", ["-O2", "-o", rtgen, source, "-lsrt"], { stdio: ["ignore", "ignore", "inherit"] });
try {
  console.log(`link: ${values.link}, both directions`);
  for (const kind of values.kinds.split(",")) {
    for (const way of values.ways.split(",")) {
      const found: string[] = [];
      for (const beside of [false, true]) {
        const lab = new Netlab(`lhopp${process.pid}`, values.link);
        try {
          found.push(`${beside ? "against a transfer" : "alone"}: ${told(kind, await run(way, kind, beside, lab, rtgen))}`);
        } finally {
          lab.down();
        }
      }
      console.log(`${kind.padEnd(5)} ${way.padEnd(9)} ${found.join(" · ")}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
