/** A channel in hls.js, in Chromium: what is seen, and which size is taken. */
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { launch } from "../browser/watch.ts";
import { root } from "../interop/children.ts";
import type { LiveInstallation } from "./installation.ts";

export interface Seen {
  /** Lines of what is loaded, and of what is shown. */
  readonly height: number;
  readonly shown: number;
  readonly time: number;
  /** Fatal ones. */
  readonly errors: readonly string[];
  readonly stalls: number;
  readonly levels: readonly number[];
}

interface InPage {
  readonly look: () => Seen;
  readonly take: (height: number) => void;
}

const script = (url: string): string => `
  const video = document.querySelector("video"), hls = new Hls({ lowLatencyMode: true, abrEwmaDefaultEstimate: 5e6 }), errors = [], stalls = [];
  hls.on(Hls.Events.ERROR, (_, { details, fatal }) => { if (fatal) errors.push(details); if (details === "bufferStalledError") stalls.push(video.currentTime); });
  hls.loadSource(${JSON.stringify(url)}); hls.attachMedia(video);
  globalThis.take = (height) => { hls.nextLevel = hls.levels.findIndex((level) => level.height === height); };
  globalThis.look = () => ({ height: hls.levels[hls.currentLevel]?.height ?? 0, shown: video.videoHeight, time: video.currentTime, errors, stalls: stalls.length, levels: hls.levels.map((l) => l.height) });`;

export class HlsPage {
  readonly #browser: BrowserContext;
  readonly #tab: Page;
  readonly #network: CDPSession;

  private constructor(browser: BrowserContext, tab: Page, network: CDPSession) {
    this.#browser = browser;
    this.#tab = tab;
    this.#network = network;
  }

  static async open(live: LiveInstallation, channelArn: string): Promise<HlsPage> {
    const browser = await launch(mkdtempSync(join(live.folder, "browser-")), {});
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${live.http}/api/status`);
    await tab.setContent("<!doctype html><video muted autoplay></video>");
    await tab.addScriptTag({ content: readFileSync(join(root, "node_modules/hls.js/dist/hls.min.js"), "utf8") });
    await tab.addScriptTag({ content: script(`${live.address(channelArn)}/index.m3u8`) });
    return new HlsPage(browser, tab, await browser.newCDPSession(tab));
  }

  look(): Promise<Seen> {
    return this.#tab.evaluate(() => (globalThis as unknown as InPage).look());
  }

  /** From the next segment on, whatever the network carries. */
  take(height: number): Promise<void> {
    return this.#tab.evaluate((wanted) => (globalThis as unknown as InPage).take(wanted), height);
  }

  /** What the network carries from now on, in bits a second; −1: as much as it does. */
  async throttle(rate: number): Promise<void> {
    const downloadThroughput = rate < 0 ? rate : rate / 8;
    await this.#network.send("Network.emulateNetworkConditions", { offline: false, latency: 20, downloadThroughput, uploadThroughput: -1 });
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
