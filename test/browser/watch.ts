/**
 * Opens the page in a real Chromium, watches it for a while and answers what its players measured. For scripts; Chromium and playwright-core do the work.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type { Figures } from "../../src/console/browser/figures.ts";

export interface WatchOptions {
  /** The page. */
  readonly url: string;
  /** How long to watch once the first player plays. */
  readonly seconds: number;
  /** How long to wait for that; default 20. */
  readonly patience?: number;
  /** A PNG of the whole page at the end. */
  readonly screenshot?: string;
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** Put before the browser's command, to run it in a network namespace ("ip netns exec NAME"). */
  readonly prefix?: readonly string[];
  /** Called with the page before it is opened. */
  readonly prepare?: (page: Page) => Promise<void>;
  /** Called once a second with the page, for a script that does something meanwhile. */
  readonly everySecond?: (page: Page, second: number) => Promise<void>;
}

/** The first player's figures, and all players'. */
export interface Watched extends Figures {
  /** Unix ms at which the first player was first seen playing; NaN when it never was. */
  readonly playingSince: number;
  readonly players: readonly Figures[];
  /** Errors of the page itself. */
  readonly errors: readonly string[];
}

/** A reason to skip when there is no Chromium here, false when there is. */
export const chromiumPath = process.env.LONGHAUL_CHROMIUM ?? "/usr/bin/chromium";
export const chromiumMissing: string | false = existsSync(chromiumPath) ? false : `no ${chromiumPath}; set LONGHAUL_CHROMIUM`;

/** @throws when the page has no player, or the browser does not start */
export async function watch(options: WatchOptions): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-browser-"));
  const context = await launch(folder, options);
  try {
    return await look(context, options);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts Chromium, its profile in `folder`; `args` are added to its command line. */
export function launch(
  folder: string,
  { width = 1280, height = 960, dark = false, prefix = [] }: Omit<WatchOptions, "url" | "seconds">,
  args: readonly string[] = [],
): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, {
    executablePath: prefix.length === 0 ? chromiumPath : wrapper(folder, prefix),
    headless: true,
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required",
      ...args,
    ],
  });
}

/** playwright starts one file, so the prefix needs a script of its own. */
function wrapper(folder: string, prefix: readonly string[]): string {
  const path = join(folder, "chromium.sh");
  writeFileSync(path, `#!/bin/sh\nexec ${prefix.join(" ")} ${chromiumPath} "$@"\n`, { mode: 0o755 });
  return path;
}

async function look(
  context: BrowserContext,
  { url, seconds, patience = 20, screenshot, prepare, everySecond }: WatchOptions,
): Promise<Watched> {
  const page = context.pages()[0] ?? (await context.newPage());
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await prepare?.(page);
  await page.goto(url);
  const playingSince = await firstPlaying(page, patience);
  for (let second = 0; second < seconds; second++) {
    await page.waitForTimeout(1000);
    await everySecond?.(page, second);
  }
  const players = await figures(page);
  if (screenshot !== undefined) await page.screenshot({ path: screenshot, fullPage: true });
  const first = players[0];
  if (first === undefined) throw new Error(`${url} has no player${errors.length > 0 ? `: ${errors.join("; ")}` : ""}`);
  return { playingSince, ...first, players, errors };
}

async function firstPlaying(page: Page, patience: number): Promise<number> {
  const until = Date.now() + patience * 1000;
  while (Date.now() < until) {
    if ((await figures(page))[0]?.playing === true) return Date.now();
    await page.waitForTimeout(100);
  }
  return Number.NaN;
}

export function figures(page: Page): Promise<readonly Figures[]> {
  return page.evaluate(() => (globalThis as unknown as { longhaul?: { players: readonly Figures[] } }).longhaul?.players ?? []);
}
