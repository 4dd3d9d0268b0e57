/**
 * A broadcast from the far side of a bad link, from the encoder's picture to the viewer's, in one run by three ways:
 *
 *   pictures with the time of day ─▶ ffmpeg ─ RTMPS ─▶ [plain TCP | Debian's kcptun, fast2, 10+5 | longhaul client, --mode auto] ═ netlab ═▶ longhaul live ─▶ hls.js, Chromium
 *
 *   npm run bench:ingest-link [-- --profile a --seconds 150 --mbits 6 --part 100 --ways tcp,kcptun,kcptun-default,longhaul]
 *
 * asked: the median age of the picture that the viewer sees ≤ 0.6 × the better of the two others', no stall. Profiles are netlab's: a 200 ms of round trip and 1 % lost, b 300 ms and 5 %
 * lost in bursts of 5; 20 Mbit/s. The tunnel's server runs beside the origin. Needs root, ../shared/netlab, ffmpeg, chromium and Debian's kcptun.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { watch } from "../test/browser/watch.ts";
import { type Child, Children, longhaul, root, sleep, waitFor } from "../test/interop/children.ts";
import { Netlab, netlabMissing } from "../test/interop/netlab.ts";
import { parseArgs } from "../test/script-args.ts";
import { HEIGHT, pictureAge, WIDTH } from "./ingest-link/stamp.ts";

const { values } = parseArgs({
  options: {
    profile: { type: "string", default: "a" },
    seconds: { type: "string", default: "150" },
    mbits: { type: "string", default: "6" },
    ways: { type: "string", default: "tcp,kcptun,longhaul" },
    part: { type: "string", default: "100" },
  },
});
const profiles: Readonly<Record<string, string>> = {
  a: "delay=100 loss=1% rate=20mbit qbytes=512k",
  b: "delay=150 ge=5%:5 rate=20mbit qbytes=512k",
};
const seconds = Number(values.seconds);
/** So long the page takes to learn how near to the edge it may go. */
const SETTLE_S = 30;
const SHARE_MAX = 0.6;
const LISTEN_MS = 20_000;
const key = "ingest-link-key";
/** As its users set it for such links; "kcptun-default" has what the package comes with. */
const kcptun = "--key bench --crypt none --mode fast2 --mtu 1350 --datashard 10 --parityshard 5 --sockbuf 16777215".split(" ");
const own = "--key bench --mode auto".split(" ");

interface Result {
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly samples: number;
  readonly stalls: number;
  readonly stalledMs: number;
  readonly hitches: number;
  readonly marginMs: number;
  readonly dropped: number;
}

/** Starts a tunnel's two ends; answers the port at which an encoder finds the origin, on its own side. */
async function way(name: string, lab: Netlab, children: Children): Promise<string> {
  const [c, s] = [lab.prefix("c"), lab.prefix("s")];
  if (name === "tcp") return `${Netlab.serverAddress}:1936`;
  const [server, client] =
    name === "kcptun-default"
      ? [
          ["kcptun-server", "--key", "bench"],
          ["kcptun-client", "--key", "bench"],
        ]
      : name === "kcptun"
        ? [
            ["kcptun-server", ...kcptun, "--sndwnd", "2048", "--rcvwnd", "1024"],
            ["kcptun-client", ...kcptun, "--sndwnd", "1024", "--rcvwnd", "2048"],
          ]
        : [
            [longhaul, "server", ...own],
            [longhaul, "client", ...own],
          ];
  children.start("server", [...server, "-l", ":29900", "-t", "127.0.0.1:1936"], s);
  children.start("client", [...client, "-l", "127.0.0.1:1937", "-r", `${Netlab.serverAddress}:29900`], c);
  await listens(s, "-lun", 29900);
  await listens(c, "-ltn", 1937);
  return "127.0.0.1:1937";
}

/** Waits until somebody listens at the port in a namespace, which says so whatever program it is. */
async function listens(prefix: readonly string[], kind: string, port: number): Promise<void> {
  const [file, ...args] = [...prefix, "ss", "-H", kind, `sport = :${port}`];
  for (const until = Date.now() + LISTEN_MS; Date.now() < until; await sleep(100))
    if (spawnSync(file!, args, { encoding: "utf8" }).stdout !== "") return;
  throw new Error(`nobody listens at port ${port}`);
}

