/**
 * Real encoders against `longhaul live`: ffmpeg (RTMP) and gstreamer (rtmp2sink) publish H.264 + AAC; the playlist must fill and its parts must
 * decode without an error. By SRT, too, where srt-live-transmit is installed. Then what must be refused: a wrong key, an unknown codec, garbage; the server goes on serving.
 *
 *   node test/interop/ingest.ts
 *
 * Needs Debian's ffmpeg, srt-tools and gstreamer1.0-{tools,plugins-good,-bad,-ugly,libav}. Closes with `N passed, N failed, N skipped`.
 */
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { promisify } from "node:util";
import { type Child, Children, longhaul, sleep, waitFor } from "./children.ts";
import { decoded, encode, FRAMES, publish } from "./coded-stream.ts";

const [rtmp, http, srt] = [22_935, 22_080, 22_936];
const passphrase = "of-the-test";
const keys = {
  ffmpeg: "key-ffmpeg",
  bframes: "key-bframes",
  gst: "key-gstreamer",
  refused: "key-refused",
  after: "key-after",
  hevc: "key-for-hevc",
  av1: "key-for-av1",
  srt: "key-for-srt",
  srtHevc: "key-for-srt-hevc",
};
type Channel = keyof typeof keys;
const children = new Children();
let [passed, failed, skipped] = [0, 0, 0];

