/**
 * What ingest, packaging and delivery cost, beside nginx-rtmp and Node-Media-Server in the same run.
 *
 *   ingest    PUBLISHERS encoders of 1 Mbit/s by RTMP: CPU seconds of each server; ours packages LL-HLS for all, nginx HLS, Node-Media-Server nothing
 *             asked: ≤ 2 × nginx-rtmp's with HLS, ≤ 0.5 × Node-Media-Server's
 *   viewers   VIEWERS of one channel of 3 Mbit/s by LL-HLS: share of a core; asked: ≤ 25 %
 *   cycles    CYCLES streams begun and ended: resident memory flat
 *   hour      one channel of 3 Mbit/s with a few viewers for MINUTES, only when asked for: resident memory flat
 *
 *   npm run bench:live [-- --only ingest,viewers,cycles,hour --publishers 100 --viewers 300 --cycles 1000 --seconds 20 --minutes 60]
 *
 * Needs ffmpeg to make what is published; nginx with Debian's libnginx-mod-rtmp and the folder of Node-Media-Server's package in LONGHAUL_NMS, where the one
 * that is missing is left out and said so. The encoders are ours, in one process. Limits on open files above 2 × VIEWERS.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, Children, longhaul, sleep, waitFor, waitForPort } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "ingest,viewers,cycles" },
    publishers: { type: "string", default: "100" },
    viewers: { type: "string", default: "300" },
    cycles: { type: "string", default: "1000" },
    seconds: { type: "string", default: "20" },
    minutes: { type: "string", default: "60" },
  },
});
const only = new Set(values.only.split(","));
const publishers = Number(values.publishers);
const seconds = Number(values.seconds);
const children = new Children();
const [rtmp, http] = [21_000 + (process.pid % 4000), 27_000 + (process.pid % 4000)];
const ticksPerSecond = 100;
const modules = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const nms = process.env.LONGHAUL_NMS ?? "";
let missed = 0;

function judge(what: string, ok: boolean, got: string): void {
  if (!ok) missed++;
  console.log(`${ok ? "ok    " : "MISSED"} ${what}: ${got}`);
}

function encoded(name: string, kbits: number): string {
  const path = join(children.folder, `${name}.flv`);
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
  const rate = [
    "-b:v",
    `${kbits}k`,
    "-minrate",
    `${kbits}k`,
    "-maxrate",
    `${kbits}k`,
    "-bufsize",
    `${kbits}k`,
    "-x264-params",
    "nal-hrd=cbr",
  ];
  const coded = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", "60", "-pix_fmt", "yuv420p", ...rate];
  execFileSync("ffmpeg", [
    "-hide_banner",
    "-loglevel",
    "error",
    ...picture,
    "-t",
    "10",
    ...coded,
    "-c:a",
    "aac",
    "-b:a",
    "96k",
    "-y",
    path,
  ]);
  return path;
}

/** CPU seconds and resident MB of a process and of those it has started. */
function used(pid: number): { cpu: number; rss: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  const sum = { cpu: (Number(stat[11]) + Number(stat[12])) / ticksPerSecond, rss: (pages * 4096) / 2 ** 20 };
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean)) {
    const each = used(Number(child));
    sum.cpu += each.cpu;
    sum.rss += each.rss;
  }
  return sum;
}

function ours(channels: number, ...more: readonly string[]): Child {
  const keys = Array.from({ length: channels }, (_, n) => ["--channel", `channel-${n}=bench-key-${n}`]).flat();
  const where = ["--rtmp", `127.0.0.1:${rtmp}`, "--http", `127.0.0.1:${http}`, "--connections", "1000"];
  return children.start("longhaul", [longhaul, "live", ...where, ...keys, ...more]);
}

