/**
 * Multitrack video by RTMP: three sizes of one picture become three renditions without a transcoder; channels that do not take it, want nothing else or take smaller pictures
 * say so in IVS's words; encoders are told what to send. What OBS sends is made here of ffmpeg's pictures (multitrack-flv.ts); FFmpeg 8 publishes itself where node-av is had.
 *
 *   npm run test:multitrack [-- --install | --node-av FOLDER]       ffmpeg, chromium; --install gets node-av (FFmpeg 8, 200 MB) from npm for this run
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromiumMissing } from "../browser/watch.ts";
import { Children, root, sleep } from "../interop/children.ts";
import { parseArgs } from "../script-args.ts";
import { until } from "../until.ts";
import { FaultyEncoder } from "./faulty-encoder.ts";
import { Findings } from "./findings.ts";
import { HlsPage, type Seen } from "./hls-page.ts";
import { LiveInstallation } from "./installation.ts";
import { apart, listed } from "./listed.ts";
import { multitrackFlv } from "./multitrack-flv.ts";
import { lengths, recordingsEnded } from "./recordings.ts";

const { values } = parseArgs({ options: { install: { type: "boolean", default: false }, "node-av": { type: "string", default: "" } } });
const NODE_AV = ["node-av@6.1.1", `@seydx/node-av-linux-${process.arch}@6.1.1`];
const SIZES = ["1280x720", "854x480", "640x360"];
const SECONDS = 40;
/** Dates settle within the first seconds of a stream; less than a frame apart no player notices. */
const FRAME_MS = 34;
const children = new Children();
const live = new LiveInstallation(children, ["--transcoders", "1"]);
const findings = new Findings();
const { check } = findings;

interface Made {
  readonly arn: string;
  readonly key: string;
}

async function channel(name: string, multitrack?: { policy: "ALLOW" | "REQUIRE"; maximumResolution: "SD" | "FULL_HD" }): Promise<Made> {
  const input = multitrack && {
    containerFormat: "FRAGMENTED_MP4" as const,
    multitrackInputConfiguration: { enabled: true, ...multitrack },
  };
  const destinationConfiguration = { s3: { bucketName: name } };
  const { recordingConfiguration } = await live.ivs.createRecordingConfiguration({ destinationConfiguration });
  const recordingConfigurationArn = recordingConfiguration!.arn!;
  const made = await live.ivs.createChannel({ name, insecureIngest: true, type: "STANDARD", recordingConfigurationArn, ...input });
  return { arn: made.channel!.arn!, key: made.streamKey!.value! };
}

/** One file for each size, key frames at the same times. */
function coded(): readonly string[] {
  return SIZES.map((size, i) => {
    const path = join(live.folder, `${size}.flv`);
    const rate = `${1600 >> i}k`;
    const input = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=30`, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
    const video = [
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-tune",
      "zerolatency",
      "-g",
      "60",
      "-keyint_min",
      "60",
      "-sc_threshold",
      "0",
    ];
    const coding = [...video, "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-pix_fmt", "yuv420p", "-c:a", "aac"];
    const made = spawnSync("ffmpeg", ["-v", "error", "-y", ...input, "-t", String(SECONDS), ...coding, "-f", "flv", path]);
    if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr}`);
    return path;
  });
}

async function text(address: string): Promise<string> {
  return (await fetch(address).catch(() => fetch(address))).text();
}

const master = ({ arn }: Made): Promise<string> => text(`${live.address(arn)}/index.m3u8`);
const variants = async (made: Made): Promise<number> => (await master(made)).split("#EXT-X-STREAM-INF").length - 1;

