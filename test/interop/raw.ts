/**
 * Raw carriers between two namespaces: ours with ours, and, where LONGHAUL_UDP2RAW names the program, with the real udp2raw in either role.
 *
 *   node test/interop/raw.ts [--count 1000] [--only WORDS] [--pairs ours,client,server]
 *
 * `count` datagrams of 1 to 1,400 bytes go out and must come back, all of them, as they were. Needs root. The link's MTU is 1,600: sealed, 1,400 bytes in IPv6 are
 * longer than 1,500 with most modes.
 */
import { join } from "node:path";
import { authModes } from "../../src/faketcp/auth-mode.ts";
import { cipherModes } from "../../src/faketcp/cipher-mode.ts";
import { rawModes } from "../../src/faketcp/mode.ts";
import { parseArgs } from "../script-args.ts";
import { type Child, Children, waitFor } from "./children.ts";
import type { EndSettings } from "./raw-end.ts";
import { VethPair } from "./veth.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    only: { type: "string", default: "" },
    pairs: { type: "string", default: "ours,client,server" },
  },
});
const program = process.env.LONGHAUL_UDP2RAW ?? "";
const end = join(import.meta.dirname, "raw-end.ts");
const PORT = 4096;
const ENTRY = 3333;
const TARGET = 7777;
const LONGEST = 1400;
const MTU = 1600;
const PASSWORD = "interop";

type Who = "ours" | "theirs";

interface Case {
  readonly name: string;
  readonly version: 4 | 6;
  readonly raw: EndSettings["raw"];
  readonly client: Who;
  readonly server: Who;
}

const wanted = values.pairs.split(",");
const pairings: readonly (readonly [Who, Who])[] = [
  ...(wanted.includes("ours") ? [["ours", "ours"] as const] : []),
  ...(program !== "" && wanted.includes("client") ? [["ours", "theirs"] as const] : []),
  ...(program !== "" && wanted.includes("server") ? [["theirs", "ours"] as const] : []),
];

function* cases(): Generator<Case> {
  const plain = { mode: "faketcp", seqMode: 3, cipherMode: "aes128cbc", authMode: "md5", fixGro: false } as const;
  for (const [client, server] of pairings) {
    for (const version of [4, 6] as const) {
      const ends = { client, server, version };
      for (const cipherMode of cipherModes) {
        for (const authMode of authModes) {
          if (cipherMode === "aes128cfb_0" && authMode !== "md5") continue;
          // What does not depend on the other end was shown with IPv4.
          if (version === 6 && client === server && authMode !== "md5") continue;
          yield { name: `IPv${version} faketcp ${cipherMode} ${authMode}`, raw: { ...plain, cipherMode, authMode }, ...ends };
        }
      }
      yield { name: `IPv${version} icmp aes128cbc md5`, raw: { ...plain, mode: "icmp" }, ...ends };
      yield { name: `IPv${version} udp aes128cbc md5`, raw: { ...plain, mode: "udp" }, ...ends };
      yield { name: `IPv${version} fix-gro aes128cbc hmac_sha1`, raw: { ...plain, authMode: "hmac_sha1", fixGro: true }, ...ends };
      if (client === "ours" && server === "ours")
        for (const mode of rawModes)
          yield { name: `IPv${version} ${mode} aes128gcm`, raw: { ...plain, mode, cipherMode: "aes128gcm" }, ...ends };
      if (version === 6) continue;
      for (const seqMode of [0, 1, 2, 4] as const) yield { name: `seq-mode ${seqMode}`, raw: { ...plain, seqMode }, ...ends };
    }
  }
}

const node = process.execPath;

async function run(each: Case, lab: VethPair, children: Children): Promise<{ sent: number; back: number }> {
  const [c, s] = [lab.prefix("c"), lab.prefix("s")];
  const remote = { host: VethPair.serverAddress[each.version], port: PORT };
  const [all, shown] = each.version === 4 ? ["0.0.0.0", remote.host] : ["::", `[${remote.host}]`];
  const started: Child[] = [];
  const start = (name: string, command: string[], prefix: string[]): Child => {
    const child = children.start(name, command, prefix);
    started.push(child);
    return child;
  };
  const theirs = (role: "-c" | "-s", local: string, to: string): string[] => {
    const { mode, cipherMode, authMode, seqMode, fixGro } = each.raw;
    const words = `--raw-mode ${mode} --cipher-mode ${cipherMode} --auth-mode ${authMode} --seq-mode ${seqMode}${fixGro ? " --fix-gro" : ""}`;
    return [program, role, "-l", local, "-r", to, "-k", PASSWORD, "--disable-color", ...words.split(" ")];
  };
  const ours = (role: "client" | "server", local: EndSettings["local"], to: EndSettings["remote"]): string[] => {
    const settings: EndSettings = { password: PASSWORD, raw: each.raw, local, remote: to };
    return [node, "--disable-warning=ExperimentalWarning", end, role, JSON.stringify(settings)];
  };
  try {
    await waitFor(start("echo", [node, end, "echo", String(TARGET)], s), "listening");
    start(
      "server",
      each.server === "ours"
        ? ours("server", { host: all!, port: PORT }, { host: "127.0.0.1", port: TARGET })
        : theirs("-s", `${each.version === 4 ? all : `[${all}]`}:${PORT}`, `127.0.0.1:${TARGET}`),
      s,
    );
    start(
      "client",
      each.client === "ours"
        ? ours("client", { host: "127.0.0.1", port: ENTRY }, remote)
        : theirs("-c", `127.0.0.1:${ENTRY}`, `${shown}:${PORT}`),
      c,
    );
    const plan = { to: ENTRY, count: Number(values.count), longest: LONGEST, patienceMs: 12_000 };
    const sender = start("sender", [node, end, "send", JSON.stringify(plan)], c);
    await waitFor(sender, '"back"', 30_000);
    const result = JSON.parse(/\{"sent".*\}/.exec(sender.output())![0]) as { sent: number; back: number };
    if (result.back < result.sent) {
      for (const child of started.slice(1, 3)) console.error(child.output().slice(-1500));
    }
    return result;
  } finally {
    for (const child of started) await children.end(child);
  }
}

const missing = VethPair.missing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
const children = new Children();
const lab = new VethPair(`lhraw${process.pid}`, { mtu: MTU });
let [passed, failed] = [0, 0];
try {
  for (const each of cases()) {
    if (!each.name.includes(values.only)) continue;
    const name = `${each.name}: ${each.client === "ours" ? "our client" : "udp2raw's client"}, ${each.server === "ours" ? "our server" : "udp2raw's server"}`;
    const { sent, back } = await run(each, lab, children);
    const ok = back === sent;
    if (ok) passed++;
    else failed++;
    console.log(`${ok ? "ok    " : "FAILED"} ${name}: ${back} of ${sent}`);
  }
} finally {
  await children.endAll();
  lab.down();
}
if (program === "") console.log("skipped: the real udp2raw (LONGHAUL_UDP2RAW names no program)");
console.log(`${passed} passed, ${failed} failed, ${program === "" ? 1 : 0} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
