/**
 * `longhaul live --data` as users of AWS IVS meet it: its SDK and Debian's awscli make channels, ffmpeg publishes by RTMPS, hls.js in Chromium plays a private
 * channel by its playback address and a token, and shows the metadata that was put in; kill -9 loses nothing that was acknowledged.
 *
 *   node test/interop/ivs.ts [--seconds 10]          npm run test:ivs
 *   LONGHAUL_MOTO=FILE npm run test:ivs              and moto's published tests of IVS (tests/test_ivs/test_ivs.py), with pytest
 *
 * No root needed; what is not installed (awscli, ffmpeg, chromium, pytest) is said and left out.
 */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GlobalAccelerator } from "@aws-sdk/client-global-accelerator";
import { Ivs } from "@aws-sdk/client-ivs";
import { SignJWT } from "jose";
import type { Page } from "playwright-core";
import { serveHttp } from "../../src/host/http.ts";
import { chromiumMissing, launch } from "../browser/watch.ts";
import { parseArgs } from "../script-args.ts";
import { Tally } from "./checks.ts";
import { type Child, Children, longhaul, root, sleep } from "./children.ts";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "10" } } });
const folder = mkdtempSync(join(tmpdir(), "longhaul-ivs-"));
const data = join(folder, "data");
const base = 20_000 + (process.pid % 2000) * 5;
const [rtmp, rtmps, http, api] = [base, base + 1, base + 2, base + 3] as const;
const endpoint = `http://127.0.0.1:${api}`;
const children = new Children();
const keys = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
const tally = new Tally();
const { check, skip } = tally;

async function server(): Promise<Child> {
  const at = (port: number): string => `127.0.0.1:${port}`;
  const options = ["--data", data, "--rtmp", at(rtmp), "--rtmps", at(rtmps), "--http", at(http), "--api", at(api), "--name", "127.0.0.1"];
  const child = children.start("longhaul", [longhaul, "live", ...options]);
  await until("the server answers", async () => (await fetch(`http://127.0.0.1:${http}/api/status`)).ok, 15);
  return child;
}

function credentials(): { accessKeyId: string; secretAccessKey: string } {
  const [, accessKeyId, secretAccessKey] = /= (\S+)\n.*= (\S+)\n/.exec(readFileSync(join(data, "credentials"), "utf8"))!;
  return { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! };
}

const client = (): Ivs => new Ivs({ region: "eu-west-1", endpoint, credentials: credentials(), maxAttempts: 2 });
const nameOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "done",
    (error: Error) => error.name,
  );

function aws(...args: string[]): { status: number; out: string; error: string } {
  const env = { ...process.env, AWS_SHARED_CREDENTIALS_FILE: join(data, "credentials"), AWS_PAGER: "" };
  const { status, stdout, stderr } = spawnSync("/usr/bin/aws", ["--region", "eu-west-1", "--endpoint-url", endpoint, "ivs", ...args], {
    env,
    encoding: "utf8",
  });
  return { status: status ?? -1, out: stdout, error: stderr };
}

function awscli(): void {
  if (!existsSync("/usr/bin/aws")) {
    skip("awscli", "Debian's awscli is not installed");
    return;
  }
  const made = aws("create-channel", "--name", "by-cli", "--type", "BASIC", "--tags", "made=by cli");
  check("awscli creates a channel", made.status === 0 && made.out.includes('"by-cli"'), made.error.trim());
  const arn = (JSON.parse(made.out) as { channel: { arn: string } }).channel.arn;
  check("awscli lists it", aws("list-channels", "--filter-by-name", "by-cli").out.includes(arn), "");
  check("awscli reads its tags", aws("list-tags-for-resource", "--resource-arn", arn).out.includes("by cli"), "");
  const offline = aws("get-stream", "--channel-arn", arn);
  check(
    "awscli is told that it is off the air",
    offline.status !== 0 && offline.error.includes("ChannelNotBroadcasting"),
    offline.error.trim(),
  );
  check("awscli deletes it", aws("delete-channel", "--arn", arn).status === 0, "");
}

function encoder(url: string): Child {
  const video = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
  const code = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "60", "-b:v", "800k", "-c:a", "aac"];
  return children.start("ffmpeg", ["ffmpeg", "-hide_banner", "-loglevel", "error", "-re", ...video, ...code, "-f", "flv", url]);
}

interface Seen {
  readonly texts: readonly { readonly text: string; readonly at: number }[];
  readonly time: number;
  readonly errors: readonly string[];
}

