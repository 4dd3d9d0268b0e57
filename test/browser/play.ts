/**
 * The live path as a viewer sees it: ffmpeg publishes to an origin by RTMP, Chromium plays its LL-HLS. Prints the figures as JSON and exits 1 when it did
 * not play, stalled, or lagged by more than allowed. With --interrupt the encoder leaves in the middle and comes back three seconds later; then the
 * players must play again at the end, without having been set up anew more than once. With --forget hls.js is made to ask for no more parts every five
 * seconds, as it has been seen to do by itself: playback must not stall. With --bursts what the encoder sends is held for up to 2.5 s again and again: hls.js
 * must go on by itself, never prompted.
 *
 *   node test/browser/play.ts [--seconds 15] [--part 200] [--gop 60] [--latency 1200] [--players 1] [--screenshot FILE] [--dark] [--width 1280] [--interrupt] [--forget] [--bursts SEED]
 */

import type { Page } from "playwright-core";
import { Prng } from "../../src/base/prng.ts";
import { page } from "../../src/console/page.ts";
import { serveHttp } from "../../src/host/http.ts";
import { createLog } from "../../src/host/log.ts";
import { NodeLoop } from "../../src/host/loop-node.ts";
import { liveConfig } from "../../src/live/config.ts";
import { delivery } from "../../src/live/delivery.ts";
import type { Extra, LinkFigures } from "../../src/live/link-figures.ts";
import { Origin } from "../../src/live/origin.ts";
import { type Child, Children } from "../interop/children.ts";
import { parseArgs } from "../script-args.ts";
import { burstyRelay } from "./bursty-relay.ts";
import { chromiumMissing, watch } from "./watch.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "15" },
    part: { type: "string", default: "200" },
    gop: { type: "string", default: "60" },
    latency: { type: "string", default: "1200" },
    players: { type: "string", default: "1" },
    screenshot: { type: "string", default: "" },
    dark: { type: "boolean", default: false },
    forget: { type: "boolean", default: false },
    interrupt: { type: "boolean", default: false },
    width: { type: "string", default: "1280" },
    bursts: { type: "string", default: "" },
  },
});

const channels = Object.fromEntries(Array.from({ length: Number(values.players) }, (_, i) => [`channel-${i + 1}`, `browser-key-${i + 1}`]));
const example: LinkFigures["figures"] = [
  { label: "Round trip (example)", value: 0.04, unit: "ms" },
  { label: "Loss (example)", value: 0, unit: "share" },
];
const extra: Extra = {
  links: Object.keys(channels).map((name) => ({ name, figures: example })),
  players: Object.keys(channels).map((channel, i) => ({
    channel,
    title: `Channel ${i + 1}`,
    note: "ffmpeg over loopback, no link in between",
  })),
};

async function run(): Promise<boolean> {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({ channels, part: values.part }), loop, createLog("warn"));
  const { local } = origin.listen({ host: "127.0.0.1", port: 0 });
  const app = delivery(origin, { extra: () => extra }).route("/", page());
  const http = await serveHttp(app.fetch, { host: "127.0.0.1", port: 0 });
  const children = new Children();
  try {
    if (!("port" in local)) throw new Error("the listener has no port");
    const relay = values.bursts === "" ? undefined : await burstyRelay(local.port, new Prng(Number(values.bursts)));
    const port = relay?.port ?? local.port;
    const publish = (): Child[] =>
      Object.values(channels).map((key) => children.start("ffmpeg", encoder(`rtmp://127.0.0.1:${port}/live/${key}`)));
    let encoders = publish();
    const everySecond = async (page: Page, second: number): Promise<void> => {
      if (values.forget && second % 5 === 4) await page.evaluate("hlsOfTest.pauseBuffering()");
      if (values.interrupt && second === 4) await Promise.all(encoders.map((each) => children.end(each)));
      if (values.interrupt && second === 7) encoders = publish();
    };
    const watched = await watch({
      url: `http://127.0.0.1:${http.local.port}/`,
      seconds: Number(values.seconds),
      width: Number(values.width),
      dark: values.dark,
      everySecond,
      ...(values.forget ? { prepare: handOut } : {}),
      ...(values.screenshot === "" ? {} : { screenshot: values.screenshot }),
    });
    relay?.close();
    console.log(JSON.stringify(watched, undefined, 1));
    const latency = watched.medianLatencyMs ?? Number.POSITIVE_INFINITY;
    if (values.interrupt) return watched.errors.length === 0 && watched.players.every((p) => p.playing && p.restarts <= 1);
    if (relay !== undefined) return watched.errors.length === 0 && watched.players.every((p) => p.playing && p.prompts === 0);
    return watched.errors.length === 0 && watched.players.every((p) => p.playing && p.stalls === 0) && latency <= Number(values.latency);
  } finally {
    await children.endAll();
    origin.close();
    await http.close();
    loop.stop();
  }
}

/** Makes the page's player reachable from here. */
async function handOut(page: Page): Promise<void> {
  await page.route("**/assets/playback.ts", async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace("this.#hls = hls;", "this.#hls = globalThis.hlsOfTest = hls;");
    await route.fulfill({ response: answer, body });
  });
}

function encoder(url: string): string[] {
  const picture = "testsrc2=size=640x360:rate=30";
  const video = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", values.gop, "-b:v", "1M", "-pix_fmt", "yuv420p"];
  const inputs = ["-re", "-f", "lavfi", "-i", picture, "-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
  return ["ffmpeg", "-hide_banner", "-loglevel", "error", ...inputs, ...video, "-c:a", "aac", "-f", "flv", url];
}

const ok = chromiumMissing === false && (await run());
if (chromiumMissing !== false) console.log(`skipped: ${chromiumMissing}`);
console.log(`${ok ? 1 : 0} passed, ${ok || chromiumMissing !== false ? 0 : 1} failed, ${chromiumMissing === false ? 0 : 1} skipped`);
process.exitCode = ok || chromiumMissing !== false ? 0 : 1;
