/**
 * The page of an installation's channels in Chromium: a channel is made and its key shown once, an encoder publishes with it and falls silent for a while, the monitor plays
 * (a private channel, too), the charts follow, sessions and their events are there, the key is rotated, settings are changed, and who only looks changes nothing.
 *
 *   node test/browser/channels.ts [--screenshot PREFIX]          npm run test:channels-page; needs chromium and ffmpeg
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Credentials } from "../../src/control/credentials.ts";
import { masterKey, Seal } from "../../src/control/seal.ts";
import { openDatabase } from "../../src/control/store/database.ts";
import { Children, root, sleep } from "../interop/children.ts";
import { FaultyEncoder } from "../live/faulty-encoder.ts";
import { Findings } from "../live/findings.ts";
import { LiveInstallation } from "../live/installation.ts";
import { parseArgs } from "../script-args.ts";
import { chromiumMissing, launch } from "./watch.ts";

const { values } = parseArgs({ options: { screenshot: { type: "string", default: "" } } });
if (chromiumMissing !== false) {
  console.log(`skipped: ${chromiumMissing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "longhaul-channels-"));
const children = new Children();
const live = new LiveInstallation(children, ["--transcoders", "0", "--srt", "127.0.0.1:0"]);
const clip = new Uint8Array(readFileSync(join(root, "assets/demo.flv")));
const findings = new Findings();
const { check } = findings;

async function until(done: () => Promise<boolean>, patience = 15_000): Promise<boolean> {
  for (const end = Date.now() + patience; !(await done()); await sleep(100)) if (Date.now() > end) return false;
  return true;
}

async function signIn(page: Page, id: string, secret: string): Promise<void> {
  await page.fill('input[name="id"]', id);
  await page.fill('input[name="secret"]', secret);
  await page.click("#sign-in button");
}

async function shot(page: Page, name: string): Promise<void> {
  if (values.screenshot !== "") await page.screenshot({ path: `${values.screenshot}-${name}.png`, fullPage: true });
}

await findings.of(live, children, async () => {
  const context = await launch(join(folder, "profile"), {});
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 40[0149]/.test(message.text())) problems.push(message.text());
  });
  const { accessKeyId, secretAccessKey } = live.credentials;
  check(
    "who is not signed in gets no media and no status",
    (
      await Promise.all(
        ["status", "preview/live/x/index.m3u8", "ingest/x"].map(
          async (path) => (await fetch(`${live.api}/console/${path}`, { headers: { "x-longhaul-console": "1" } })).status,
        ),
      )
    ).every((status) => status === 401),
    "",
  );
  await page.goto(`${live.api}/`);
  await signIn(page, accessKeyId, secretAccessKey);
  await page.click("#create summary");
  await page.fill('#create input[name="name"]', "evening-show");
  await page.getByLabel("Unencrypted ingest").check();
  await page.getByLabel("Private: viewers need a token").check();
  await page.getByLabel("Multitrack video").selectOption("ALLOW");
  await shot(page, "create");
  await page.click('#create button[type="submit"]');
  await page.waitForSelector(".made code");
  const key = (await page.textContent(".made code"))!;
  check("a channel is made and its key shown", /^sk_eu-west-1_\w{24}$/.test(key), key.length);
  const { channels } = await live.ivs.listChannels({});
  const channel = channels![0]!;
  check("as it was asked for", channel.name === "evening-show" && channel.insecureIngest === true && channel.authorized === true, channel);
  const { multitrackInputConfiguration } = (await live.ivs.getChannel({ arn: channel.arn! })).channel!;
  check("multitrack video too", multitrackInputConfiguration?.enabled === true, multitrackInputConfiguration);
  await live.ivs.createChannel({ name: "another", type: "BASIC" });
  const encoder = new FaultyEncoder(live.rtmp, key, clip);
  const card = page.locator(".channel", { hasText: "evening-show" });
  check(
    "it goes on the air",
    await until(async () => (await card.locator("summary .pill").first().textContent()) === "live"),
    await card.locator("summary").first().textContent(),
  );
  await card.locator("summary").first().click();
  check(
    "the monitor plays it, though it is private",
    await until(async () => (await card.locator('.card[data-state="live"]').count()) === 1),
    "",
  );
  const latency = async (): Promise<number> => Number.parseFloat((await card.locator(".latency b").textContent())!);
  check(
    "and shows its delay",
    await until(async () => (await latency()) > 0 && (await latency()) < 3),
    await card.locator(".latency b").textContent(),
  );
  encoder.silence(true);
  check("silence is told of", await until(async () => (await card.locator("summary .pill").first().textContent()) === "starving"), "");
  await sleep(1500);
  encoder.silence(false);
  check("and its end", await until(async () => (await card.locator("summary .pill").first().textContent()) === "live"), "");
  await card.locator(".session summary").first().click();
  const names = async (): Promise<string[]> => card.locator(".events b").allTextContents();
  check(
    "its session and events are there",
    await until(
      async () =>
        ["Session Created", "Stream Start", "Starvation Start", "Starvation End"].every((name, _, all) => all.includes(name)) &&
        (await names()).includes("Starvation End"),
    ),
    await names(),
  );
  const figures = async (): Promise<string[]> => card.locator(".chart b").allTextContents();
  check(
    "charts: bit rate, frames, key frames, viewers",
    await until(async () => {
      const [rate, frames, interval] = await figures();
      return /bit\/s \+ \d+/.test(rate!) && Math.abs(Number(frames) - 30) <= 12 && interval === "1.0 s";
    }),
    await figures(),
  );
  const drawn = await card.locator(".chart canvas").evaluateAll((all) => all.length);
  check("and drawn", drawn === 4, drawn);
  check("a channel on the air is not changed", await card.getByRole("button", { name: "Save" }).isDisabled(), "");
  await card.getByRole("button", { name: "New stream key" }).click();
  await card.locator(".key code").first().waitFor();
  const renewed = (await card.locator(".key code").first().textContent())!;
  check(
    "the key is rotated, and who publishes goes on",
    renewed !== key && /^sk_/.test(renewed) && (await live.ivs.getStream({ channelArn: channel.arn! })).stream!.state === "LIVE",
    renewed.length,
  );
  await sleep(8000);
  await shot(page, "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await sleep(2500);
  await shot(page, "dark");
  await page.setViewportSize({ width: 390, height: 844 });
  await sleep(2500);
  const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  check("390 px are wide enough", overflow <= 0, overflow);
  await shot(page, "narrow");
  await page.setViewportSize({ width: 1280, height: 960 });
  await card.getByRole("button", { name: "Stop the stream" }).click();
  check(
    "the stream is stopped",
    await until(async () => (await card.locator("summary .pill").first().textContent()) === "off the air"),
    "",
  );
  encoder.stop();
  const late = new FaultyEncoder(live.rtmp, key, clip);
  check("the old key opens nothing", await until(async () => late.refused !== ""), late.refused);
  late.stop();
  await card.locator(".side select").first().selectOption("BASIC");
  await card.getByRole("button", { name: "Save" }).click();
  check("settings are changed", await until(async () => (await live.ivs.getChannel({ arn: channel.arn! })).channel!.type === "BASIC"), "");
  const changed = (await live.ivs.getChannel({ arn: channel.arn! })).channel!;
  check("without what the new type has not", changed.multitrackInputConfiguration?.enabled === false, changed);
  await page.reload();
  await card.waitFor();
  check("the key is in the page no more", !(await page.content()).includes(renewed), "");
  await page.click("nav a");
  check("accelerators are a click away", await until(async () => (await page.locator("#accelerators h2").count()) === 1), "");
  await page.goBack();
  page.on("dialog", (dialog) => void dialog.accept());
  await card.locator("summary").first().click();
  await card.getByRole("button", { name: "Delete…" }).click();
  check("the channel is deleted", await until(async () => (await live.ivs.listChannels({})).channels!.length === 1), "");
  await page.click("#who button");
  const database = await openDatabase(join(live.data, "longhaul.db"));
  const reader = await new Credentials(database, new Seal(masterKey(join(live.data, "master.key")))).create(
    "read-only",
    "looks",
    Date.now(),
  );
  await database.destroy();
  await signIn(page, reader.id, reader.secret);
  await page.locator(".channel summary").first().click();
  await page.locator(".channel .body").waitFor();
  const buttons = await page.locator(".channel .body button:visible").allTextContents();
  check(
    "who only looks changes nothing",
    (await page.locator("#create:visible").count()) === 0 && buttons.every((text) => /Copy|Sound/.test(text)),
    buttons,
  );
  check("the page had no error, and broke no rule of its policy", problems.length === 0, problems);
  await context.close();
});
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
