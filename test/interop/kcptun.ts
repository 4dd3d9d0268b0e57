/**
 * Interop with Debian's kcptun, both directions as client and as server; BYTES each way at once over STREAMS connections, every byte checked.
 *
 *   node test/interop/kcptun.ts [--loss | --pairs | --full] [--part K/N] [--results FILE] [--bytes N] [--streams N] [--only TEXT] [--port N]
 *
 *   (none)    54 cells on loopback: {aes, none} × {FEC 10/3, off} × {smux 1, 2} × {snappy, off}, and every other cipher once (cells.ts)
 *   --loss    the same over 5 % loss
 *   --full    624 cells: all ciphers × FEC × smux × snappy × 0, 2 and 10 % loss, 8 streams, 20 MB each way. Takes an hour or so
 *   --pairs   the fewest of them in which any two settings meet
 *   --part    only every Nth cell, the Kth first: 1/12 … 12/12 together are all
 *   --results where it is kept what came of each cell (ledger.ts); those that have passed are not run again. With --part by default a file in the
 *             folder for temporary ones; remove it to begin anew
 *
 * It takes ports from --port on, 800 of them. Loss is in namespaces with 10 ms delay each way (root, ../shared/netlab). Needs Debian's package kcptun. Closes with `N passed, N failed, N skipped`.
 */
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "../script-args.ts";
import { basicCells, flagsOf, fullCells, nameOf, pairCells, type Settings } from "./cells.ts";
import { Children, longhaul, root, sleep, waitFor } from "./children.ts";
import { Ledger } from "./ledger.ts";
import { Netlab, netlabMissing } from "./netlab.ts";

const { values } = parseArgs({
  options: {
    loss: { type: "boolean", default: false },
    pairs: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    part: { type: "string" },
    results: { type: "string" },
    bytes: { type: "string" },
    streams: { type: "string" },
    only: { type: "string", default: "" },
    port: { type: "string", default: "21000" },
  },
});

const large = values.full || values.pairs;
const streams = Number(values.streams ?? (large ? 8 : 1));
const bytes = Number(values.bytes ?? (large ? 20_000_000 : 10_000_000));
const perStream = String(Math.ceil(bytes / streams));
/** A cell that has not ended by then has failed. */
const CELL_MS = 120_000 + bytes / 100;

interface Cell extends Settings {
  readonly name: string;
  readonly index: number;
}

function cellsAsked(): Settings[] {
  if (values.full) return fullCells();
  if (values.pairs) return pairCells();
  return basicCells(values.loss ? 5 : 0);
}

const cells: Cell[] = cellsAsked().map((cell, index) => ({ ...cell, name: nameOf(cell), index }));

const [part, parts] = partAsked();
const results = values.results ?? (values.part === undefined ? undefined : join(tmpdir(), `longhaul-interop-${streams}x${bytes}.jsonl`));
const ledger = results === undefined ? undefined : new Ledger(results);

const children = new Children();

/** @throws when --part is not K/N */
function partAsked(): [part: number, parts: number] {
  const [, k, n] = /^(\d+)\/(\d+)$/.exec(values.part ?? "1/1") ?? [];
  const asked: [number, number] = [Number(k), Number(n)];
  if (!(asked[0] >= 1 && asked[0] <= asked[1])) throw new Error(`--part is K/N, K from 1 to N, not ${values.part}`);
  return asked;
}

async function runCell(cell: Cell, lab: Netlab | undefined): Promise<{ ok: boolean; text: string }> {
  const base = Number(values.port) + (cell.index % 200) * 4;
  const [wan, local, target] = [base, base + 1, base + 2];
  const [atClient, atServer] = lab === undefined ? [[], []] : [lab.prefix("c"), lab.prefix("s")];
  const server = lab === undefined ? "127.0.0.1" : Netlab.serverAddress;
  const script = [process.execPath, `${root}/test/interop/transfer.ts`];
  const key = ["--key", "interop secret"];
  const serverArgs = ["-l", `0.0.0.0:${wan}`, "-t", `127.0.0.1:${target}`, ...key, ...flagsOf(cell)];
  const clientArgs = ["-l", `127.0.0.1:${local}`, "-r", `${server}:${wan}`, ...key, ...flagsOf(cell)];
  const running = [
    children.start("target", [...script, "serve", String(target), perStream], atServer),
    children.start("server", [...(cell.theirs === "server" ? ["kcptun-server"] : [longhaul, "server"]), ...serverArgs], atServer),
    children.start("client", [...(cell.theirs === "client" ? ["kcptun-client"] : [longhaul, "client"]), ...clientArgs], atClient),
  ];
  await Promise.all(running.slice(1).map((child) => waitFor(child, child.program === longhaul ? "listening" : "key derivation done")));
  await sleep(200);
  const run = children.start("run", [...script, "run", String(local), perStream, String(streams)], atClient);
  const limit = setTimeout(() => run.process.kill("SIGKILL"), CELL_MS);
  const status = await run.exited;
  clearTimeout(limit);
  const text = run.output().trim();
  await Promise.all(running.map((child) => children.end(child)));
  return { ok: status === 0, text: status === 0 ? text : `${text}\n${running.map((child) => child.output().slice(-600)).join("\n--\n")}` };
}

/** Why none of this can be run here, or undefined. */
function missing(): string | undefined {
  try {
    execFileSync("kcptun-client", ["-v"], { stdio: "ignore" });
  } catch {
    return "Debian's package kcptun is not installed";
  }
  return undefined;
}

const asked = cells.filter(({ name, index }) => name.includes(values.only) && index % parts === part - 1);
const queue = asked.filter(({ name }) => ledger?.passed(name) !== true);
const total = queue.length;
const noLab = netlabMissing();
let [passed, failed, skipped] = [0, 0, 0];
const labs = new Map<number, Netlab>();

async function worker(): Promise<void> {
  for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
    const began = performance.now();
    const { ok, text } = await runCell(cell, labs.get(cell.loss));
    ledger?.add({ name: cell.name, ok, seconds: Math.round(performance.now() - began) / 1000, text });
    if (ok) passed++;
    else failed++;
    console.log(`${ok ? "ok    " : "FAILED"} ${passed + failed + skipped}/${total} ${cell.name}  ${text}`);
  }
}

const reason = missing() ?? (queue.every(({ loss }) => loss > 0) ? noLab : undefined);
if (reason !== undefined) {
  skipped = queue.length;
  console.log(`skipped: ${reason}`);
} else {
  const started = Date.now();
  for (const loss of new Set(queue.map((cell) => cell.loss))) {
    if (loss === 0) continue;
    if (noLab === undefined) labs.set(loss, new Netlab(`lh${values.port}l${loss}`, `delay=10 loss=${loss}%`));
    else {
      const without = queue.filter((cell) => cell.loss !== loss);
      skipped += queue.length - without.length;
      queue.splice(0, queue.length, ...without);
      console.log(`skipped: what has ${loss} % loss, ${noLab}`);
    }
  }
  try {
    await Promise.all(Array.from({ length: values.loss ? 4 : 2 }, worker));
  } finally {
    await children.endAll();
    for (const lab of labs.values()) lab.down();
  }
  console.log(`${((Date.now() - started) / 1000).toFixed(0)} s`);
}
if (asked.length > total) console.log(`${asked.length - total} of ${asked.length} cells passed before (${results})`);
if (ledger !== undefined) console.log(ledger.summary(cells.map(({ name }) => name)));
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
