/**
 * Renditions of a STANDARD channel by ffmpeg: the same segments in all of them, each decodes, hls.js goes down and up between them without a stall when its
 * network does; a second channel is told that there is no room. An ADVANCED channel has its sound alone besides, in the same segments. Recordings have all of every rendition.
 *
 *   npm run test:renditions [-- --seconds 20] [--only recordings]        ffmpeg, chromium
 */
import { spawnSync } from "node:child_process";
import { chromiumMissing } from "../browser/watch.ts";
import { Children, sleep } from "../interop/children.ts";
import { parseArgs } from "../script-args.ts";
import { until } from "../until.ts";
import { Findings } from "./findings.ts";
import { HlsPage, type Seen } from "./hls-page.ts";
import { LiveInstallation } from "./installation.ts";
import { apart, listed } from "./listed.ts";
import { recordedLengths } from "./recorded-lengths.ts";

/** Dates settle within the first seconds of a stream; less than a frame apart no player notices. */
const FRAME_MS = 34;

const { values } = parseArgs({ options: { seconds: { type: "string", default: "20" }, only: { type: "string", default: "" } } });
const children = new Children();
const live = new LiveInstallation(children, ["--transcoders", "1"]);
const findings = new Findings();
const { check } = findings;
/** Every rendition that is made from the encoder's own. */
const LADDER = ["480p", "360p", "160p"];

async function channel(name: string, type: "STANDARD" | "BASIC" | "ADVANCED_SD" = "STANDARD"): Promise<{ arn: string; key: string }> {
  const made = await live.ivs.createChannel({ name, insecureIngest: true, type });
  return { arn: made.channel!.arn!, key: made.streamKey!.value! };
}

function publish(key: string, gop: number, bitrate = "2500k") {
  const source = [
    "-re",
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=1280x720:rate=30",
    "-re",
    "-f",
    "lavfi",
    "-i",
    "sine=frequency=440:sample_rate=48000",
  ];
  const rate = ["-b:v", bitrate, "-minrate", bitrate, "-maxrate", bitrate, "-bufsize", bitrate, "-x264-params", "nal-hrd=cbr"];
  const coded = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-tune",
    "zerolatency",
    "-g",
    String(gop),
    ...rate,
    "-pix_fmt",
    "yuv420p",
    "-c:a",
    "aac",
  ];
  const to = ["-f", "flv", `rtmp://127.0.0.1:${live.rtmp}/app/${key}`];
  return children.start("ffmpeg", ["ffmpeg", "-hide_banner", "-loglevel", "error", ...source, ...coded, ...to]);
}

/** Once more where the server has closed a connection that waited while ffmpeg was being run. */
async function text(address: string): Promise<string> {
  return (await fetch(address).catch(() => fetch(address))).text();
}

async function aligned(arn: string, names: readonly string[], all: readonly string[] = LADDER): Promise<void> {
  const base = live.address(arn);
  const own = listed(await text(`${base}/media.m3u8`));
  for (const name of names) {
    const { segments, ms } = apart(own, listed(await text(`${base}/r/${name}/media.m3u8`)));
    const fault = await live.decoded(`${base}/r/${name}`);
    const told = [...(await text(`${base}/r/${name}/media.m3u8`)).matchAll(/RENDITION-REPORT:URI="(.+?)",LAST-MSN=(\d+)/g)];
    const siblings = all.filter((each) => each !== name).map((each) => `../${each}/media.m3u8`);
    check(`${name}: reports the others`, told.map(([, uri]) => uri).join() === ["../../media.m3u8", ...siblings].join(), told.map(String));
    check(`${name}: the same segments, and they decode`, segments >= 3 && ms <= FRAME_MS && fault === "", { segments, apartMs: ms, fault });
  }
}

async function adaptive(arn: string): Promise<void> {
  if (chromiumMissing !== false) {
    findings.skip(chromiumMissing);
    return;
  }
  const page = await HlsPage.open(live, arn);
  const look = (): Promise<Seen> => page.look();
  try {
    await until("the largest is shown", async () => (await look()).shown === 720, 30);
    await page.throttle(900_000);
    await until("goes down where the network is slow", async () => (await look()).shown <= 360, 40);
    const down = await look();
    await sleep((Number(values.seconds) * 1000) / 2);
    const before = await look();
    await sleep((Number(values.seconds) * 1000) / 2);
    const slow = await look();
    const moved = slow.time - before.time;
    check("hls.js goes down and plays on", slow.errors.length === 0 && moved > Number(values.seconds) * 0.4, {
      from: 720,
      to: down.shown,
      moved,
      stalls: slow.stalls,
    });
    await page.throttle(-1);
    await until("goes up again", async () => (await look()).shown >= 480, 60);
    const up = await look();
    check("hls.js goes up again", up.errors.length === 0, { to: up.shown, levels: up.levels });
  } finally {
    await page.close();
  }
}

async function watched(): Promise<void> {
  const [shown, other, basic] = [await channel("shown"), await channel("other"), await channel("basic", "BASIC")];
  const publisher = publish(shown.key, 60);
  const master = async ({ arn }: { arn: string }): Promise<string> => text(`${live.address(arn)}/index.m3u8`);
  await until("four variants", async () => (await master(shown)).split("#EXT-X-STREAM-INF").length === 5, 20);
  const offered = await master(shown);
  check(
    "the multivariant playlist names them",
    LADDER.every((name) => offered.includes(`r/${name}/media.m3u8`)),
    offered.match(/RESOLUTION=\S+?,/g),
  );
  const also = publish(other.key, 30);
  await until("the other is on the air", async () => (await live.channel(other.arn)).lastPart > 0, 15);
  await sleep(1000);
  const events = await live.events(other.arn);
  check(
    "no room: an event says so, the stream goes on",
    events.includes("Renditions Unavailable") && (await live.channel(other.arn)).live,
    events,
  );
  await children.end(also);
  const plain = publish(basic.key, 60, "1200k");
  await until("BASIC is on the air", async () => (await live.channel(basic.arn)).lastPart > 0, 15);
  check("BASIC has its own rendition alone", (await master(basic)).split("#EXT-X-STREAM-INF").length === 2, "");
  await children.end(plain);
  const advanced = await channel("advanced", "ADVANCED_SD");
  const sounding = publish(advanced.key, 60);
  await until("sound alone", async () => (await master(advanced)).includes("r/audio_only/media.m3u8"), 15);
  await sleep(8000);
  await aligned(advanced.arn, ["audio_only"], []);
  await children.end(sounding);
  await sleep(6000);
  await aligned(shown.arn, LADDER);
  await adaptive(shown.arn);
  const ffmpeg = spawnSync("pgrep", ["-P", String(live.child!.process.pid), "ffmpeg"], { encoding: "utf8" }).stdout.trim();
  process.kill(Number(ffmpeg), "SIGKILL");
  await sleep(9000);
  await aligned(shown.arn, ["360p"]);
  await children.end(publisher);
}

await findings.of(live, children, async () => {
  if (values.only !== "recordings") await watched();
  await recordedLengths({ live, children, findings, publish, ladder: LADDER });
});
