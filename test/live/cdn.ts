/**
 * Viewers behind nginx's cache, configured by examples/nginx/live.conf: low-latency playback through it, what it keeps and what it must not, and who watches.
 *
 *   npm run test:cdn [-- --viewers 20 --seconds 10]        nginx, ffmpeg
 */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, get, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { SignJWT } from "jose";
import { Prng } from "../../src/base/prng.ts";
import { Children, root, sleep, waitForPort } from "../interop/children.ts";
import { parseArgs } from "../script-args.ts";
import { until } from "../until.ts";
import { Findings } from "./findings.ts";
import { LiveInstallation } from "./installation.ts";

const { values } = parseArgs({ options: { viewers: { type: "string", default: "20" }, seconds: { type: "string", default: "10" } } });
const children = new Children();
const live = new LiveInstallation(children, ["--proxies", "127.0.0.1", "--transcoders", "0"]);
const findings = new Findings();
const { check } = findings;
const port = live.http + 2;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** "HIT", "MISS", … */
  readonly cache: string;
}

/** Through nginx, from an address of the loopback. */
function ask(agent: Agent, path: string, headers: Record<string, string> = {}, localAddress = "127.0.0.1"): Promise<Answer> {
  return new Promise((done, failed) => {
    const request = get({ host: "127.0.0.1", port, path, agent, headers, localAddress }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const cache = String(response.headers["x-cache-status"] ?? "");
        done({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks), cache });
      });
    });
    request.on("error", failed);
  });
}

const agent = (): Agent => new Agent({ keepAlive: true });

async function nginx(): Promise<void> {
  const folder = join(live.folder, "nginx");
  mkdirSync(folder, { recursive: true });
  const site = readFileSync(join(root, "examples/nginx/live.conf"), "utf8")
    .replace("/var/cache/nginx/live", join(folder, "cache"))
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${live.http}`)
    .replace("listen 80", `listen 127.0.0.1:${port}`);
  writeFileSync(join(folder, "site.conf"), site);
  const main = `daemon off; user root; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;`;
  const http = `http { access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; include ${folder}/site.conf; }`;
  writeFileSync(join(folder, "nginx.conf"), `${main}\nevents { worker_connections 4096; }\n${http}\n`);
  children.start("nginx", ["nginx", "-c", join(folder, "nginx.conf"), "-p", folder]);
  await waitForPort(port);
}

function publish(key: string): void {
  const source = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"];
  const coded = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "60", "-pix_fmt", "yuv420p"];
  const to = ["-f", "flv", `rtmp://127.0.0.1:${live.rtmp}/app/${key}`];
  children.start("ffmpeg", ["ffmpeg", "-hide_banner", "-loglevel", "error", ...source, ...coded, ...to]);
}

