/** A caller in Chromium: JsSIP over WebSocket through the accelerator, its voice by WebRTC. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { launch } from "../browser/watch.ts";
import { ADDRESS } from "../edge/lab.ts";
import { scriptOf } from "./page-script.ts";
import { WEBSOCKET } from "./region.ts";

export interface BrowserCall {
  /** Who answered; "" when nobody did, and why. */
  readonly region: string;
  readonly failure: string;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
}

const PAGE = "http://localhost/";

export class BrowserCaller {
  readonly #folder = mkdtempSync(join(tmpdir(), "longhaul-telephony-"));
  #context: BrowserContext | undefined;
  #page: Page | undefined;

  async open(prefix: readonly string[]): Promise<void> {
    this.#context = await launch(this.#folder, { prefix }, [
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ]);
    const page = this.#context.pages()[0] ?? (await this.#context.newPage());
    // A page of this machine is trusted with a microphone.
    await page.route(PAGE, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>caller</title>" }));
    await page.goto(PAGE);
    await page.addScriptTag({ content: scriptOf("jssip", "JsSIP") });
    await page.evaluate(register, `ws://${ADDRESS}:${WEBSOCKET}`);
    this.#page = page;
  }

  /** Waits until it is connected. */
  call(seconds: number): Promise<BrowserCall> {
    return this.#page!.evaluate(call, { seconds, to: `sip:anybody@${ADDRESS}` });
  }

  connected(): Promise<boolean> {
    return this.#page!.evaluate(() => (globalThis as unknown as Registered).agent.isConnected());
  }

  async close(): Promise<void> {
    await this.#context?.close();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Of RTCStats, what is read here. */
interface Counted {
  readonly type: string;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
}
interface Session {
  connection: { getStats(): Promise<Map<string, Counted>> };
  on(event: string, heard: (event: { response?: { getHeader(name: string): string }; cause?: string }) => void): void;
  terminate(): void;
}
interface Registered {
  agent: { isConnected(): boolean; start(): void; call(to: string, options: object): Session };
  JsSIP: { WebSocketInterface: new (url: string) => object; UA: new (options: object) => Registered["agent"] };
}

/** In the page. */
function register(url: string): void {
  const page = globalThis as unknown as Registered;
  const socket = new page.JsSIP.WebSocketInterface(url);
  const recovery = { connection_recovery_min_interval: 1, connection_recovery_max_interval: 2 };
  page.agent = new page.JsSIP.UA({ sockets: [socket], uri: "sip:browser@longhaul.invalid", register: false, ...recovery });
  page.agent.start();
}

/** In the page. */
async function call({ seconds, to }: { seconds: number; to: string }): Promise<BrowserCall> {
  const { agent } = globalThis as unknown as Registered;
  const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  for (let tries = 0; tries < 100 && !agent.isConnected(); tries++) await sleep(100);
  const session = agent.call(to, { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } });
  let region = "";
  let failure = "";
  const begun = new Promise<void>((done) => {
    session.on("accepted", ({ response }) => {
      region = response?.getHeader("X-Region") ?? "";
    });
    session.on("confirmed", () => done());
    session.on("failed", ({ cause }) => {
      failure = String(cause);
      done();
    });
  });
  await begun;
  const sums = { sent: 0, received: 0, lost: 0 };
  if (failure !== "") return { region, failure, ...sums };
  await sleep(seconds * 1000);
  for (const report of (await session.connection.getStats()).values()) {
    if (report.type === "outbound-rtp") sums.sent += report.packetsSent;
    if (report.type === "inbound-rtp") {
      sums.received += report.packetsReceived;
      sums.lost += report.packetsLost;
    }
  }
  session.terminate();
  return { region, failure, ...sums };
}