const playerPage = (url: string): string => `<!doctype html><video muted autoplay></video><script src="/hls.js"></script><script>
  const seen = { texts: [], errors: [] }, video = document.querySelector("video"), hls = new Hls({ lowLatencyMode: true });
  hls.on(Hls.Events.FRAG_PARSING_METADATA, (_, { samples }) => samples.forEach(({ data }) =>
    seen.texts.push({ text: new TextDecoder().decode(data.slice(22)), at: Date.now() })));
  hls.on(Hls.Events.ERROR, (_, { details, fatal }) => fatal && seen.errors.push(details));
  hls.loadSource(${JSON.stringify(url)}); hls.attachMedia(video);
  globalThis.look = () => ({ ...seen, time: video.currentTime });
</script>`;

async function inBrowser(url: string, use: (look: () => Promise<Seen>) => Promise<void>): Promise<void> {
  const library = readFileSync(join(root, "node_modules/hls.js/dist/hls.min.js"));
  const pages = await serveHttp(
    (request) =>
      new URL(request.url).pathname === "/hls.js"
        ? new Response(library, { headers: { "content-type": "text/javascript" } })
        : new Response(playerPage(url), { headers: { "content-type": "text/html" } }),
    { host: "127.0.0.1", port: 0 },
  );
  const profile = mkdtempSync(join(folder, "browser-"));
  const context = await launch(profile, {});
  try {
    const page: Page = await context.newPage();
    await page.goto(`http://127.0.0.1:${pages.local.port}/`);
    await use(() => page.evaluate(() => (globalThis as unknown as { look: () => Seen }).look()));
  } finally {
    await context.close();
    await pages.close();
  }
}

async function streams(ivs: Ivs): Promise<void> {
  if (spawnSync("ffmpeg", ["-version"]).status !== 0) {
    skip("streams", "ffmpeg is not installed");
    return;
  }
  await ivs.importPlaybackKeyPair({ publicKeyMaterial: keys.publicKey.export({ type: "spki", format: "pem" }).toString() });
  const { recordingConfiguration } = await ivs.createRecordingConfiguration({
    destinationConfiguration: { s3: { bucketName: "shows" } },
    thumbnailConfiguration: { recordingMode: "INTERVAL", targetIntervalSeconds: 2 },
  });
  const { channel, streamKey } = await ivs.createChannel({
    name: "show",
    authorized: true,
    recordingConfigurationArn: recordingConfiguration!.arn!,
  });
  const channelArn = channel!.arn!;
  const plain = encoder(`rtmp://127.0.0.1:${rtmp}/app/${streamKey!.value}`);
  check(
    "RTMP is refused while insecureIngest is off",
    (await plain.exited) !== 0 && plain.output().includes("encrypted SRT only"),
    plain.output().trim().split("\n")[0],
  );
  const secure = encoder(`rtmps://127.0.0.1:${rtmps}/app/${streamKey!.value}`);
  await until("the stream is there", async () => (await nameOf(ivs.getStream({ channelArn }))) === "done", 10);
  check("RTMPS is live", (await ivs.getStream({ channelArn })).stream!.state === "LIVE", "LIVE");
  check(
    "a live channel is not changed",
    (await nameOf(ivs.updateChannel({ arn: channelArn, name: "x" }))) === "ConflictException",
    "ConflictException",
  );
  const exp = Math.floor(Date.now() / 1000) + 300;
  const token = await new SignJWT({ "aws:channel-arn": channelArn, exp }).setProtectedHeader({ alg: "ES384" }).sign(keys.privateKey);
  const bare = await fetch(channel!.playbackUrl!);
  check("without a token nobody plays", bare.status === 401, bare.status);
  if (chromiumMissing !== false) skip("playback", chromiumMissing);
  else await inBrowser(`${channel!.playbackUrl}?token=${token}`, (look) => playing(ivs, channelArn, look));
  await ivs.stopStream({ channelArn });
  check(
    "StopStream ends it",
    (await secure.exited) !== 0 && (await nameOf(ivs.getStream({ channelArn }))) === "ChannelNotBroadcasting",
    "",
  );
  await sleep(500);
  const { streamSession } = await ivs.getStreamSession({ channelArn });
  const names = streamSession!.truncatedEvents!.map(({ name }) => name!);
  check("the session tells it", names.includes("Session Created") && names.includes("Session Ended"), names);
  recorded();
}

