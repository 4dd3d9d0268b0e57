/**
 * Encoders that fail in every way they do, each on a channel of its own, all at once, beside one that must not notice; then thousands of damaged sessions,
 * and kill -9 in the midst of it all.
 *
 *   npm run test:live-faults [-- --sessions 10000 --kills 10]       needs ffmpeg and ffprobe; SEED=n for other damage
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { VIDEO } from "../../src/media/flv/tag.ts";
import { Children, root, sleep } from "../interop/children.ts";
import { encode } from "../interop/coded-stream.ts";
import { mutate } from "../rtmp/mutate.ts";
import { parseArgs } from "../script-args.ts";
import { until } from "../until.ts";
import { FaultyEncoder } from "./faulty-encoder.ts";
import { Findings } from "./findings.ts";
import { LiveInstallation } from "./installation.ts";

const { values } = parseArgs({ options: { sessions: { type: "string", default: "10000" }, kills: { type: "string", default: "10" } } });
const seed = Number(process.env.SEED ?? 20_261_121);
const IDLE_SECONDS = 14;
const TAKEOVER_SECONDS = 4;
const fuzzKey = "demo-key";
const children = new Children();
const limits = ["--idle", String(IDLE_SECONDS), "--takeover", String(TAKEOVER_SECONDS), "--connections", "500", "--transcoders", "0"];
const live = new LiveInstallation(children, [...limits, "--channel", `fuzzed=${fuzzKey}`]);
const findings = new Findings();
const { check } = findings;

interface Made {
  readonly arn: string;
  readonly key: string;
}

async function channel(name: string, recordingConfigurationArn = ""): Promise<Made> {
  const made = await live.ivs.createChannel({ name, insecureIngest: true, type: "STANDARD", recordingConfigurationArn });
  return { arn: made.channel!.arn!, key: made.streamKey!.value! };
}

/** A file to be replayed: `size` and what else ffmpeg is to do with it. */
function clip(name: string, seconds: number, size: string, ...how: readonly string[]): Uint8Array {
  const path = join(live.folder, `${name}.flv`);
  const source = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=30`, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
  const coded = [
    "-t",
    String(seconds),
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-b:v",
    "300k",
    ...how,
    "-c:a",
    "aac",
  ];
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", ...source, ...coded, "-y", path]);
  return new Uint8Array(readFileSync(path));
}

async function onAir(encoder: FaultyEncoder, { arn }: Made): Promise<void> {
  await until(`a part (${encoder.refused})`, async () => (await live.channel(arn)).lastPart > 0 || encoder.refused !== "", 10);
}

const decoded = ({ arn }: Made): Promise<string> => live.decoded(live.address(arn));

/** Made before anything is on the air: encoders must not be held up by it. */
const clips = {
  even: clip("even", 4, "320x180", "-g", "30", "-bf", "0"),
  larger: clip("larger", 4, "640x360", "-g", "30", "-bf", "0"),
  rare: clip("rare", 20, "320x180", "-g", "300", "-bf", "0", "-x264-params", "scenecut=0"),
  reordered: clip("reordered", 6, "320x180", "-g", "60", "-bf", "3", "-x264-params", "b-pyramid=normal:bframes=3"),
  uneven: clip("uneven", 8, "320x180", "-vf", "select='gt(sin(t*4)\\,0)+not(mod(n\\,7))'", "-fps_mode", "vfr", "-g", "30", "-bf", "0"),
};
const hevc = encode("hvc1", live.folder);

const faults: Readonly<Record<string, () => Promise<void>>> = {
  async killed() {
    const made = await channel("killed");
    const first = new FaultyEncoder(live.rtmp, made.key, clips.even);
    await onAir(first, made);
    first.kill();
    await until("off the air after RST", async () => !(await live.channel(made.arn)).live, 3);
    await sleep(300);
    const names = await live.events(made.arn);
    check("encoder killed: the session ends and says so", names.includes("Stream End") && names.at(-1) === "Session Ended", names);
    const second = new FaultyEncoder(live.rtmp, made.key, clips.even);
    await until("on the air again", async () => (await live.channel(made.arn)).live, 5);
    check("encoder killed: another may come at once", second.publishing, second.refused);
    second.stop();
  },

  async halfOpen() {
    const [taken, given] = [await channel("taken"), await channel("given-up")];
    const silent = [taken, given].map((made) => new FaultyEncoder(live.rtmp, made.key, clips.even));
    await Promise.all(silent.map((each, i) => onAir(each, [taken, given][i]!)));
    for (const each of silent) each.silence(true);
    const since = Date.now();
    await sleep(500);
    const early = new FaultyEncoder(live.rtmp, taken.key, clips.even);
    await until("refused while the first was heard of", async () => early.refused !== "", 3);
    await sleep((TAKEOVER_SECONDS + 1) * 1000 - (Date.now() - since));
    const late = new FaultyEncoder(live.rtmp, taken.key, clips.even);
    await until("the second takes over", async () => late.publishing, 3);
    await onAir(late, taken);
    const sessions = (await live.ivs.listStreamSessions({ channelArn: taken.arn })).streamSessions!;
    check("half open: the next encoder takes over, in a session of its own", sessions.length === 2 && late.refused === "", sessions.length);
    await until("given up", async () => !(await live.channel(given.arn)).live, IDLE_SECONDS + 4);
    await sleep(300);
    const names = await live.events(given.arn);
    check(
      "half open: given up after --idle, behind a Starvation Start",
      names.includes("Starvation Start") && names.at(-1) === "Session Ended",
      names,
    );
    late.stop();
  },

  async stalled() {
    const made = await channel("stalled");
    const encoder = new FaultyEncoder(live.rtmp, made.key, clips.even);
    await onAir(encoder, made);
    encoder.silence(true);
    await sleep(10_000);
    const starving = (await live.ivs.getStream({ channelArn: made.arn })).stream!.health;
    encoder.silence(false);
    await sleep(3000);
    const names = await live.events(made.arn);
    const { health } = (await live.ivs.getStream({ channelArn: made.arn })).stream!;
    const told = names.indexOf("Starvation Start") > 0 && names.indexOf("Starvation End") > names.indexOf("Starvation Start");
    check("stalled 10 s: the same session starves and recovers", starving === "STARVING" && health === "HEALTHY" && told, names);
    check("stalled 10 s: what came late decodes", (await decoded(made)) === "", "");
    encoder.stop();
  },

  async clock() {
    const made = await channel("clock");
    const encoder = new FaultyEncoder(live.rtmp, made.key, clips.even);
    await onAir(encoder, made);
    for (const ms of [3_600_000, -7_200_000, 2 ** 31, 1500]) {
      encoder.jump(ms);
      await sleep(2500);
    }
    const { counters, lastPart } = await live.channel(made.arn);
    const sessions = (await live.ivs.listStreamSessions({ channelArn: made.arn })).streamSessions!;
    const [fault, lag] = [await decoded(made), Date.now() - lastPart];
    // Another clock goes on where the old one was; a leap too short for that is a discontinuity.
    const ok = fault === "" && lag < 2000 && counters.discontinuities! >= 1 && sessions.length === 1;
    check("clock jumps: the stream goes on in the same session", ok, { discontinuities: counters.discontinuities, lag, fault });
    encoder.stop();
  },

  async keyFrames() {
    const made = await channel("key-frames");
    const encoder = new FaultyEncoder(live.rtmp, made.key, clips.rare);
    await onAir(encoder, made);
    await sleep(23_000);
    const text = await live.playlist(made.arn);
    const target = Number(/TARGETDURATION:(\d+)/.exec(text)?.[1]);
    check("a key frame every 10 s: segments as long, and said to be", target === 10 && (await decoded(made)) === "", {
      target,
      fault: await decoded(made),
    });
    encoder.stop();
  },

  async order() {
    const made = await channel("b-frames");
    const encoder = new FaultyEncoder(live.rtmp, made.key, clips.reordered);
    await onAir(encoder, made);
    await sleep(7000);
    check("B-frames decode without a fault", (await decoded(made)) === "", "");
    encoder.stop();
  },

  async rate() {
    const made = await channel("frame-rate");
    const encoder = new FaultyEncoder(live.rtmp, made.key, clips.uneven);
    await onAir(encoder, made);
    await sleep(9000);
    const { counters } = await live.channel(made.arn);
    check(
      "a frame rate from 4 to 30: decodes, no restart",
      (await decoded(made)) === "" && counters.discontinuities === 0,
      counters.discontinuities,
    );
    encoder.stop();
  },

  async codec() {
    const made = await channel("codec");
    const encoder = new FaultyEncoder(live.rtmp, made.key, clips.even);
    await onAir(encoder, made);
    await sleep(2500);
    encoder.replay(clips.larger);
    await sleep(3500);
    const larger = await live.channel(made.arn);
    const maps = new Set((await live.playlist(made.arn)).match(/init-\d+\.mp4/g));
    const size = larger.tracks.find(({ kind }) => kind === "video");
    check("another picture size in mid-stream: a new map, the same session", size?.width === 640 && maps.size === 2, {
      width: size?.width,
      maps: maps.size,
    });
    const { record, pictures } = hevc;
    const tag = new TextEncoder().encode("hvc1");
    encoder.silence(true);
    encoder.send(VIDEO, 40, Uint8Array.of(0x90, ...tag, ...record));
    for (const [i, picture] of pictures.entries())
      encoder.send(VIDEO, 80 + i * 40, Uint8Array.of(i % 50 === 0 ? 0x93 : 0xa3, ...tag, ...picture));
    await until("HEVC", async () => (await live.channel(made.arn)).tracks.some(({ codec }) => codec.startsWith("hvc1")), 5);
    const master = await (await fetch(`${live.address(made.arn)}/index.m3u8`)).text();
    const sessions = (await live.ivs.listStreamSessions({ channelArn: made.arn })).streamSessions!;
    check(
      "H.264 becomes HEVC in mid-stream: said in the playlist, the same session",
      master.includes("hvc1") && sessions.length === 1,
      sessions.length,
    );
    encoder.stop();
  },
};

/** Damaged sessions by RTMP, so many at once, from an address of their own: keys that are wrong keep it away after a while, which is as it should be. */
async function damaged(): Promise<void> {
  const recordings = ["ffmpeg-5.1.bin", "gstreamer-1.22.bin"].map((file) =>
    new Uint8Array(readFileSync(join(root, "test/rtmp", file))).subarray(0, 9000),
  );
  const sessions = Number(values.sessions);
  let [begun, lost] = [0, 0];
  const one = (n: number): Promise<void> =>
    new Promise((done) => {
      const prng = new Prng(seed + n);
      const bytes = mutate(recordings[prng.below(recordings.length)]!, prng);
      const socket = connect({ port: live.rtmp, host: "127.0.0.1", localAddress: `127.0.1.${1 + (n % 250)}` });
      const timer = setTimeout(() => socket.destroy(), 3000);
      socket.on("error", () => lost++);
      socket.on("close", () => {
        clearTimeout(timer);
        done();
      });
      socket.on("connect", () => {
        socket.write(bytes);
        if (prng.chance(0.1)) setTimeout(() => socket.resetAndDestroy(), 20);
        else socket.end();
      });
      socket.resume();
    });
  const runner = async (): Promise<void> => {
    while (begun < sessions) await one(begun++);
  };
  await Promise.all(Array.from({ length: 32 }, runner));
  const { ingest } = await live.status();
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${live.child!.process.pid}/status`, "utf8"))![1]) / 1024;
  const { counters } = await live.channel("/fuzzed");
  check(`${sessions} damaged RTMP sessions (seed ${seed}): the server lives`, live.child!.process.exitCode === null && rss < 600, {
    rss,
    lost,
  });
  check("some of them were heard, some refused", counters.streams! > sessions / 100 && Object.keys(ingest.refused).length > 2, {
    streams: counters.streams,
    ...ingest.refused,
  });
}

