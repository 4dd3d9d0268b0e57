/**
 * Chromium publishes three encodings by WHIP, and another watches by WHEP over a link that becomes narrow and wide again: it gets the largest picture that the link carries.
 * The same encodings are renditions by LL-HLS.
 *
 *   publisher, origin (s) ── delay 20 ms, rate as said ──▶ viewer (c)
 *
 *   node test/webrtc/simulcast.ts [--each]
 *
 * Needs root, ../shared/netlab, gcc, chromium, ffmpeg.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { chromiumMissing, launch } from "../browser/watch.ts";
import { Children, longhaul, sleep, waitFor } from "../interop/children.ts";
import { Netlab, netlabMissing } from "../interop/netlab.ts";
import { parseArgs } from "../script-args.ts";
import { until } from "../until.ts";
import type { PageApi, Sample } from "./page-api.ts";

const { values } = parseArgs({ options: { each: { type: "boolean", default: false } } });
const key = "simulcast-stream-key";
const base = `http://${Netlab.serverAddress}:8080`;
const script = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, "page/main.ts"), "utf8"));
/** As the publisher's page makes them (page/main.ts): whole, half and a quarter. */
const widths = [960, 480, 240];
let [passed, failed] = [0, 0];

function check(what: string, ok: boolean, got: unknown): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${JSON.stringify(got)}`);
}

async function opened(page: Page): Promise<Page> {
  await page.goto(`${base}/api/status`);
  await page.addScriptTag({ content: script, type: "module" });
  await page.waitForFunction(() => "webrtc" in globalThis);
  return page;
}

const samplesOf = (page: Page): Promise<readonly Sample[]> =>
  page.evaluate(() => (globalThis as unknown as { webrtc: PageApi }).webrtc.samples());

/** Waits until the viewer's picture is one of these wide; answers how long it took and the longest time without a picture meanwhile. */
async function shows(viewer: Page, wanted: readonly number[], seconds: number): Promise<{ width: number; seconds: number; still: number }> {
  const from = (await samplesOf(viewer)).at(-1)?.at ?? 0;
  const last = async (): Promise<Sample> => (await samplesOf(viewer)).at(-1)!;
  try {
    await until(`a picture ${wanted.join(" or ")} wide`, async () => wanted.includes((await last()).width), seconds);
  } catch {
    // What is seen is told by who asked.
  }
  const { at, width } = await last();
  return { width, seconds: Math.round((at - from) / 100) / 10, still: still(await samplesOf(viewer), from, at) };
}

/** The longest time without another picture, in ms. */
function still(samples: readonly Sample[], from: number, to: number): number {
  let [longest, frames, since] = [0, -1, from];
  for (const sample of samples) {
    if (sample.at < from || sample.at > to) continue;
    if (sample.frames !== frames) [frames, since] = [sample.frames, sample.at];
    longest = Math.max(longest, sample.at - since);
  }
  return Math.round(longest);
}

interface Status {
  readonly channels: readonly { readonly live: boolean; readonly tracks: readonly { readonly width?: number }[] }[];
}

async function run(): Promise<void> {
  const children = new Children();
  const folders = ["publisher", "viewer"].map((name) => mkdtempSync(join(tmpdir(), `longhaul-simulcast-${name}-`)));
  const net = new Netlab("lhsim", "delay=20 rate=0 qbytes=0");
  const get = (path: string): string => {
    const [file, ...args] = [...net.prefix("s"), "curl", "-s", base + path];
    return execFileSync(file!, args, { encoding: "utf8" });
  };
  const live = children.start(
    "live",
    [longhaul, "live", "--rtmp", "127.0.0.1:0", "--http", "0.0.0.0:8080", "--channel", `show=${key}`],
    net.prefix("s"),
  );
  const args = ["--disable-features=WebRtcHideLocalIpsWithMdns"];
  const browsers: BrowserContext[] = [];
  try {
    for (const [i, side] of (["s", "c"] as const).entries()) browsers.push(await launch(folders[i]!, { prefix: net.prefix(side) }, args));
    const [publisherBrowser, viewerBrowser] = browsers as [BrowserContext, BrowserContext];
    await waitFor(live, "origin listening");
    const publisher = await opened(publisherBrowser.pages()[0] ?? (await publisherBrowser.newPage()));
    const options = { url: `${base}/whip`, codec: "H264", width: 960, height: 540, maxKbps: 1500, audio: true, simulcast: true };
    const location = await publisher.evaluate((given) => (globalThis as unknown as { webrtc: PageApi }).webrtc.publish(given), {
      ...options,
      headers: { authorization: `Bearer ${key}` },
    });
    check("three encodings are taken", / encodings=3|"encodings":3/.test(live.output()), location);
    const whole = (): boolean =>
      (JSON.parse(get("/api/status")) as Status).channels[0]?.tracks.some(({ width }) => width === widths[0]) ?? false;
    await until("the channel's own picture is the largest", whole, 30);
    await until("the others are renditions", () => get("/live/show/index.m3u8").split("#EXT-X-STREAM-INF").length === 4, 20);
    const offered = [...get("/live/show/index.m3u8").matchAll(/RESOLUTION=(\d+)x\d+/g)].map(([, width]) => Number(width));
    check("LL-HLS offers three pictures, the largest first", offered[0] === widths[0] && new Set(offered).size === 3, offered);
    await sleep(4000);
    for (const path of ["", ...[...get("/live/show/index.m3u8").matchAll(/^(r\/\w+\/)media/gm)].map(([, found]) => found!)]) {
      const media = get(`/live/show/${path}media.m3u8`);
      const segment = media.match(/^\d+\.m4s$/gm)?.at(-1);
      const init = /MAP:URI="([^"]+)"(?![\s\S]*MAP:URI)/.exec(media)?.[1];
      const url = (name: string | undefined): string => `${base}/live/show/${path}${name}`;
      const fetched = `${net.prefix("s").join(" ")} curl -s ${url(init)} ${url(segment)}`;
      // Pictures less than a frame of the nominal rate apart are no fault of the stream.
      const decoder = "ffmpeg -v error -i - -fps_mode vfr -f null - 2>&1";
      const decoded = spawnSync("sh", ["-c", `${fetched} | ${decoder}`], { encoding: "utf8" }).stdout;
      check(`the newest segment of ${path || "its own"} decodes`, decoded === "" && segment !== undefined, { segment, decoded });
    }

    const viewer = await opened(viewerBrowser.pages()[0] ?? (await viewerBrowser.newPage()));
    await viewer.evaluate((url) => (globalThis as unknown as { webrtc: PageApi }).webrtc.play(url), `${base}/whep/show`);
    const first = await shows(viewer, [widths[0]!], 20);
    check("a wide link: the largest picture", first.width === widths[0], first);
    await sleep(5000);
    net.set("delay=20 rate=900kbit qbytes=60k");
    const middle = await shows(viewer, [widths[1]!], 20);
    check("900 kbit/s: the middle one", middle.width === widths[1], middle);
    net.set("delay=20 rate=300kbit qbytes=40k");
    const small = await shows(viewer, [widths[2]!], 20);
    check("300 kbit/s: the smallest", small.width === widths[2], small);
    await sleep(5000);
    const [narrow] = [await samplesOf(viewer)];
    const end = narrow.at(-1)!.at;
    check("and it moves", still(narrow, end - 4000, end) < 1500, { stillMs: still(narrow, end - 4000, end) });
    net.set("delay=20 rate=0 qbytes=0");
    const wide = await shows(viewer, [widths[0]!], 90);
    check("wide again: the largest again", wide.width === widths[0], wide);
    if (values.each) for (const sample of await samplesOf(viewer)) console.log(JSON.stringify(sample));
  } finally {
    for (const browser of browsers) await browser.close();
    if (failed > 0 || values.each) console.log(live.output().slice(-4000));
    await children.endAll();
    net.down();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const missing = netlabMissing() ?? (chromiumMissing === false ? undefined : chromiumMissing);
if (missing === undefined) await run();
else console.log(`skipped: ${missing}`);
console.log(`${passed} passed, ${failed} failed, ${missing === undefined ? 0 : 1} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
