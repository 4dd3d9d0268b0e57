/** WebRTC through forwards: Chromium publishes to our endpoint behind them, all media through a forward that keeps its ports. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { chromiumMissing, launch } from "../browser/watch.ts";
import { Children, longhaul, root, sleep, waitFor } from "../interop/children.ts";
import type { PageApi } from "../webrtc/page-api.ts";
import { BACKEND, type Lab, LISTEN } from "./lab.ts";

/** Of the answer's candidates those of one family stay, and lead to the forward; the offer has none, so that nothing goes past it. */
interface Detour {
  readonly keep: string;
  readonly instead: string;
}

export function webrtc(lab: Lab, datapaths: readonly string[]): void {
  describe("WebRTC through longhaul forward", { skip: chromiumMissing }, () => {
    const folder = mkdtempSync(join(tmpdir(), "longhaul-forward-webrtc-"));
    const state = join(folder, "forward.json");
    const children = new Children();
    let browser: BrowserContext | undefined;
    const forward = (...args: readonly string[]): string =>
      execFileSync(longhaul, ["forward", args[0]!, "--state", state, ...args.slice(1)], { encoding: "utf8", timeout: 60_000 });
    after(async () => {
      await browser?.close();
      await children.endAll();
      forward("remove", "--all");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    for (const datapath of datapaths) {
      test(`${datapath}: a picture from Chromium, by IPv4 and IPv6`, async () => {
        const child = children.start("run", [longhaul, "forward", "run", "--state", state, "--datapath", datapath]);
        await waitFor(child, '"forwarding"');
        forward("add", "--name", "four", "--listen", `${LISTEN[4]}:32768-60999`, "--to", BACKEND.a[4]);
        forward("add", "--name", "six", "--listen", `[${LISTEN[6]}]:32768-60999`, "--to", `[${BACKEND.a[6]}]`);
        const endpoint = children.start("endpoint", [process.execPath, join(root, "test/webrtc/endpoint.ts"), "8080"], lab.prefix("a"));
        await waitFor(endpoint, "endpoint listening");
        browser ??= await launch(folder, { prefix: lab.prefix("c") });
        for (const [family, name] of [
          [4, "four"],
          [6, "six"],
        ] as const) {
          const page: Page = await browser.newPage();
          await page.addInitScript(detour, { keep: BACKEND.a[family], instead: LISTEN[family] });
          // The page and what is signalled come by TCP, which is nobody's forward.
          await page.goto(`http://${BACKEND.a[4]}:8080/`);
          const options = { url: `http://${BACKEND.a[4]}:8080/receive`, codec: "VP8", width: 320, height: 180, maxKbps: 1000 };
          await page.evaluate((each) => (globalThis as unknown as { webrtc: PageApi }).webrtc.publish(each), options);
          await sleep(2500);
          const samples = await page.evaluate(() => (globalThis as unknown as { webrtc: PageApi }).webrtc.samples());
          await page.evaluate(() => (globalThis as unknown as { webrtc: PageApi }).webrtc.close());
          const flows = JSON.parse(forward("flows", "--json")) as { forward: string; bytesIn: number; packetsOut: number }[];
          await page.close();
          const sum = flows.filter((flow) => flow.forward === name).reduce((total, { bytesIn }) => total + bytesIn, 0);
          const sent = samples.at(-1)?.bytes ?? 0;
          assert.ok(sent > 20_000, `${name}: ${sent} bytes were sent`);
          assert.ok(sum > sent * 0.9, `${name}: ${sum} of ${sent} bytes came through the forward`);
          assert.ok((samples.at(-1)?.frames ?? 0) > 20, `${name}: ${JSON.stringify(samples.at(-1))}`);
        }
        await children.endAll();
        forward("remove", "--all");
      });
    }
  });
}

/** In the page, before its script. */
function detour({ keep, instead }: Detour): void {
  const real = globalThis.fetch;
  globalThis.fetch = async (url, init) => {
    if (typeof init?.body !== "string") return real(url, init);
    const offer = init.body.replace(/^a=candidate:.*\r\n/gm, "");
    const response = await real(url, { ...init, body: offer });
    const answer = (await response.text())
      .split("\r\n")
      .filter((line) => !line.startsWith("a=candidate:") || line.includes(` ${keep} `))
      .map((line) => (line.startsWith("a=candidate:") ? line.replace(` ${keep} `, ` ${instead} `) : line))
      .join("\r\n");
    return new Response(answer, { status: response.status, headers: response.headers });
  };
}