/** The same by RTP, above DTLS: sessions of the core, in virtual time. */
function damagedRtp(): void {
  const env = { ...process.env, SESSIONS: values.sessions, SEED: String(seed) };
  const run = spawnSync(process.execPath, ["--test", join(root, "sim/webrtc/hostile-sessions.test.ts")], { env, encoding: "utf8" });
  check(`${values.sessions} damaged RTP sessions (seed ${seed})`, run.status === 0, run.status === 0 ? "" : run.stdout.slice(-1500));
}

/** kill -9 while a stream is recorded and channels are made. */
async function killedServer(): Promise<void> {
  const { recordingConfiguration } = await live.ivs.createRecordingConfiguration({
    destinationConfiguration: { s3: { bucketName: "faults" } },
  });
  const made = await channel("recorded", recordingConfiguration!.arn!);
  const acknowledged: Made[] = [made];
  const file = clips.even;
  let played = 0;
  for (let round = 0; round < Number(values.kills); round++) {
    const encoder = new FaultyEncoder(live.rtmp, made.key, file);
    const making = (async () => {
      for (;;) {
        const next = await channel(`kill-${round}`).catch(() => undefined);
        if (next === undefined) return;
        acknowledged.push(next);
        await sleep(20);
      }
    })();
    await sleep(1500 + new Prng(seed + round).below(3000));
    await live.kill();
    await making;
    encoder.kill();
    await live.start();
  }
  await sleep(1000);
  let wrong = 0;
  for (const { arn, key } of acknowledged) {
    const found = await live.ivs.listStreamKeys({ channelArn: arn }).catch(() => undefined);
    const value = found?.streamKeys?.[0] === undefined ? undefined : await live.ivs.getStreamKey({ arn: found.streamKeys[0].arn! });
    if (value?.streamKey?.value !== key) wrong++;
  }
  check(`kill -9, ${values.kills} times: channels and keys that were acknowledged are there`, wrong === 0, {
    channels: acknowledged.length,
    wrong,
  });
  const sessions = (await live.ivs.listStreamSessions({ channelArn: made.arn })).streamSessions!;
  const ended = sessions.filter(({ endTime, hasErrorEvent }) => endTime !== undefined && hasErrorEvent === true).length;
  check("each session that was cut off is there, and ended with an error", ended === Number(values.kills), {
    sessions: sessions.length,
    ended,
  });
  const masters = globSync("recordings/faults/**/master.m3u8", { cwd: live.data });
  const faulty = masters.filter((path) => {
    const { status, stderr } = spawnSync("ffmpeg", ["-v", "error", "-i", join(live.data, path), "-f", "null", "-"], { encoding: "utf8" });
    const playlists = globSync(join(path, "../*/playlist.m3u8"), { cwd: live.data }).map((each) =>
      readFileSync(join(live.data, each), "utf8"),
    );
    for (const text of playlists) played += [...text.matchAll(/EXTINF/g)].length;
    return status !== 0 || stderr !== "" || playlists.length === 0 || !playlists.every((text) => text.includes("#EXT-X-ENDLIST"));
  });
  check("what was recorded plays to its end, and is ended", faulty.length === 0 && masters.length > 0, {
    recordings: masters.length,
    segments: played,
    faulty,
  });
}

await findings.of(live, children, async () => {
  const steady = await channel("steady");
  const encoder = new FaultyEncoder(live.rtmp, steady.key, clips.even);
  await onAir(encoder, steady);
  const began = Date.now();
  const results = await Promise.allSettled(Object.values(faults).map((fault) => fault()));
  for (const [i, result] of results.entries())
    if (result.status === "rejected") check(Object.keys(faults)[i]!, false, (result.reason as Error).message);
  await damaged();
  const { counters, lastPart } = await live.channel(steady.arn);
  const names = await live.events(steady.arn);
  const seconds = (Date.now() - began) / 1000;
  // 30 pictures and 47 pieces of sound a second.
  const share = counters.units! / ((30 + 46.875) * seconds);
  const undisturbed =
    names.join() === "Session Created,Stream Start" && counters.discontinuities === 0 && share > 0.97 && Date.now() - lastPart < 2000;
  check(`a channel beside all this is not disturbed, ${Math.round(seconds)} s`, undisturbed, { names, share, lag: Date.now() - lastPart });
  encoder.stop();
  damagedRtp();
  await killedServer();
});
