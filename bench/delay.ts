/**
 * How far behind a viewer is, in Chromium over loopback, beside what was asked:
 *
 *   hls.js, parts of 200 ms, key frames every 2 s      packet's arrival at the origin to playhead, median ≤ 1.0 s
 *   hls.js, parts of 100 ms, key frames every 1 s      ≤ 0.7 s
 *   Shaka, parts of 200 ms                             plays; ≤ 1.0 s
 *   WHIP to WHEP, a clock in the picture               painted to shown, ≤ 0.2 s
 *
 *   npm run bench:delay [-- --seconds 20 --only hls,shaka,whep]       ffmpeg, chromium; hls200 and hls100 for one of the two, --seconds 600 for ten minutes without a stall
 *
 * By hls.js at most one frame in a thousand is dropped, too, where there are so many.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { chromiumMissing, launch, watch } from "../test/browser/watch.ts";
import { type Child, Children, longhaul, sleep, waitFor } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";
import type { DelayApi, Seen } from "./delay/page-api.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "20" }, only: { type: "string", default: "hls,shaka,whep" } },
});
const seconds = Number(values.seconds);
const only = new Set(values.only.split(","));
const key = "bench-delay-key";
const children = new Children();
let missed = 0;

function report(what: string, asked: number, median: number | undefined, rest: object, ok = true): void {
  const reached = ok && median !== undefined && median <= asked;
  if (!reached) missed++;
  console.log(
    `${reached ? "ok    " : "MISSED"} ${what}: ${median === undefined ? "–" : Math.round(median)} ms of ${asked}; ${JSON.stringify(rest)}`,
  );
}

/** `longhaul live` with one channel. */
async function origin(part: number, segment: number): Promise<{ live: Child; rtmp: number; base: string }> {
  const [rtmp, http] = [20_000 + (process.pid % 5000) + part, 26_000 + (process.pid % 5000) + part];
  const where = ["--rtmp", `127.0.0.1:${rtmp}`, "--http", `127.0.0.1:${http}`];
  const how = ["--channel", `show=${key}`, "--part", String(part), "--segment", String(segment)];
  const live = children.start("live", [longhaul, "live", ...where, ...how]);
  await waitFor(live, "origin listening");
  return { live, rtmp, base: `http://127.0.0.1:${http}` };
}

function encode(rtmp: number, gop: number): Child {
  const picture = ["-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"];
  const sound = ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:a", "aac"];
  const coded = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", String(gop), "-b:v", "2M", "-pix_fmt", "yuv420p"];
  const to = ["-f", "flv", `rtmp://127.0.0.1:${rtmp}/live/${key}`];
  return children.start("ffmpeg", ["ffmpeg", "-hide_banner", "-loglevel", "error", ...picture, ...sound, ...coded, ...to]);
}

async function hls(part: number, gopSeconds: number, asked: number): Promise<void> {
  const { live, rtmp, base } = await origin(part, gopSeconds * 1000);
  const encoder = encode(rtmp, gopSeconds * 30);
  const { medianLatencyMs, stalls, hitches, marginMs, droppedFrames, restarts } = await watch({ url: `${base}/`, seconds });
  const rest = { stalls, hitches, marginMs, droppedFrames, of: seconds * 30, restarts };
  // A single frame is more than that in a short run.
  const smooth = stalls === 0 && droppedFrames <= Math.max(1, seconds * 30 * DROPPED_MAX);
  report(`hls.js, parts of ${part} ms, key frames every ${gopSeconds} s`, asked, medianLatencyMs, rest, smooth);
  await Promise.all([children.end(encoder), children.end(live)]);
}

async function byShaka(): Promise<void> {
  const { live, rtmp, base } = await origin(200, 2000);
  const encoder = encode(rtmp, 60);
  await sleep(SEGMENTS_BEFORE_SHAKA_MS);
  await inBrowser(async (browser) => {
    const page = await scripted(browser, base, createRequire(import.meta.url).resolve("shaka-player"));
    await page.evaluate((url) => (globalThis as unknown as { delay: DelayApi }).delay.playByShaka(url), `${base}/live/show/index.m3u8`);
    await sleep(seconds * 1000);
    const { delays, droppedFrames, frames, still } = await seen(page);
    report("Shaka, parts of 200 ms, key frames every 2 s", 1000, median(delays), { droppedFrames, frames, still }, frames > seconds * 20);
  });
  await Promise.all([children.end(encoder), children.end(live)]);
}

async function whep(): Promise<void> {
  const { live, base } = await origin(200, 2000);
  await inBrowser(async (browser) => {
    const publisher = await scripted(browser, base);
    await publisher.evaluate(
      ([url, word]) => (globalThis as unknown as { delay: DelayApi }).delay.publishClock(url!, word!),
      [`${base}/whip`, key],
    );
    await sleep(3000);
    const viewer = await scripted(browser, base);
    await viewer.evaluate((url) => (globalThis as unknown as { delay: DelayApi }).delay.watchClock(url), `${base}/whep/show`);
    await sleep(seconds * 1000);
    const { delays, frames } = await seen(viewer);
    const sorted = [...delays].sort((a, b) => a - b);
    const p95 = sorted[Math.floor(sorted.length * 0.95)];
    report("WHIP to WHEP, a clock in the picture", 200, median(delays), { p95, read: delays.length, frames }, delays.length > seconds * 15);
  });
  await children.end(live);
}

const DROPPED_MAX = 0.001;
/** Shaka 5.2 gives up where the playlist has no complete segment yet. */
const SEGMENTS_BEFORE_SHAKA_MS = 6000;

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function seen(page: Page): Promise<Seen> {
  return page.evaluate(() => (globalThis as unknown as { delay: DelayApi }).delay.seen());
}

async function inBrowser(work: (browser: BrowserContext) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-delay-"));
  const browser = await launch(folder, {});
  try {
    await work(browser);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A page of the origin with our script in it, and before that a player's. */
async function scripted(browser: BrowserContext, base: string, player?: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${base}/api/status`);
  if (player !== undefined) await page.addScriptTag({ path: player });
  const [picture, main] = ["clock-picture.ts", "main.ts"].map((name) =>
    stripTypeScriptTypes(readFileSync(join(import.meta.dirname, "delay/page", name), "utf8")).replace(
      /^(import .*|export (?=const|function))/gm,
      "",
    ),
  );
  await page.addScriptTag({ content: `{${picture}\n${main}}`, type: "module" });
  await page.waitForFunction(() => "delay" in globalThis);
  return page;
}

if (chromiumMissing === false) {
  try {
    if (only.has("hls") || only.has("hls200")) await hls(200, 2, 1000);
    if (only.has("hls") || only.has("hls100")) await hls(100, 1, 700);
    if (only.has("shaka")) await byShaka();
    if (only.has("whep")) await whep();
  } finally {
    await children.endAll();
  }
} else console.log(`skipped: ${chromiumMissing}`);
process.exitCode = missed === 0 ? 0 : 1;