/** What was recorded is decoded by ffmpeg, from the multivariant playlist on. */
function recorded(): void {
  const files = globSync("recordings/shows/**/*", { cwd: data });
  const master = files.find((path) => path.endsWith("master.m3u8"));
  if (master === undefined) {
    check("the stream is recorded", false, files);
    return;
  }
  const decoded = spawnSync("ffmpeg", ["-v", "error", "-i", join(data, master), "-f", "null", "-"], { encoding: "utf8" });
  const pictures = files.filter((path) => /thumb\d+\.jpg$/.test(path)).length;
  check("the recording decodes without a fault", decoded.status === 0 && decoded.stderr === "", decoded.stderr.slice(0, 300));
  check("it has thumbnails", pictures >= 2, pictures);
}

async function playing(ivs: Ivs, channelArn: string, look: () => Promise<Seen>): Promise<void> {
  await until("it plays", async () => (await look()).time > 1, 20);
  const sent = Date.now();
  await ivs.putMetadata({ channelArn, metadata: "goal 1:0 ⚽" });
  await until("metadata comes", async () => (await look()).texts.length > 0, 5);
  const { texts } = await look();
  check("hls.js shows the metadata", texts[0]?.text === "goal 1:0 ⚽" && texts.length === 1, {
    text: texts[0]?.text,
    ms: (texts[0]?.at ?? 0) - sent,
  });
  const before = (await look()).time;
  await sleep(Number(values.seconds) * 1000);
  const after = await look();
  check("hls.js plays on", after.time - before > Number(values.seconds) * 0.9 && after.errors.length === 0, {
    seconds: after.time - before,
    errors: after.errors,
  });
  check("the viewer is counted", (await ivs.getStream({ channelArn })).stream!.viewerCount === 1, 1);
}

/** Changes are made one after another while the program is killed: every one that was acknowledged is there afterwards. */
async function killed(first: Child): Promise<void> {
  let running = first;
  const acknowledged: string[] = [];
  for (let round = 0; round < 5; round++) {
    const ivs = client();
    const changing = (async () => {
      for (;;) {
        const made = await ivs.createChannel({ name: `kill-${round}` }).catch(() => undefined);
        if (made === undefined) return;
        acknowledged.push(made.channel!.arn!);
      }
    })();
    await sleep(300 + 100 * round);
    process.kill(running.process.pid!, "SIGKILL");
    await Promise.all([changing, running.exited]);
    running = await server();
  }
  const ivs = client();
  let missing = 0;
  for (let i = 0; i < acknowledged.length; i += 50) {
    const arns = acknowledged.slice(i, i + 50);
    missing += arns.length - (await ivs.batchGetChannel({ arns })).channels!.length;
  }
  check("kill -9, five times: nothing acknowledged is lost", missing === 0 && acknowledged.length > 20, {
    acknowledged: acknowledged.length,
    missing,
  });
}

/** moto's tests of IVS against us. Where they name a recording configuration that cannot be one, they are given one that is there. */
async function moto(file: string, ivs: Ivs): Promise<void> {
  const { recordingConfiguration } = await ivs.createRecordingConfiguration({
    destinationConfiguration: { s3: { bucketName: "moto-tests" } },
  });
  writeFileSync(join(folder, "test_ivs.py"), readFileSync(file, "utf8").replaceAll('"blah"', JSON.stringify(recordingConfiguration!.arn)));
  writeFileSync(join(folder, "conftest.py"), conftest);
  const env = { ...process.env, AWS_SHARED_CREDENTIALS_FILE: join(data, "credentials"), AWS_ENDPOINT_URL_IVS: endpoint };
  const { stdout } = spawnSync("python3", ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_ivs.py"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  const summary = stdout.trim().split("\n").at(-1) ?? "";
  check("moto's published tests", / passed/.test(summary) && !/failed|error/.test(summary), summary);
}

/** Each test begins with no channels, as with moto's own server. */
const conftest = `
import boto3, moto, pytest
moto.mock_aws = lambda f: f

@pytest.fixture(autouse=True)
def empty():
    client = boto3.client("ivs", region_name="eu-west-1")
    for channel in client.list_channels()["channels"]:
        client.delete_channel(arn=channel["arn"])
`;

import { until } from "../until.ts";

try {
  const first = await server();
  awscli();
  const accelerators = new GlobalAccelerator({ region: "us-west-2", endpoint, credentials: credentials(), maxAttempts: 1 });
  check("Global Accelerator's API is at the same address", (await accelerators.listAccelerators({})).Accelerators?.length === 0, "");
  await streams(client());
  if (process.env.LONGHAUL_MOTO !== undefined) await moto(process.env.LONGHAUL_MOTO, client());
  await killed(first);
} finally {
  await children.endAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
tally.end();