/** Plays as a low-latency player does, some milliseconds away from the cache; its parts, how they were answered, how long after they were there. */
async function play(base: string, milliseconds: number, away: number) {
  const own = agent();
  const seen = { playlists: [] as string[], parts: [] as string[], wrong: [] as string[] };
  let query = "";
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    await sleep(away);
    const playlist = await ask(own, `${base}/media.m3u8${query}`);
    if (playlist.status !== 200) seen.wrong.push(`${playlist.status} ${query} ${playlist.body}`);
    else seen.playlists.push(playlist.cache);
    const text = playlist.body.toString();
    const [, msn, part] = /PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"/.exec(text) ?? [];
    const last = [...text.matchAll(/#EXT-X-PART:.*URI="([^"]+)"/g)].at(-1)?.[1];
    if (msn === undefined || last === undefined) continue;
    await sleep(away);
    const media = await ask(own, `${base}/${last}`);
    if (media.status !== 200 || media.headers["content-length"] !== String(media.body.length)) seen.wrong.push(`${media.status} ${last}`);
    seen.parts.push(media.cache);
    query = `?_HLS_msn=${msn}&_HLS_part=${part}`;
  }
  own.destroy();
  return seen;
}

const share = (all: readonly string[]): number => all.filter((cache) => cache === "HIT").length / Math.max(1, all.length);

async function publicChannel(): Promise<void> {
  const { channel, streamKey } = await live.ivs.createChannel({ type: "BASIC", insecureIngest: true });
  const arn = channel!.arn!;
  publish(streamKey!.value!);
  await until("on the air", async () => (await live.channel(arn)).lastPart > 0, 15);
  await sleep(2500);
  const base = `/live/${arn.split("/")[1]}`;
  const ms = Number(values.seconds) * 1000;
  const prng = new Prng(1);
  const seen = await Promise.all(Array.from({ length: Number(values.viewers) }, () => play(base, ms, prng.below(60))));
  const parts = seen.flatMap((each) => each.parts);
  const playlists = seen.flatMap((each) => each.playlists);
  const wrong = seen.flatMap((each) => each.wrong);
  check("low-latency viewers play through it", wrong.length === 0 && Math.min(...seen.map((each) => each.parts.length)) > ms / 400, {
    wrong: wrong.slice(0, 3),
    partsEach: seen.map((each) => each.parts.length),
  });
  check("most parts come from the cache", share(parts) > 0.5, { parts: share(parts), playlists: share(playlists) });
  const one = agent();
  const text = (await ask(one, `${base}/media.m3u8`)).body.toString();
  const segment = [...text.matchAll(/^(\d+)\.m4s$/gm)].at(-1)![1]!;
  const [first, second] = [await ask(one, `${base}/${segment}.m4s`), await ask(one, `${base}/${segment}.m4s`)];
  const direct = Buffer.from(await (await fetch(`${live.address(arn)}/${segment}.m4s`)).arrayBuffer());
  check("a segment is the same from the cache", second.cache === "HIT" && first.body.equals(second.body) && direct.equals(second.body), {
    bytes: direct.length,
    cache: second.cache,
    age: second.headers.age,
  });
  const next = `${base}/${Number(segment) + 2}.m4s`;
  const early = await ask(one, next);
  await sleep(5000);
  const later = await ask(one, next);
  check("what is not there yet is not remembered as missing", early.status === 404 && later.status === 200, [early.status, later.status]);
  const forged = { "x-forwarded-for": "198.51.100.7" };
  for (const address of ["127.0.0.2", "127.0.0.3"]) await ask(agent(), `${base}/media.m3u8?for=${address}`, forged, address);
  const { viewerCount } = (await live.ivs.getStream({ channelArn: arn })).stream!;
  // 127.0.0.1 is trusted itself, and what it forwards is what it saw.
  check("viewers behind it are told apart by their own address", (viewerCount ?? 0) >= 3, viewerCount);
  one.destroy();
}

async function privateChannel(): Promise<void> {
  const keys = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
  await live.ivs.importPlaybackKeyPair({ publicKeyMaterial: keys.publicKey.export({ type: "spki", format: "pem" }).toString() });
  const { channel, streamKey } = await live.ivs.createChannel({ type: "BASIC", insecureIngest: true, authorized: true });
  const arn = channel!.arn!;
  publish(streamKey!.value!);
  await until(
    "the private one is on the air",
    async () => (await live.ivs.getStream({ channelArn: arn }).catch(() => undefined)) !== undefined,
    15,
  );
  await sleep(3000);
  const exp = Math.floor(Date.now() / 1000) + 300;
  const claims = {
    "aws:channel-arn": arn,
    exp,
    "aws:access-control-allow-origin": "https://a.example",
    "aws:strict-origin-enforcement": true,
  };
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "ES384" }).sign(keys.privateKey);
  const base = `/live/${arn.split("/")[1]}`;
  const one = agent();
  const origin = { origin: "https://a.example" };
  const master = (): Promise<Answer> => ask(one, `${base}/index.m3u8?token=${token}`, origin);
  const [first, again] = [await master(), await master()];
  const media = first.body.toString().trim().split("\n").at(-1)!;
  check(
    "what names a viewer's session is kept for nobody",
    first.status === 200 && again.cache !== "HIT" && !again.body.equals(first.body),
    again.cache,
  );
  check("nobody else gets in", (await ask(one, `${base}/index.m3u8`)).status === 401, 401);
  const [own, kept] = [await ask(one, `${base}/${media}`, origin), await ask(one, `${base}/${media}`, origin)];
  const other = await ask(one, `${base}/${media}`, { origin: "https://b.example" });
  check("a session plays in its page alone, from the cache or not", own.status === 200 && kept.status === 200 && other.status === 403, {
    own: own.cache,
    again: kept.cache,
    other: [other.status, other.cache],
  });
  one.destroy();
}

if (spawnSync("nginx", ["-v"]).status !== 0) console.log("skipped: nginx is not installed");
else {
  await findings.of(live, children, async () => {
    await nginx();
    await publicChannel();
    await privateChannel();
  });
}