async function run(name: string, lab: Netlab, children: Children): Promise<Result> {
  const [c, s] = [lab.prefix("c"), lab.prefix("s")];
  const data = join(children.folder, `data-${name}`);
  const where = ["--rtmp", "127.0.0.1:1935", "--rtmps", ":1936", "--http", "127.0.0.1:8080", "--api", "127.0.0.1:8081"];
  const origin = children.start("live", [longhaul, "live", "--data", data, ...where, "--part", values.part, "--channel", `live=${key}`], s);
  await waitFor(origin, "origin listening");
  const at = await way(name, lab, children);
  const picture = `-f rawvideo -pix_fmt gray -s ${WIDTH}x${HEIGHT} -framerate 30 -probesize 32 -i - -f lavfi -i sine=frequency=440:sample_rate=48000`;
  const rate = `${values.mbits}M`;
  const coded = `-c:v libx264 -preset ultrafast -tune zerolatency -g 60 -keyint_min 60 -sc_threshold 0 -pix_fmt yuv420p -b:v ${rate} -minrate ${rate} -maxrate ${rate} -bufsize ${rate} -x264-params nal-hrd=cbr`;
  const encode = `ffmpeg -hide_banner -loglevel error ${picture} ${coded} -c:a aac -b:a 96k -f flv rtmps://${at}/app/${key}`;
  const frames = `${process.execPath} ${join(root, "bench/ingest-link/stamped-frames.ts")}`;
  const encoder: Child = children.start("encoder", ["sh", "-c", `${frames} | ${encode}`], c);
  try {
    await waitFor(origin, "encoder publishes", 30_000);
    const ages: number[] = [];
    const { stalls, stalledMs, hitches, marginMs, droppedFrames, playing } = await watch({
      url: "http://127.0.0.1:8080/?channels=live",
      seconds: seconds + SETTLE_S,
      prefix: s,
      everySecond: async (page, second) => {
        if (second < SETTLE_S) return;
        for (let i = 0; i < 4; i++) {
          const age = await pictureAge(page);
          if (age !== undefined) ages.push(age);
          await sleep(100);
        }
      },
    });
    if (!playing && ages.length === 0) throw new Error("nothing was played");
    ages.sort((a, b) => a - b);
    const quantile = (share: number): number => ages[Math.floor(share * (ages.length - 1))] ?? Number.NaN;
    return {
      medianMs: quantile(0.5),
      p95Ms: quantile(0.95),
      samples: ages.length,
      stalls,
      stalledMs,
      hitches,
      marginMs,
      dropped: droppedFrames,
    };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${[origin, encoder].map((child) => child.output().slice(-1500)).join("\n----\n")}`);
  } finally {
    await children.endAll();
  }
}

const missing = netlabMissing();
const link = profiles[values.profile];
if (missing !== undefined || link === undefined) {
  console.log(`skipped: ${missing ?? `there is no profile ${values.profile}`}`);
  process.exit(link === undefined ? 2 : 0);
}
const lab = new Netlab(`lhingest${process.pid}`, link);
const results = new Map<string, Result>();
try {
  for (const name of values.ways.split(",")) {
    const children = new Children();
    const result = await run(name, lab, children);
    results.set(name, result);
    console.log(`       profile ${values.profile}, ${name}: ${JSON.stringify(result)}`);
    rmSync(children.folder, { recursive: true, force: true, maxRetries: 5 });
  }
} finally {
  lab.down();
}
const ours = results.get("longhaul");
const best = Math.min(...["tcp", "kcptun"].map((name) => results.get(name)?.medianMs ?? Number.POSITIVE_INFINITY));
if (ours !== undefined && Number.isFinite(best)) {
  const share = ours.medianMs / best;
  const ok = share <= SHARE_MAX && ours.stalls === 0;
  console.log(
    `${ok ? "ok    " : "MISSED"} profile ${values.profile}: the picture's age ≤ ${SHARE_MAX} × the better of the others', no stall: ${share.toFixed(2)} ×, ${ours.stalls} stalls`,
  );
  process.exitCode = ok ? 0 : 1;
}
