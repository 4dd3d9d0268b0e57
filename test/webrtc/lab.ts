/**
 * The laboratory of the WebRTC tests: two namespaces joined by an emulated link, on each side our endpoint, libwebrtc on the far one, and Chromium near.
 *
 *   near (c)                                   link                     far (s)
 *   Chromium, our endpoint :8080     ──▶ delay, rate, queue ──▶      our endpoint :8080, reference :8081
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { launch } from "../browser/watch.ts";
import { type Child, Children, root, sleep, waitFor } from "../interop/children.ts";
import { Netlab } from "../interop/netlab.ts";
import type { PageApi, PublishOptions, Sample } from "./page-api.ts";

const FAR = "10.200.0.2";
const NEAR = "10.200.0.1";
const NODE = process.execPath;

/** What one run came to. Rates in kbit/s, times in ms, of the part that is looked at. */
export interface Run {
  readonly samples: readonly Sample[];
  /** Payload rate, as the sender counts it. */
  readonly payloadKbps: number;
  /** All that left the link towards the receiver. */
  readonly wireKbps: number;
  readonly queueP95: number;
  readonly queueMax: number;
  readonly roundTripMax: number;
  readonly stats: Record<string, unknown>;
}

export interface RunOptions {
  readonly seconds: number;
  /** What is looked at begins here; default 5. */
  readonly from?: number;
  readonly codec?: string;
  readonly maxKbps?: number;
}

export class Lab {
  readonly net: Netlab;
  readonly #children = new Children();
  readonly #folder = mkdtempSync(join(tmpdir(), "longhaul-webrtc-"));
  #browser: BrowserContext | undefined;
  #page: Page | undefined;
  #video = "";

  constructor(link: string) {
    this.net = new Netlab("lhrtc", link);
  }

  async open(): Promise<void> {
    this.#video = join(this.#folder, "video.ivf");
    const picture = "-f lavfi -i testsrc2=size=320x180:rate=30 -t 10 -c:v libvpx -b:v 40k -g 60 -deadline realtime -cpu-used 8 -y";
    execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", ...picture.split(" "), this.#video]);
    await this.#start("endpoint", ["test/webrtc/endpoint.ts", "8080"], "s", "endpoint listening");
    await this.#start("reference", ["test/webrtc/reference.ts", "serve", "8081"], "s", "reference listening");
    await this.#start("sender", ["test/webrtc/endpoint.ts", "8080", this.#video], "c", "endpoint listening");
    this.#browser = await launch(this.#folder, { prefix: [...this.net.prefix("c"), "nice", "-n", "-15"] }, [
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ]);
    this.#page = this.#browser.pages()[0] ?? (await this.#browser.newPage());
    await this.#page.goto(`http://${FAR}:8080/`);
  }

  /** Chromium publishes to our endpoint, or to libwebrtc. */
  async publish(to: "ours" | "reference", options: RunOptions): Promise<Run> {
    const { seconds, from = 5, codec = "VP8", maxKbps = 8000 } = options;
    const page = this.#page!;
    const port = to === "ours" ? 8080 : 8081;
    const url = `http://${FAR}:${port}/receive`;
    const given: PublishOptions = { url, codec, width: 960, height: 540, maxKbps };
    await page.evaluate((each) => (globalThis as unknown as { webrtc: PageApi }).webrtc.publish(each), given);
    const link = await this.#measure(seconds, from);
    const samples = await page.evaluate(() => (globalThis as unknown as { webrtc: PageApi }).webrtc.samples());
    const stats = JSON.parse(this.#get("s", port, "stats"));
    await page.evaluate(() => (globalThis as unknown as { webrtc: PageApi }).webrtc.close());
    const looked = samples.filter(({ at }) => at >= from * 1000);
    const [first, last] = [looked[0]!, looked.at(-1)!];
    const payloadKbps = ((last.bytes - first.bytes) * 8) / (last.at - first.at);
    return { samples, payloadKbps, ...link, roundTripMax: Math.max(...looked.map(({ roundTripMs }) => roundTripMs)), stats };
  }

  /** Our sender is watched by libwebrtc. */
  async view(options: RunOptions): Promise<Run> {
    const viewer = this.#children.start(
      "viewer",
      [NODE, join(root, "test/webrtc/reference.ts"), "view", `http://${NEAR}:8080/send`],
      this.#prefix("s"),
    );
    await waitFor(viewer, "reference views");
    const link = await this.#measure(options.seconds, options.from ?? 5);
    const stats = JSON.parse(this.#get("c", 8080, "stats"));
    // A viewer that is gone would be sent to for a while yet.
    this.#get("c", 8080, "close");
    await this.#children.end(viewer);
    const lines = viewer
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"));
    const viewed = JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown>;
    return { samples: [], payloadKbps: Number.NaN, ...link, roundTripMax: Number.NaN, stats: { ...stats, viewed } };
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await this.#children.endAll();
    this.net.down();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #measure(seconds: number, from: number): Promise<Pick<Run, "wireKbps" | "queueP95" | "queueMax">> {
    await sleep(from * 1000);
    this.net.reset();
    const began = performance.now();
    await sleep((seconds - from) * 1000);
    const { ab } = this.net.stats();
    return { wireKbps: (ab.out[1] * 8) / (performance.now() - began), queueP95: ab.q_ms.p95, queueMax: ab.q_ms.max };
  }

  async #start(name: string, command: readonly string[], side: "c" | "s", until: string): Promise<Child> {
    const [script, ...args] = command;
    const child = this.#children.start(name, [NODE, join(root, script!), ...args], this.#prefix(side));
    await waitFor(child, until);
    return child;
  }

  /** In the namespace, and ahead of what else runs on the machine: times of arrival are what is judged. */
  #prefix(side: "c" | "s"): string[] {
    return [...this.net.prefix(side), "chrt", "-r", "5"];
  }

  #get(side: "c" | "s", port: number, path: string): string {
    const fetched = `fetch("http://127.0.0.1:${port}/${path}").then(async (r) => console.log(await r.text()))`;
    const [file, ...args] = [...this.net.prefix(side), NODE, "-e", fetched];
    return execFileSync(file!, args, { encoding: "utf8" });
  }
}