async function renditions(made: Made, who: string): Promise<void> {
  await until("three variants", async () => (await variants(made)) === 3, 20);
  await sleep(9000);
  const base = live.address(made.arn);
  const own = listed(await text(`${base}/media.m3u8`));
  const offered = (await master(made)).match(/RESOLUTION=[\dx]+/g);
  check(`${who}: three sizes`, offered?.join() === SIZES.map((size) => `RESOLUTION=${size}`).join(), offered);
  for (const name of ["t1", "t2"]) {
    const { segments, ms } = apart(own, listed(await text(`${base}/r/${name}/media.m3u8`)));
    const fault = await live.decoded(`${base}/r/${name}`);
    check(`${who}: ${name} has the same segments and dates, and decodes`, segments >= 3 && ms <= FRAME_MS && fault === "", {
      segments,
      ms,
      fault,
    });
  }
  const { streamSession } = await live.ivs.getStreamSession({ channelArn: made.arn });
  const videos = streamSession?.ingestConfigurations?.videoConfigurations?.map(({ track, videoHeight }) => `${track} ${videoHeight}`);
  check(`${who}: the session shows all tracks`, videos?.join() === "Track0 720,Track1 480,Track2 360", videos);
  const events = await live.events(made.arn);
  const transcoders = spawnSync("pgrep", ["-P", String(live.child!.process.pid), "ffmpeg"], { encoding: "utf8" }).stdout.trim();
  check(`${who}: nobody encodes anew`, transcoders === "" && !events.includes("Renditions Unavailable"), { transcoders, events });
}

/** hls.js takes a smaller one when it is told to, and plays on. */
async function played(made: Made): Promise<void> {
  if (chromiumMissing !== false) {
    findings.skip(chromiumMissing);
    return;
  }
  const page = await HlsPage.open(live, made.arn);
  const look = (): Promise<Seen> => page.look();
  try {
    await until("it plays", async () => (await look()).time > 0, 20);
    for (const height of [360, 720, 480]) {
      await page.take(height);
      await until(`${height} lines are shown`, async () => (await look()).shown === height, 15);
    }
    const before = await look();
    await sleep(3000);
    const { time, errors } = await look();
    check("hls.js goes from each to the others", errors.length === 0 && time - before.time > 2, { moved: time - before.time, errors });
  } finally {
    await page.close();
  }
}

/** All sizes are recorded, and as long as the first. */
async function recorded(name: string, who: string): Promise<void> {
  const folder = join(live.data, "recordings", name);
  await until("the recording ends", async () => recordingsEnded(folder) > 0, 15);
  const found = lengths(folder);
  const whole = [...found.values()].every(
    ({ pictures, sound }, _, [first]) => pictures === first!.pictures && Math.abs(sound - first!.sound) <= 2,
  );
  check(`${who}: all sizes are recorded, to the last picture`, found.size === SIZES.length && whole, Object.fromEntries(found));
}

/** A stream that is turned away, and with which code its session ends. */
async function refused(what: string, made: Made, file: Uint8Array, code: string): Promise<void> {
  const encoder = new FaultyEncoder(live.rtmp, made.key, file);
  await until(`${what} is refused`, async () => encoder.ended, 15);
  await until("the session is written down", async () => (await live.events(made.arn)).includes("Session Ended"), 10);
  const { streamSession } = await live.ivs.getStreamSession({ channelArn: made.arn });
  const ended = streamSession?.truncatedEvents?.find(({ name }) => name === "Session Ended");
  check(`${what}: ${code}`, ended?.code === code && encoder.refused !== "", { code: ended?.code, told: encoder.refused });
}

interface Configuration {
  readonly status: { readonly result: string; readonly html_en_us?: string };
  readonly encoder_configurations: readonly { readonly height: number }[];
  readonly ingest_endpoints: readonly { readonly url_template: string }[];
}

