/**
 * An encoder on a link that is too slow, live, in namespaces:
 *
 *   ffmpeg, 3 Mbit/s → longhaul client, rtmp: forward ⇉ [100 ms round trip, 1.2 Mbit/s] ⇉ longhaul server → longhaul live
 *
 *   node test/netns/rtmp-forward.ts          needs root, ../shared/netlab, ffmpeg, socat
 *
 * Beside it, on another link, the same by a plain forward: that one falls behind.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, Tally } from "../interop/checks.ts";
import { Children, longhaul, sleep, waitFor } from "../interop/children.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";

const missing = netlabMissing() ?? (spawnSync("ffmpeg", ["-version"]).status === 0 ? undefined : "needs ffmpeg");
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

const SECONDS = 7;
const DELAY_MS = 1000;
const key = "slow-link-key";
const all = new Children();
const clip = join(all.folder, "clip.flv");

function makeClip(): void {
  const picture = "testsrc2=size=640x360:rate=30,noise=alls=40:allf=t";
  const video =
    "-c:v libx264 -preset ultrafast -b:v 3000k -maxrate 3000k -bufsize 1500k -g 30 -keyint_min 30 -sc_threshold 0 -bf 0 -pix_fmt yuv420p";
  const command = `-v error -f lavfi -i ${picture} -f lavfi -i sine=frequency=440:sample_rate=48000 -t ${SECONDS} ${video} -c:a aac -b:a 96k ${clip}`;
  execFileSync("ffmpeg", command.split(" "));
}

interface Outcome {
  /** From the end of the encoder to the end of what came of it. */
  readonly behindMs: number;
  readonly clientLog: string;
  /** All that came for the encoder. */
  readonly said: string;
  /** What ffmpeg and ffprobe make of what viewers were given. */
  readonly wrong: string;
  readonly soundGapMs: number;
  readonly pictures: number;
}

async function broadcast(forward: string): Promise<Outcome> {
  const children = new Children();
  const lab = new Netlab(`lhrtmp${process.pid}${forward.length}`, "delay=50 rate=1200kbit qbytes=64k");
  try {
    const [c, s] = [lab.prefix("c"), lab.prefix("s")];
    const origin = children.start(
      "live",
      [longhaul, "live", "--rtmp", "127.0.0.1:1935", "--http", "127.0.0.1:8080", "--channel", `live=${key}`, "--window", "20"],
      s,
    );
    await waitFor(origin, "origin listening");
    const settings = ["--key", "of the slow link", "--mode", "auto", "--nocomp", "true"];
    const far = children.start("server", [longhaul, "server", "-l", ":29900", "--targets", "live=127.0.0.1:1935", ...settings], s);
    await waitFor(far, "listening");
    const near = children.start(
      "client",
      [longhaul, "client", "-r", "10.200.0.2:29900", "--forward", forward, "--maxdelay", String(DELAY_MS), ...settings],
      c,
    );
    await waitFor(near, "the peer is a Longhaul");
    const said = join(children.folder, `${forward.length}.said`);
    children.start("tap", ["socat", "-R", said, "TCP-LISTEN:1937,bind=127.0.0.1,reuseaddr", "TCP:127.0.0.1:1936"], c);
    await sleep(300);
    const encoder = children.start(
      "ffmpeg",
      ["ffmpeg", "-nostdin", "-v", "error", "-re", "-i", clip, "-c", "copy", "-f", "flv", `rtmp://127.0.0.1:1937/live/${key}`],
      c,
    );
    await waitFor(origin, "encoder publishes", 10_000);
    await encoder.exited;
    const ended = performance.now();
    // Who is far behind is not waited for.
    for (let left = 80; left > 0 && !/encoder (left|ended its stream)/.test(origin.output()); left--) await sleep(50);
    const behindMs = Math.round(performance.now() - ended);
    const nothing = { behindMs, clientLog: "", said: "", wrong: "", soundGapMs: 0, pictures: 0 };
    if (!forward.startsWith("rtmp:")) return nothing;
    const media = join(children.folder, `${forward.length}.ts`);
    const [ip = "", ...into] = s;
    execFileSync(
      ip,
      [...into, ..."ffmpeg -v error -live_start_index 0 -i http://127.0.0.1:8080/live/live/index.m3u8 -t 6 -c copy -y".split(" "), media],
      {
        timeout: 20_000,
      },
    );
    const wrong = spawnSync("ffmpeg", ["-v", "error", "-i", media, "-f", "null", "-"], { encoding: "utf8" }).stderr;
    return {
      behindMs,
      clientLog: near.output(),
      said: readFileSync(said, "latin1"),
      wrong,
      soundGapMs: longestGap(times(media, "a")),
      pictures: times(media, "v").length,
    };
  } finally {
    await children.endAll();
    lab.down();
  }
}

function times(media: string, kind: "a" | "v"): number[] {
  const command = ["-v", "error", "-select_streams", kind, "-show_entries", "packet=pts_time", "-of", "csv=p=0", media];
  return execFileSync("ffprobe", command, { encoding: "utf8" })
    .split("\n")
    .map((line) => Number.parseFloat(line))
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => a - b);
}

function longestGap(all: readonly number[]): number {
  return Math.round(1000 * Math.max(...all.slice(1).map((time, i) => time - all[i]!)));
}

makeClip();
const outcomes = Promise.all([broadcast("rtmp:127.0.0.1:1936=live"), broadcast("127.0.0.1:1936=live")]);
// Each check says what was wrong.
outcomes.catch(() => undefined);

const checks: Record<string, Check> = {
  "an encoder of 3 Mbit/s on 1.2: the delay is bounded, sound is whole, the picture decodes, the encoder is told": async () => {
    const [{ behindMs, clientLog, said, wrong, soundGapMs, pictures }] = await outcomes;
    const told = /at (\d+) kbit\/s, sound included/.exec(said)?.[1];
    console.log(
      `       ${behindMs} ms behind at the end, ${pictures} pictures, sound without more than ${soundGapMs} ms, told: ${told} kbit/s`,
    );
    if (behindMs > DELAY_MS + 1500) return `${behindMs} ms behind`;
    if (wrong !== "") return wrong;
    if (soundGapMs > 50) return `${soundGapMs} ms without sound`;
    if (pictures < 30) return `${pictures} pictures`;
    if (!clientLog.includes("frames were left out")) return "the log says nothing";
    return told === undefined || Number(told) < 500 || Number(told) > 1200 ? `the encoder was told ${told} kbit/s` : undefined;
  },
  "the same by a plain forward falls behind": async () => {
    const [, { behindMs }] = await outcomes;
    console.log(`       ${behindMs} ms and more behind at the end`);
    return behindMs < 1.5 * (DELAY_MS + 1500) ? `${behindMs} ms behind only: nothing is proven` : undefined;
  },
};

const tally = new Tally();
await tally.run(checks, all);
tally.end();