function nginx(hls: boolean): Child {
  const folder = join(children.folder, `nginx-${hls}`);
  mkdirSync(join(folder, "hls"), { recursive: true });
  const packaging = hls ? `hls on; hls_path ${folder}/hls; hls_fragment 2s; hls_playlist_length 20s;` : "";
  const main = `load_module ${modules}; daemon off; user root; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;`;
  const server = `rtmp { access_log off; server { listen 127.0.0.1:${rtmp}; chunk_size 4096; application live { live on; ${packaging} } } }`;
  writeFileSync(join(folder, "nginx.conf"), `${main}\nevents { worker_connections 4096; }\n${server}\n`);
  return children.start("nginx", ["nginx", "-c", join(folder, "nginx.conf"), "-p", folder]);
}

function nodeMediaServer(): Child {
  const program = join(children.folder, "nms.cjs");
  const config = { bind: "127.0.0.1", rtmp: { port: rtmp } };
  // It leaves files where it is started.
  writeFileSync(
    program,
    `process.chdir(${JSON.stringify(children.folder)}); const N = require(${JSON.stringify(nms)}); new N(${JSON.stringify(config)}).run();`,
  );
  return children.start("nms", [process.execPath, program]);
}

/** CPU seconds of a server for SECONDS of all publishers. */
async function ingest(name: string, server: Child, flv: string): Promise<number> {
  await waitForPort(rtmp, 20_000);
  const where = `rtmp://127.0.0.1:${rtmp}/live/bench-key-{n}`;
  const load = children.start("load", [
    process.execPath,
    join(import.meta.dirname, "live/publishers.ts"),
    flv,
    where,
    String(publishers),
    String(seconds + 5),
  ]);
  await waitFor(load, "all began", 60_000);
  await sleep(3000);
  const before = used(server.process.pid!);
  await sleep(seconds * 1000);
  const after = used(server.process.pid!);
  await load.exited;
  const sent = load.output().trim().split("\n").at(-1)!;
  await children.end(server);
  const cpu = after.cpu - before.cpu;
  console.log(`       ${name}: ${cpu.toFixed(2)} s of CPU in ${seconds} s, ${after.rss.toFixed(0)} MB resident; ${sent}`);
  const { published, refused } = JSON.parse(sent) as { published: number; refused: string[] };
  if (published < publishers || refused.length > 0)
    throw new Error(`${name} did not take all publishers: ${sent}\n${server.output().slice(-2000)}`);
  return cpu;
}

async function ingestOfAll(): Promise<void> {
  const flv = encoded("1m", 900);
  const own = await ingest("longhaul", ours(publishers), flv);
  if (existsSync(modules)) {
    await ingest("nginx-rtmp, no HLS", nginx(false), flv);
    const theirs = await ingest("nginx-rtmp, HLS", nginx(true), flv);
    judge("ingest and packaging ≤ 2 × nginx-rtmp's with HLS", own <= 2 * theirs, `${(own / theirs).toFixed(2)} ×`);
  } else console.log(`skipped: nginx-rtmp (no ${modules})`);
  if (nms !== "") {
    const theirs = await ingest("Node-Media-Server", nodeMediaServer(), flv);
    judge(
      "ingest and packaging ≤ 0.5 × Node-Media-Server's, which packages nothing",
      own <= 0.5 * theirs,
      `${(own / theirs).toFixed(2)} ×`,
    );
  } else console.log("skipped: Node-Media-Server (LONGHAUL_NMS is not set)");
}

async function viewers(): Promise<void> {
  const server = ours(1);
  await waitForPort(rtmp, 20_000);
  const flv = encoded("3m", 2900);
  const where = `rtmp://127.0.0.1:${rtmp}/live/bench-key-{n}`;
  children.start("publisher", [process.execPath, join(import.meta.dirname, "live/publishers.ts"), flv, where, "1", String(seconds + 60)]);
  await sleep(6000);
  const url = `http://127.0.0.1:${http}/live/channel-0`;
  const load = children.start("viewers", [
    process.execPath,
    join(import.meta.dirname, "live/viewers.ts"),
    url,
    values.viewers,
    String(seconds),
  ]);
  await waitFor(load, "all began", 60_000);
  const before = used(server.process.pid!);
  await load.exited;
  const after = used(server.process.pid!);
  const share = (after.cpu - before.cpu) / seconds;
  const got = JSON.parse(load.output().trim().split("\n").at(-1)!) as Record<string, number>;
  const ok = share <= 0.25 && got.wrong === 0 && got.lost === 0 && got.mbits! >= Number(values.viewers) * 2.85;
  judge(
    `${values.viewers} viewers of 3 Mbit/s ≤ 25 % of a core`,
    ok,
    `${(share * 100).toFixed(1)} %, ${after.rss.toFixed(0)} MB; ${JSON.stringify(got)}`,
  );
  await children.endAll();
}