function has(program: string): boolean {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function check(name: string, needs: readonly string[], run: () => Promise<string>): Promise<void> {
  const missing = needs.find((program) => !has(program));
  if (missing !== undefined) {
    skipped++;
    console.log(`skipped ${name}: ${missing} is not installed`);
    return;
  }
  try {
    console.log(`ok     ${name}  ${await run()}`);
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}  ${(error as Error).message}`);
  }
}

const video = "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=sample_rate=48000".split(" ");
const url = (streamKey: string): string => `rtmp://127.0.0.1:${rtmp}/live/${streamKey}`;

function ffmpeg(codec: readonly string[], streamKey: string, seconds = 30): Child {
  return children.start("ffmpeg", [
    "ffmpeg",
    "-hide_banner",
    "-re",
    ...video,
    ...codec,
    "-t",
    String(seconds),
    "-f",
    "flv",
    url(streamKey),
  ]);
}

/** The same by SRT. */
function bySrt(codec: readonly string[], streamId: string, phrase: string, seconds = 30): Child {
  const secret = phrase === "" ? "" : `&passphrase=${phrase}`;
  const to = ["-t", String(seconds), "-f", "mpegts", `srt://127.0.0.1:${srt}?streamid=${streamId}${secret}`];
  return children.start("ffmpeg", ["ffmpeg", "-hide_banner", "-re", ...video, ...codec, ...to]);
}

/** Reads six seconds of the live playlist with ffmpeg; every frame must decode. */
async function decode(channel: Channel): Promise<string> {
  const playlist = `http://127.0.0.1:${http}/live/${channel}/index.m3u8`;
  const command = ["-hide_banner", "-loglevel", "error", "-xerror", "-i", playlist, "-t", "6", "-f", "null", "-"];
  const { stderr } = await promisify(execFile)("ffmpeg", command, { timeout: 40_000 });
  if (stderr.trim() !== "") throw new Error(stderr.slice(0, 500));
  return "6 s decoded without an error";
}

async function publishAndDecode(publisher: Child, channel: Channel): Promise<string> {
  try {
    await waitForSegments(channel, 2);
    return await decode(channel);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${publisher.output().slice(-1500)}`);
  } finally {
    await children.end(publisher);
  }
}

async function waitForSegments(channel: Channel, count: number): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; await sleep(100)) {
    const master = await fetch(`http://127.0.0.1:${http}/live/${channel}/index.m3u8`);
    const media = /^[^#].*$/m.exec(master.ok ? await master.text() : "")?.[0];
    if (media === undefined) continue;
    const playlist = await (await fetch(new URL(media, master.url))).text();
    if (playlist.split("#EXTINF").length > count) return;
  }
  throw new Error(`channel ${channel} did not get ${count} segments`);
}

const h264 = "-c:v libx264 -preset ultrafast -tune zerolatency -g 60 -pix_fmt yuv420p -b:v 1M -c:a aac -b:a 96k".split(" ");
const origin = children.start("live", [
  ...[
    longhaul,
    "live",
    "--rtmp",
    `127.0.0.1:${rtmp}`,
    "--http",
    `127.0.0.1:${http}`,
    "--srt",
    `127.0.0.1:${srt}`,
    "--srtpassphrase",
    passphrase,
  ],
  ...Object.entries(keys).flatMap(([name, key]) => ["--channel", `${name}=${key}`]),
]);
try {
  await waitFor(origin, "origin listening");
  await check("ffmpeg publishes", ["ffmpeg"], () => publishAndDecode(ffmpeg(h264, keys.ffmpeg), "ffmpeg"));
  await check("ffmpeg publishes with B-frames", ["ffmpeg"], () => {
    const codec = "-c:v libx264 -preset veryfast -bf 2 -g 60 -pix_fmt yuv420p -b:v 1M -c:a aac -b:a 96k".split(" ");
    return publishAndDecode(ffmpeg(codec, keys.bframes), "bframes");
  });
  await check("gstreamer rtmp2sink publishes", ["gst-launch-1.0", "ffmpeg"], () => {
    const pipeline = [
      ..."videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! x264enc tune=zerolatency key-int-max=60 bitrate=1000".split(
        " ",
      ),
      ..."! video/x-h264,profile=high ! h264parse ! queue ! mux. audiotestsrc is-live=true ! audioconvert ! audioresample ! avenc_aac ! aacparse".split(
        " ",
      ),
      ..."! queue ! mux. flvmux name=mux streamable=true ! rtmp2sink".split(" "),
      `location=${url(keys.gst)}`,
    ];
    return publishAndDecode(children.start("gst", ["gst-launch-1.0", ...pipeline]), "gst");
  });
  for (const [fourCc, channel, name] of [
    ["hvc1", "hevc", "hevc"],
    ["av01", "av1", "av1"],
  ] as const) {
    await check(`${name} by Enhanced RTMP`, ["ffmpeg", "ffprobe"], async () => {
      const socket = await publish(rtmp, keys[channel], encode(fourCc, children.folder));
      try {
        const got = await decoded(`http://127.0.0.1:${http}/live/${channel}`, children.folder);
        const [codec, frames] = got.split(",");
        // The last part waits for the picture behind it.
        if (codec !== name || Number(frames) < FRAMES - 5) throw new Error(`${got} of ${FRAMES} pictures`);
        return `${got} pictures decoded`;
      } finally {
        socket.destroy();
      }
    });
  }
  const bothSrt = ["ffmpeg", "srt-live-transmit"];
  await check("ffmpeg publishes by SRT, encrypted", bothSrt, () => publishAndDecode(bySrt(h264, keys.srt, passphrase), "srt"));
  await check("ffmpeg publishes HEVC with B-frames by SRT", bothSrt, () => {
    const codec =
      "-c:v libx265 -preset ultrafast -x265-params log-level=0:bframes=2 -g 60 -pix_fmt yuv420p -b:v 1M -c:a aac -b:a 96k".split(" ");
    return publishAndDecode(bySrt(codec, `#!::r=${keys.srtHevc},m=publish`, passphrase), "srtHevc");
  });
  for (const [what, key, phrase, told] of [
    ["a wrong key", "not-the-key-of-any", passphrase, "no channel has this stream key"],
    ["a wrong passphrase", keys.srt, "another-one-than-that", "not encrypted with the channel's passphrase"],
    ["no passphrase", keys.srt, "", "must be encrypted with the passphrase"],
  ] as const)
    await check(`SRT with ${what} is refused and named in the log`, bothSrt, async () => {
      const status = await bySrt(h264, key, phrase, 8).exited;
      if (status === 0) throw new Error("ffmpeg thinks it was accepted");
      await waitFor(origin, told);
      for (const secret of [keys.srt, passphrase, "not-the-key-of-any", "another-one-than-that"])
        if (origin.output().includes(secret)) throw new Error("a secret was logged");
      return `ffmpeg exit ${status}`;
    });
  await check("a wrong key is refused and named in the log", ["ffmpeg"], async () => {
    const publisher = ffmpeg(h264, "not-the-key", 5);
    const status = await publisher.exited;
    if (status === 0) throw new Error("ffmpeg thinks it was accepted");
    await waitFor(origin, "no channel has this stream key");
    if (origin.output().includes("not-the-key")) throw new Error("the key was logged");
    return `ffmpeg exit ${status}`;
  });
  await check("an unknown codec is refused and named", ["ffmpeg"], async () => {
    const publisher = ffmpeg("-c:v flv -b:v 500k -c:a aac".split(" "), keys.refused, 8);
    await waitFor(origin, "H.263");
    await publisher.exited;
    return "refused";
  });
  await check("garbage is refused and the server lives on", ["ffmpeg"], async () => {
    for (let i = 0; i < 20; i++) {
      const socket = connect(rtmp, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(Buffer.concat([Buffer.from([3]), randomBytes(3072 + i * 500)]));
      setTimeout(() => socket.destroy(), 500);
    }
    await sleep(800);
    return publishAndDecode(ffmpeg(h264, keys.after), "after");
  });
} catch (error) {
  failed++;
  console.log(`FAILED ${(error as Error).message}`);
} finally {
  await children.endAll();
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
