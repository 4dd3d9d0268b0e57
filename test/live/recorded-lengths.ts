/**
 * Recordings of STANDARD channels, ffmpeg behind them: each rendition is as long as the encoder's own, where the encoder leaves, where another takes over at that moment and
 * goes on in the same recording, and where the program is stopped in the midst of a stream. The transcoder is a second behind each time, as on a busy machine.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, type Children, signalGroup, sleep } from "../interop/children.ts";
import { until } from "../until.ts";
import type { Findings } from "./findings.ts";
import type { LiveInstallation } from "./installation.ts";
import { type Length, lengths, recordingsEnded } from "./recordings.ts";

/** Pictures, and frames of sound: an encoder of sound begins with a frame or two that it makes up. */
const PICTURES_APART_MAX = 1;
const SOUND_APART_MAX = 3;
/** What the program may take to stop: its transcoders end, recordings are written. */
const STOP_MAX_MS = 8000;
const RECONNECT_SECONDS = 4;
/** How long a transcoder stands still, from how long before the end of its stream on. */
const STILL_MS = 2000;
const BEFORE_MS = 1000;

export interface RecordedLengths {
  readonly live: LiveInstallation;
  readonly children: Children;
  readonly findings: Findings;
  /** An encoder whose key frames are `gop` pictures apart. */
  readonly publish: (key: string, gop: number) => Child;
  /** Names of the renditions beside the encoder's own. */
  readonly ladder: readonly string[];
}

/** Stops the installation. There must be room for a transcoder. */
export async function recordedLengths({ live, children, findings, publish, ladder }: RecordedLengths): Promise<void> {
  const channel = async (name: string, recordingReconnectWindowSeconds: number) => {
    const destinationConfiguration = { s3: { bucketName: name } };
    const made = await live.ivs.createRecordingConfiguration({ destinationConfiguration, recordingReconnectWindowSeconds });
    const recordingConfigurationArn = made.recordingConfiguration!.arn!;
    const { channel, streamKey } = await live.ivs.createChannel({
      name,
      insecureIngest: true,
      type: "STANDARD",
      recordingConfigurationArn,
    });
    return { name, arn: channel!.arn!, key: streamKey!.value! };
  };
  const check = (what: string, bucket: string): void => {
    const found = lengths(join(live.data, "recordings", bucket));
    const own = found.get("720p30");
    const apart = (of: (length: Length) => number): number => Math.max(...[...found.values()].map((each) => Math.abs(of(each) - of(own!))));
    const whole =
      found.size === ladder.length + 1 &&
      own !== undefined &&
      apart(({ pictures }) => pictures) <= PICTURES_APART_MAX &&
      apart(({ sound }) => sound) <= SOUND_APART_MAX;
    findings.check(`${what}: recorded renditions are as long as the encoder's own`, whole, Object.fromEntries(found));
  };
  const published = async (made: { readonly arn: string; readonly key: string }, seconds: number): Promise<Child> => {
    const encoder = publish(made.key, 60);
    await until("it is on the air", async () => (await live.channel(made.arn)).lastPart > 0, 15);
    await sleep(seconds * 1000 - BEFORE_MS);
    const named = ["-P", String(live.child!.process.pid), "-f", "filter_complex"];
    const transcoder = Number(spawnSync("pgrep", named, { encoding: "utf8" }).stdout.trim());
    process.kill(transcoder, "SIGSTOP");
    // By its number: it may be gone, which the lengths tell.
    setTimeout(() => spawnSync("kill", ["-CONT", String(transcoder)]), STILL_MS);
    await sleep(BEFORE_MS);
    return encoder;
  };
  const ended = (bucket: string): boolean => recordingsEnded(join(live.data, "recordings", bucket)) > 0;

  const left = await channel("left", 0);
  await children.end(await published(left, 5.3));
  await until("the recording ends", async () => ended("left"), 15);
  check("the encoder leaves", "left");
  const listed = await Promise.all(
    ["media.m3u8", ...ladder.map((name) => `r/${name}/media.m3u8`)].map((file) => seconds(`${live.address(left.arn)}/${file}`)),
  );
  findings.check("and viewers have all of it", Math.max(...listed) - Math.min(...listed) < (PICTURES_APART_MAX + 0.5) / 30, listed);

  const taken = await channel("taken", RECONNECT_SECONDS);
  await published(taken, 4.3);
  await children.end(await published({ ...taken, key: `${taken.key}?priority=1` }, 5.7));
  await until("the recording ends", async () => ended("taken"), 15 + RECONNECT_SECONDS);
  check("another encoder takes over", "taken");
  const recordings = globSync("taken/**/events", { cwd: join(live.data, "recordings") }).length;
  const discontinuities = globSync("taken/**/playlist.m3u8", { cwd: join(live.data, "recordings") }).map(
    (path) => readFileSync(join(live.data, "recordings", path), "utf8").split("#EXT-X-DISCONTINUITY\n").length - 1,
  );
  const all = ladder.map(() => 1).concat(1);
  findings.check("in one recording, behind a discontinuity", recordings === 1 && String(discontinuities) === String(all), discontinuities);

  const stopped = await channel("stopped", 0);
  const encoder = await published(stopped, 4.6);
  const from = Date.now();
  // As a terminal's Ctrl-C: all that it has started gets it, too.
  signalGroup(live.child!.process, "SIGINT");
  await live.child!.exited;
  const took = Date.now() - from;
  await children.end(encoder);
  findings.check("the program stops in time, and its recording is ended", took < STOP_MAX_MS && ended("stopped"), { ms: took });
  check("the program is stopped", "stopped");
}

/** Of all that a playlist lists. */
async function seconds(address: string): Promise<number> {
  const playlist = await (await fetch(address)).text();
  return [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].reduce((sum, [, each]) => sum + Number(each), 0);
}
