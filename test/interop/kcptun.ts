/**
 * Interop with Debian's kcptun, both directions as client and as server:
 * {aes, none} × {FEC 10/3, off} × {smux 1, 2} × {snappy, off}, and every other cipher once; BYTES each way at once, every byte checked.
 *
 *   node test/interop/kcptun.ts [--loss] [--bytes N] [--only TEXT]
 *
 * With --loss the same over 5 % loss and 10 ms delay each way in namespaces (root, ../shared/netlab).
 * Needs Debian's package kcptun. Closes with `N passed, N failed, N skipped`.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { cipherNames } from "../../src/cipher/cipher.ts";
import { Children, longhaul, root, sleep, waitFor } from "./children.ts";
import { Netlab, netlabMissing } from "./netlab.ts";

const { values } = parseArgs({
  options: {
    loss: { type: "boolean", default: false },
    bytes: { type: "string", default: "10000000" },
    only: { type: "string", default: "" },
  },
});

interface Cell {
  readonly name: string;
  readonly index: number;
  /** Which end is Debian's. */
  readonly theirs: "client" | "server";
  readonly options: readonly string[];
}

const cells: Cell[] = [];

function addCell(theirs: Cell["theirs"], crypt: string, fec: boolean, smux: number, snappy: boolean): void {
  cells.push({
    name: `kcptun ${theirs}, crypt ${crypt}, FEC ${fec ? "10/3" : "off"}, smux ${smux}, snappy ${snappy ? "on" : "off"}`,
    index: cells.length,
    theirs,
    options: [
      ...["--crypt", crypt, "--smuxver", String(smux), "--mode", "fast3", "--sndwnd", "2048", "--rcvwnd", "2048"],
      ...(fec ? ["--ds", "10", "--ps", "3"] : ["--ds", "0", "--ps", "0"]),
      ...(snappy ? [] : ["--nocomp"]),
    ],
  });
}

for (const theirs of ["client", "server"] as const) {
  for (const crypt of ["aes", "none"])
    for (const fec of [true, false])
      for (const smux of [1, 2]) for (const snappy of [true, false]) addCell(theirs, crypt, fec, smux, snappy);
  // The layers above do not depend on the cipher: every other one that Debian's kcptun of 2021 knows, once.
  for (const crypt of cipherNames.filter((name) => !["aes", "none", "null", "aes-128-gcm"].includes(name)))
    addCell(theirs, crypt, true, 2, false);
}

const children = new Children();

async function runCell(cell: Cell, lab: Netlab | undefined): Promise<{ ok: boolean; text: string }> {
  const base = 21_000 + cell.index * 4;
  const [wan, local, target] = [base, base + 1, base + 2];
  const [atClient, atServer] = lab === undefined ? [[], []] : [lab.prefix("c"), lab.prefix("s")];
  const server = lab === undefined ? "127.0.0.1" : Netlab.serverAddress;
  const script = [process.execPath, `${root}/test/interop/transfer.ts`];
  const key = ["--key", "interop secret"];
  const serverArgs = ["-l", `0.0.0.0:${wan}`, "-t", `127.0.0.1:${target}`, ...key, ...cell.options];
  const clientArgs = ["-l", `127.0.0.1:${local}`, "-r", `${server}:${wan}`, ...key, ...cell.options];
  const running = [
    children.start("target", [...script, "serve", String(target), values.bytes], atServer),
    children.start("server", [...(cell.theirs === "server" ? ["kcptun-server"] : [longhaul, "server"]), ...serverArgs], atServer),
    children.start("client", [...(cell.theirs === "client" ? ["kcptun-client"] : [longhaul, "client"]), ...clientArgs], atClient),
  ];
  await Promise.all(running.slice(1).map((child) => waitFor(child, child.program === longhaul ? "listening" : "key derivation done")));
  await sleep(200);
  const run = children.start("run", [...script, "run", String(local), values.bytes], atClient);
  const limit = setTimeout(() => run.process.kill("SIGKILL"), 120_000);
  const status = await run.exited;
  clearTimeout(limit);
  const text = run.output().trim();
  await Promise.all(running.map((child) => children.end(child)));
  return { ok: status === 0, text: status === 0 ? text : `${text}\n${running.map((child) => child.output().slice(-600)).join("\n--\n")}` };
}

const missing = values.loss ? netlabMissing() : undefined;
let [passed, failed, skipped] = [0, 0, 0];
try {
  execFileSync("kcptun-client", ["-v"], { stdio: "ignore" });
} catch {
  skipped = cells.length;
  console.log("skipped: Debian's package kcptun is not installed");
}
if (missing !== undefined) {
  skipped = cells.length;
  console.log(`skipped: ${missing}`);
}
if (skipped === 0) {
  const lab = values.loss ? new Netlab("lhloss", "delay=10 loss=5%") : undefined;
  const queue = cells.filter(({ name }) => name.includes(values.only));
  const started = Date.now();
  const worker = async (): Promise<void> => {
    for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
      const { ok, text } = await runCell(cell, lab);
      if (ok) passed++;
      else failed++;
      console.log(`${ok ? "ok    " : "FAILED"} ${cell.name}${values.loss ? ", 5 % loss" : ""}  ${text}`);
    }
  };
  try {
    await Promise.all([worker(), worker(), ...(values.loss ? [worker(), worker()] : [])]);
  } finally {
    await children.endAll();
    lab?.down();
  }
  console.log(`${((Date.now() - started) / 1000).toFixed(0)} s`);
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