async function asked(key: string): Promise<Configuration> {
  const body = { service: "IVS", schema_version: "2025-01-25", authentication: key, client: { name: "obs-studio", version: "32.0.4" } };
  const canvas = { width: 1920, height: 1080, canvas_width: 1920, canvas_height: 1080, framerate: { numerator: 30, denominator: 1 } };
  const capabilities = { cpu: { physical_cores: 8, logical_cores: 16 }, gpu: null };
  const response = await fetch(`http://127.0.0.1:${live.http}/api/v3/GetClientConfiguration`, {
    method: "POST",
    body: JSON.stringify({ ...body, capabilities, preferences: { canvases: [canvas], maximum_aggregate_bitrate: 8000 } }),
  });
  return (await response.json()) as Configuration;
}

/** Where FFmpeg 8 is; undefined: it is not wanted. */
function nodeAv(): string | undefined {
  if (!values.install) return values["node-av"] || undefined;
  const folder = join(live.folder, "node-av");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  for (const wanted of NODE_AV) {
    const got = spawnSync("npm", ["i", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", wanted], {
      cwd: folder,
      encoding: "utf8",
    });
    if (got.status !== 0) throw new Error(`npm: ${got.stderr}`);
  }
  return folder;
}

await findings.of(live, children, async () => {
  const files = coded();
  const several = multitrackFlv(files.map((path) => new Uint8Array(readFileSync(path))));
  const one = new Uint8Array(readFileSync(files[0]!));
  const many = await channel("many", { policy: "ALLOW", maximumResolution: "FULL_HD" });
  const plain = await channel("plain");
  const required = await channel("required", { policy: "REQUIRE", maximumResolution: "FULL_HD" });
  const small = await channel("small", { policy: "ALLOW", maximumResolution: "SD" });

  const configured = await asked(many.key);
  const heights = configured.encoder_configurations.map(({ height }) => height);
  check("an encoder is told what to send", configured.status.result === "success" && heights.join() === "1080,720,360", heights);
  check(
    "and where",
    configured.ingest_endpoints[0]?.url_template === `rtmp://127.0.0.1:${live.rtmp}/app/{stream_key}`,
    configured.ingest_endpoints,
  );
  const [largest] = (await asked(small.key)).encoder_configurations;
  check("no larger than the channel's limit", largest?.height === 480, largest?.height);
  const warned = await asked(plain.key);
  check("a channel without multitrack input: one picture may go on", warned.status.result === "warning", warned.status);
  const unknown = await asked("sk_eu-west-1_wrong");
  check("a wrong key", unknown.status.result === "error", unknown.status);

  const encoder = new FaultyEncoder(live.rtmp, `${many.key}?clientConfigId=1`, several);
  await renditions(many, "as OBS sends it");
  await played(many);
  encoder.stop();
  await recorded("many", "as OBS sends it");
  await refused("several pictures, where one is taken", plain, several, "MultitrackInputNotAllowed");
  await refused("one picture, where several are required", required, one, "MultitrackInputRequired");
  await refused("a picture that is too large", small, several, "InvalidMultitrackInputVideoTrackMediaProperties");

  const folder = nodeAv();
  if (folder === undefined) {
    findings.skip("FFmpeg 8: --install, or --node-av FOLDER");
    return;
  }
  const url = `rtmp://127.0.0.1:${live.rtmp}/app/${required.key}`;
  // FLV of Debian's ffmpeg has no Opus; FFmpeg 8's has.
  const sounding = join(live.folder, "opus.mkv");
  const made = spawnSync("ffmpeg", ["-v", "error", "-y", "-i", files[0]!, "-c:v", "copy", "-c:a", "libopus", sounding]);
  if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr}`);
  const pictures = [sounding, ...files.slice(1)];
  children.start("ffmpeg8", [process.execPath, join(root, "test/live/multitrack-ffmpeg.ts"), folder, url, ...pictures]);
  await renditions(required, "FFmpeg 8");
  const codecs = (await master(required)).match(/CODECS="[^"]+"/g);
  check("FFmpeg 8: with sound in Opus", codecs?.length === 3 && codecs.every((each) => each.endsWith(',opus"')), codecs);
});