async function cycles(): Promise<void> {
  const at = 20;
  const rounds = Math.ceil(Number(values.cycles) / at);
  const server = ours(at, "--offline", "0");
  await waitForPort(rtmp, 20_000);
  const flv = encoded("cycles", 900);
  const where = `rtmp://127.0.0.1:${rtmp}/live/bench-key-{n}`;
  const run = async (times: number): Promise<number> => {
    const program = join(import.meta.dirname, "live/publishers.ts");
    const load = children.start("load", [process.execPath, program, flv, where, String(at), "1.5", String(times)]);
    await load.exited;
    const { published } = JSON.parse(load.output().trim().split("\n").at(-1)!) as { published: number };
    if (published < at * times * 0.99) throw new Error(`only ${published} streams: ${load.output()}\n${server.output().slice(-2000)}`);
    return used(server.process.pid!).rss;
  };
  const early = await run(Math.max(1, Math.round(rounds / 5)));
  const middle = await run(Math.round((rounds * 2) / 5));
  const late = await run(Math.round((rounds * 2) / 5));
  judge(
    `${rounds * at} streams begun and ended, memory flat`,
    late <= middle * 1.05 + 5,
    `${early.toFixed(0)}, ${middle.toFixed(0)}, ${late.toFixed(0)} MB after 20, 60 and 100 %`,
  );
  await children.endAll();
}

async function hour(): Promise<void> {
  const minutes = Number(values.minutes);
  const server = ours(1);
  await waitForPort(rtmp, 20_000);
  const flv = encoded("hour", 2900);
  const where = `rtmp://127.0.0.1:${rtmp}/live/bench-key-{n}`;
  const publisher = join(import.meta.dirname, "live/publishers.ts");
  children.start("publisher", [process.execPath, publisher, flv, where, "1", String(minutes * 60 + 60)]);
  await sleep(6000);
  const url = `http://127.0.0.1:${http}/live/channel-0`;
  const watching = join(import.meta.dirname, "live/viewers.ts");
  const load = children.start("viewers", [process.execPath, watching, url, "3", String(minutes * 60)]);
  const resident: number[] = [];
  for (let minute = 1; minute <= minutes; minute++) {
    await sleep(60_000);
    resident.push(used(server.process.pid!).rss);
    if (minute % 10 === 0) console.log(`       ${minute} minutes: ${resident.at(-1)!.toFixed(0)} MB`);
  }
  await load.exited;
  const { wrong, lost } = JSON.parse(load.output().trim().split("\n").at(-1)!) as { wrong: number; lost: number };
  const third = Math.ceil(minutes / 3);
  const mean = (part: readonly number[]): number => part.reduce((sum, each) => sum + each, 0) / part.length;
  const [middle, late] = [mean(resident.slice(third, 2 * third)), mean(resident.slice(2 * third))];
  const got = `${mean(resident.slice(0, third)).toFixed(0)}, ${middle.toFixed(0)}, ${late.toFixed(0)} MB in its thirds; viewers: ${wrong} wrong, ${lost} lost`;
  judge(`${minutes} minutes of one channel, memory flat`, late <= middle * 1.05 + 5 && wrong === 0 && lost === 0, got);
  await children.endAll();
}

try {
  if (only.has("hour")) await hour();
  if (only.has("ingest")) await ingestOfAll();
  if (only.has("viewers")) await viewers();
  if (only.has("cycles")) await cycles();
} finally {
  await children.endAll();
}
process.exitCode = missed === 0 ? 0 : 1;
