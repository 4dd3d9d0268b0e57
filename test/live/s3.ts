/**
 * Recording to a real S3 server: whole after a stream, at most a segment short after kill -9, and nothing lost while the store is away for a while.
 *
 *   npm run test:s3                                                    s3rver, brought by npm for this run, and ffmpeg
 *   LONGHAUL_S3=http://host:9000,KEY,SECRET,BUCKET npm run test:s3     any other store; the outage is left out
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AwsClient } from "aws4fetch";
import { S3Storage } from "../../src/control/live/s3-storage.ts";
import { type Child, Children, sleep, waitForPort } from "../interop/children.ts";
import { until } from "../until.ts";
import { FaultyEncoder } from "./faulty-encoder.ts";
import { LiveInstallation } from "./installation.ts";

const port = 23_000 + (process.pid % 2000);
const given = process.env.LONGHAUL_S3;
const [endpoint, key, secret, bucket] = (given ?? `http://127.0.0.1:${port},S3RVER,S3RVER,shows`).split(",") as [
  string,
  string,
  string,
  string,
];
const children = new Children();
const account = ["--recordings", endpoint, "--recordingskey", key, "--recordingssecret", secret];
const live = new LiveInstallation(children, account);
const storage = new S3Storage({ endpoint, accessKeyId: key, secretAccessKey: secret, region: "us-east-1" });
let [passed, failed] = [0, 0];

function check(what: string, ok: boolean, got: unknown): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${JSON.stringify(got)}`);
}

async function store(): Promise<Child | undefined> {
  if (given !== undefined) return undefined;
  const command = ["npm", "exec", "--yes", "--package=s3rver@3.7.1", "--", "s3rver"];
  const where = ["-a", "127.0.0.1", "-p", String(port), "-d", join(live.folder, "store"), "--configure-bucket", bucket];
  const child = children.start("s3rver", [...command, ...where]);
  await waitForPort(port, 60_000);
  return child;
}

function clip(): Uint8Array {
  const path = join(live.folder, "clip.flv");
  const source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
  const coded = ["-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", "-bf", "0", "-c:a", "aac"];
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", ...source, ...coded, "-y", path]);
  return new Uint8Array(readFileSync(path));
}

/** Where the channel's latest recording is. */
async function prefixOf(channelArn: string): Promise<string> {
  const client = new AwsClient({ accessKeyId: key, secretAccessKey: secret, region: "us-east-1", service: "s3" });
  const prefix = encodeURIComponent(`ivs/v1/000000000000/${channelArn.split("/")[1]}/`);
  const listed = await (await client.fetch(`${endpoint}/${bucket}?list-type=2&prefix=${prefix}`)).text();
  const begun = [...listed.matchAll(/<Key>([^<]+)\/events\/recording-started\.json<\/Key>\s*<LastModified>([^<]+)</g)];
  begun.sort(([, , a], [, , b]) => a!.localeCompare(b!));
  return begun.at(-1)?.[1] ?? "";
}

/** Segments of the encoder's own rendition of a recording in the store, how many renditions there are, and what ffmpeg says of all of them. */
async function recorded(prefix: string): Promise<{ segments: number; renditions: number; ended: boolean; fault: string }> {
  const folder = join(live.folder, "fetched", prefix);
  const fetch = async (name: string): Promise<string> => {
    const bytes = await storage.get(bucket, `${prefix}/media/hls/${name}`);
    if (bytes === undefined) return "";
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
    return name.endsWith("m3u8") ? new TextDecoder().decode(bytes) : "";
  };
  const playlists = (await fetch("master.m3u8")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const texts: string[] = [];
  for (const playlist of playlists) {
    const text = await fetch(playlist);
    texts.push(text);
    const names = [...text.matchAll(/^(\d+\.mp4)$|URI="([^"]+)"/gm)].map(([, segment, init]) => segment ?? init!);
    for (const name of names) await fetch(`${dirname(playlist)}/${name}`);
  }
  const { stderr } = spawnSync("ffmpeg", ["-v", "error", "-i", join(folder, "master.m3u8"), "-f", "null", "-"], { encoding: "utf8" });
  const segments = (texts[0] ?? "").split("#EXTINF").length - 1;
  const ended = texts.length > 0 && texts.every((text) => text.includes("#EXT-X-ENDLIST"));
  return { segments, renditions: playlists.length, ended, fault: stderr.slice(0, 300) };
}

try {
  const server = await store();
  await live.start();
  const file = clip();
  const { recordingConfiguration } = await live.ivs.createRecordingConfiguration({
    destinationConfiguration: { s3: { bucketName: bucket } },
  });
  const recordingConfigurationArn = recordingConfiguration!.arn!;
  const made = await live.ivs.createChannel({ name: "recorded", insecureIngest: true, recordingConfigurationArn });
  const [arn, streamKey] = [made.channel!.arn!, made.streamKey!.value!];
  const publish = async (): Promise<FaultyEncoder> => {
    const encoder = new FaultyEncoder(live.rtmp, streamKey, file);
    await until(`on the air ${encoder.refused}`, async () => (await live.channel(arn)).lastPart > 0, 10);
    return encoder;
  };

  const first = await publish();
  await sleep(7000);
  if (server !== undefined) {
    await children.end(server);
    await sleep(5000);
    await store();
  }
  await sleep(4000);
  first.stop();
  const names = async (): Promise<readonly string[]> => live.events(arn);
  await until("the recording ends", async () => (await names()).includes("Recording End"), 20);
  const { counters } = await live.channel(arn);
  const whole = await recorded(await prefixOf(arn));
  const outage = server === undefined ? "" : ", a store that was away for 5 s included";
  check(`every segment is in the store${outage}`, whole.segments === counters.segments && whole.ended && whole.fault === "", {
    ...whole,
    made: counters.segments,
  });

  const before = counters.segments!;
  const second = await publish();
  await sleep(8500);
  const segments = (await live.channel(arn)).counters.segments! - before;
  const prefix = await prefixOf(arn);
  await live.kill();
  second.kill();
  await live.start();
  await until("it is ended after the restart", async () => live.child!.output().includes("recording of before was ended"), 10);
  const cut = await recorded(prefix);
  check("kill -9 costs at most a segment", cut.segments >= segments - 1 && cut.ended && cut.fault === "", { ...cut, made: segments });
} catch (error) {
  check("the suite", false, (error as Error).stack);
} finally {
  if (failed > 0) console.log((live.child?.output() ?? "").slice(-3000));
  check("the secret is in no log", !(live.child?.output() ?? "").includes(`"${secret}"`), "");
  await children.endAll();
  live.remove();
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
