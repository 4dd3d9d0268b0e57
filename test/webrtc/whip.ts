/**
 * A browser publishes to `longhaul live` by WHIP and another plays its LL-HLS; what WHIP's clients may do wrong is answered as RFC 9725 says.
 *
 *   node test/webrtc/whip.ts [--seconds 12] [--video-only]
 *
 * No root needed; Chromium is.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { chromiumMissing, figures, launch } from "../browser/watch.ts";
import { Children, longhaul, sleep, waitFor } from "../interop/children.ts";
import { parseArgs } from "../script-args.ts";
import type { PageApi, PublishOptions } from "./page-api.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "12" }, "video-only": { type: "boolean", default: false } },
});
const key = "whip-stream-key";
const port = 18_980 + (process.pid % 1000);
const base = `http://127.0.0.1:${port}`;
const script = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, "page/main.ts"), "utf8"));
let [passed, failed] = [0, 0];

function check(what: string, ok: boolean, got: unknown): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${JSON.stringify(got)}`);
}

const publishing = (page: Page, options: PublishOptions): Promise<string> =>
  page.evaluate((each) => (globalThis as unknown as { webrtc: PageApi }).webrtc.publish(each), options);

async function status(method: string, path: string, headers: Record<string, string>, body?: string): Promise<number> {
  return (await fetch(base + path, { method, headers, ...(body === undefined ? {} : { body }) })).status;
}

async function refusals(): Promise<void> {
  const sdp = { "content-type": "application/sdp" };
  const bearer = { authorization: `Bearer ${key}` };
  const fragment = { "content-type": "application/trickle-ice-sdpfrag" };
  const answers = {
    "no token 401": await status("POST", "/whip", sdp, "v=0\r\n"),
    "wrong token 403": await status("POST", "/whip", { ...sdp, authorization: "Bearer no-such-key" }, "v=0\r\n"),
    "not SDP 415": await status("POST", "/whip", { ...bearer, "content-type": "text/plain" }, "v=0\r\n"),
    "no offer 400": await status("POST", "/whip", { ...sdp, ...bearer }, "v=0\r\n"),
    "too long 413": await status("POST", "/whip", { ...sdp, ...bearer }, "v=0\r\n".repeat(20_000)),
    "GET 405": await status("GET", "/whip", {}),
    "unknown session 404": await status("DELETE", "/whip/session/none", {}),
    "unknown session, fragment 404": await status("PATCH", "/whip/session/none", fragment, "a=x\r\n"),
    "preflight 204": await status("OPTIONS", "/whip", {}),
  };
  for (const [what, got] of Object.entries(answers)) check(what, what.endsWith(` ${got}`), got);
}

async function session(location: string): Promise<void> {
  const fragment = { "content-type": "application/trickle-ice-sdpfrag" };
  check(
    "another publisher 409",
    (await status("POST", "/whip", { "content-type": "application/sdp", authorization: `Bearer ${key}` }, "v=0\r\n")) === 409,
    409,
  );
  check("fragment without If-Match 428", (await status("PATCH", location, fragment, "a=x\r\n")) === 428, 428);
  check(
    "fragment with another ETag 412",
    (await status("PATCH", location, { ...fragment, "if-match": '"other"' }, "a=x\r\n")) === 412,
    412,
  );
}

async function run(): Promise<void> {
  const children = new Children();
  const folder = mkdtempSync(join(tmpdir(), "longhaul-whip-"));
  const live = children.start("live", [
    longhaul,
    "live",
    "--rtmp",
    "127.0.0.1:0",
    "--http",
    `127.0.0.1:${port}`,
    "--channel",
    `show=${key}`,
  ]);
  try {
    await waitFor(live, "origin listening");
    await refusals();
    const browser = await launch(folder, {});
    try {
      const publisher = browser.pages()[0] ?? (await browser.newPage());
      await publisher.goto(`${base}/api/status`);
      await publisher.addScriptTag({ content: script, type: "module" });
      await publisher.waitForFunction(() => "webrtc" in globalThis);
      const options = { url: `${base}/whip`, codec: "H264", width: 640, height: 360, maxKbps: 1500, audio: !values["video-only"] };
      const location = await publishing(publisher, { ...options, headers: { authorization: `Bearer ${key}` } });
      check("Location and answer", /^\/whip\/session\/[0-9a-f-]{36}$/.test(location), location);
      await session(location);
      const viewer = await browser.newPage();
      await viewer.goto(`${base}/?channel=show`);
      for (let i = 0; i < 100 && (await figures(viewer))[0]?.playing !== true; i++) await sleep(100);
      await sleep(Number(values.seconds) * 1000);
      const [seen] = await figures(viewer);
      check("plays", seen?.playing === true, seen);
      const on = (await (await fetch(`${base}/api/status`)).json()) as { channels: { live: boolean; tracks?: unknown }[] };
      check("on the air", on.channels[0]?.live === true, on.channels[0]);
      const near = await browser.newPage();
      await near.goto(`${base}/api/status`);
      await near.addScriptTag({ content: script, type: "module" });
      await near.waitForFunction(() => "webrtc" in globalThis);
      const watching = await near.evaluate((url) => (globalThis as unknown as { webrtc: PageApi }).webrtc.play(url), `${base}/whep/show`);
      await sleep(5000);
      const samples = await near.evaluate(() => (globalThis as unknown as { webrtc: PageApi }).webrtc.samples());
      check("WHEP: pictures decoded", (samples.at(-1)?.frames ?? 0) > 60, samples.at(-1));
      const { channels } = (await (await fetch(`${base}/api/status`)).json()) as { channels: { counters: { keyFrameRequests: number } }[] };
      check("WHEP: the publisher was asked for a key frame", (channels[0]?.counters.keyFrameRequests ?? 0) > 0, channels[0]?.counters);
      check("WHEP: DELETE 200", (await status("DELETE", watching, {})) === 200, watching);
      check("DELETE 200", (await status("DELETE", location, {})) === 200, 200);
      const off = (await (await fetch(`${base}/api/status`)).json()) as { channels: { live: boolean }[] };
      check("off the air", off.channels[0]?.live === false, off.channels[0]?.live);
      check("deleted twice 404", (await status("DELETE", location, {})) === 404, 404);
    } finally {
      await browser.close();
    }
  } finally {
    if (failed > 0) console.log(live.output().slice(-4000));
    await children.endAll();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

if (chromiumMissing === false) await run();
else console.log(`skipped: ${chromiumMissing}`);
console.log(`${passed} passed, ${failed} failed, ${chromiumMissing === false ? 0 : 1} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
