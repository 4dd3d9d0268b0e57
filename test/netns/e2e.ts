/**
 * The whole way over a bad link, in namespaces:
 *
 *   ffmpeg → longhaul client ⇉ [200 ms RTT, 1 % loss, 20 Mbit/s] ⇉ longhaul server → longhaul live → hls.js in Chromium
 *   (client side)                                                   (server side)
 *
 *   node test/netns/e2e.ts [--seconds 60] [--client longhaul|kcptun|both] [--link "delay=100 …"] [--screenshot FILE]
 *
 * Passes when the player never stalls and the median of (packet arrival at the origin → playhead) is at most 2.0 s. What misses that is judged beside the same
 * stream published at the origin itself, watched right after: on a machine that is kept busy encoder and player alone are later than that. Then it passes when it
 * is at most half as much again behind, and stalls no more often.
 * Needs root, ../shared/netlab, ffmpeg, chromium; with kcptun Debian's package kcptun.
 */

import { type Watched, watch } from "../browser/watch.ts";
import { Children, longhaul, waitFor } from "../interop/children.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";
import { parseArgs } from "../script-args.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    client: { type: "string", default: "both" },
    link: { type: "string", default: "delay=100 loss=1% rate=20mbit qbytes=512k" },
    screenshot: { type: "string", default: "" },
  },
});
const seconds = Number(values.seconds);
const medianMsMax = 2000;
const BUSY_RATIO = 1.5;
const key = "e2e-stream-key";

interface Result {
  readonly client: string;
  readonly figures: Watched;
  readonly wireBytesPerSecond: number;
  readonly lost: number;
}

type Client = "longhaul" | "kcptun" | "none";

async function run(client: Client, lab: Netlab, children: Children): Promise<Result> {
  const [c, s] = [lab.prefix("c"), lab.prefix("s")];
  const tunnel = ["--key", "e2e secret", "--smuxver", "2"];
  const origin = children.start(
    "live",
    [longhaul, "live", "--rtmp", "127.0.0.1:1935", "--http", "127.0.0.1:8080", "--channel", `live=${key}`],
    s,
  );
  await waitFor(origin, "origin listening");
  const server = children.start("server", [longhaul, "server", "-l", "0.0.0.0:29900", "-t", "127.0.0.1:1935", ...tunnel], s);
  await waitFor(server, "tunnel server listening");
  const program = client === "kcptun" ? ["kcptun-client"] : [longhaul, "client"];
  const near = children.start("client", [...program, "-l", "127.0.0.1:1936", "-r", `${Netlab.serverAddress}:29900`, ...tunnel], c);
  await waitFor(near, client === "kcptun" ? "listening on" : "tunnel client listening");
  const before = lab.stats();
  // Without a client: from the origin's own side, to the origin itself.
  const [side, port] = client === "none" ? [s, 1935] : [c, 1936];
  const publisher = children.start(
    "ffmpeg",
    [
      ..."ffmpeg -hide_banner -loglevel warning -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000".split(
        " ",
      ),
      ..."-c:v libx264 -preset veryfast -tune zerolatency -profile:v high -b:v 2000k -maxrate 2000k -bufsize 2000k -g 60 -keyint_min 60 -sc_threshold 0".split(
        " ",
      ),
      ..."-pix_fmt yuv420p -c:a aac -b:a 128k".split(" "),
      ...["-t", String(seconds + 20), "-f", "flv", `rtmp://127.0.0.1:${port}/live/${key}`],
    ],
    side,
  );
  try {
    await waitFor(origin, "encoder publishes", 20_000);
    const figures = await watch({
      url: "http://127.0.0.1:8080/?channel=live",
      seconds,
      prefix: s,
      ...(values.screenshot === "" ? {} : { screenshot: values.screenshot }),
    });
    const after = lab.stats();
    return {
      client,
      figures,
      wireBytesPerSecond: Math.round((after.ab.in[1] - before.ab.in[1]) / seconds),
      lost: after.ab.drop_loss[0] - before.ab.drop_loss[0],
    };
  } catch (error) {
    console.error([origin, server, near, publisher].map((child) => child.output().slice(-3000)).join("\n----\n"));
    throw error;
  } finally {
    for (const child of [publisher, near, server, origin]) await children.end(child);
  }
}

function reaches({ figures: { medianLatencyMs, stalls, playing } }: Result, msMax: number, stallsMax: number): boolean {
  return playing && stalls <= stallsMax && medianLatencyMs !== undefined && medianLatencyMs <= msMax;
}

const missing = netlabMissing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
const children = new Children();
const lab = new Netlab(`lhe2e${process.pid}`, values.link);
let [passed, failed] = [0, 0];
try {
  for (const client of values.client === "both" ? (["longhaul", "kcptun"] as const) : [values.client as "longhaul" | "kcptun"]) {
    const result = await run(client, lab, children);
    let ok = reaches(result, medianMsMax, 0);
    console.log(`${ok ? "ok    " : "beside"} ${client} client, ${seconds} s: ${JSON.stringify(result)}`);
    if (!ok) {
      const alone = await run("none", lab, children);
      ok = reaches(result, BUSY_RATIO * (alone.figures.medianLatencyMs ?? 0), alone.figures.stalls);
      console.log(`${ok ? "ok    " : "FAILED"} without the link: ${JSON.stringify(alone)}`);
    }
    if (ok) passed++;
    else failed++;
  }
} finally {
  await children.endAll();
  lab.down();
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
