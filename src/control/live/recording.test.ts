/** Recordings on a real disk: IVS's layout, whole playlists, reconnects merged, storage that fails, processes that died. */
import assert from "node:assert/strict";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Ivs } from "@aws-sdk/client-ivs";
import { Installation } from "../testing/installation.ts";
import { originUnder, publishDemo } from "../testing/origin.ts";
import { finishRecording } from "./recording.ts";
import { FolderStorage } from "./storage.ts";

async function world(t: TestContext, reconnectSeconds = 0) {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-recording-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const installation = await Installation.start(t);
  const events: string[] = [];
  const pictures: number[] = [];
  const picture = async (media: readonly Uint8Array[]): Promise<Uint8Array> => {
    pictures.push(media.reduce((sum, { length }) => sum + length, 0));
    return new Uint8Array([0xff, 0xd8]);
  };
  const { origin, live } = await originUnder(t, installation, {
    storage: new FolderStorage(folder),
    picture,
    sinks: [({ name, type }) => type === "IVS Recording State Change" && events.push(name)],
  });
  const ivs = new Ivs(await installation.client());
  const { recordingConfiguration } = await ivs.createRecordingConfiguration({
    destinationConfiguration: { s3: { bucketName: "shows" } },
    thumbnailConfiguration: { recordingMode: "INTERVAL", targetIntervalSeconds: 2, storage: ["SEQUENTIAL", "LATEST"] },
    recordingReconnectWindowSeconds: reconnectSeconds,
  });
  const channelArn = (await ivs.createChannel({ recordingConfigurationArn: recordingConfiguration!.arn! })).channel!.arn!;
  await live.changed();
  const channel = origin.channels.get(channelArn.split("/")[1]!)!;
  const files = (): string[] => globSync("**/*.{json,m3u8,mp4,jpg}", { cwd: folder }).sort();
  const read = (end: string): string => readFileSync(join(folder, files().find((path) => path.endsWith(end))!), "utf8");
  return { folder, origin, live, ivs, channelArn, channel, events, pictures, files, read };
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !done(); i++) await new Promise((again) => setTimeout(again, 10));
  assert.ok(done(), "within five seconds");
}

test("a stream is recorded whole, in IVS's layout", async (t) => {
  const { origin, channel, events, files, read, ivs, channelArn, live, pictures } = await world(t);
  publishDemo(channel, Date.now());
  channel.end(origin.now());
  await until(() => events.includes("Recording End"));
  const names = files().map((path) => path.replace(/^shows\/ivs\/v1\/123456789012\/\w{12}\/\d{4}\/\d+\/\d+\/\d+\/\d+\/\w{12}\//, ""));
  assert.deepEqual(names, [
    "events/recording-ended.json",
    "events/recording-started.json",
    "media/hls/360p30/0.mp4",
    "media/hls/360p30/1.mp4",
    "media/hls/360p30/2.mp4",
    "media/hls/360p30/init-0.mp4",
    "media/hls/360p30/playlist.m3u8",
    "media/hls/master.m3u8",
    "media/latest_thumbnail/thumb.jpg",
    "media/thumbnails/thumb0.jpg",
    "media/thumbnails/thumb1.jpg",
  ]);
  assert.equal(pictures.length, 2);
  const playlist = read("playlist.m3u8");
  const seconds = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].reduce((sum, [, text]) => sum + Number(text), 0);
  assert.ok(Math.abs(seconds - 4) < 0.05, `${seconds} of 4 s`);
  assert.match(playlist, /#EXT-X-ENDLIST\n$/);
  assert.equal(
    (JSON.parse(read("recording-ended.json")) as { media: { hls: { duration_ms: number } } }).media.hls.duration_ms,
    Math.round(seconds * 1000),
  );
  await live.sessions.settled();
  const { streamSession } = await ivs.getStreamSession({ channelArn });
  assert.equal(streamSession!.recordingConfiguration!.destinationConfiguration!.s3!.bucketName, "shows");
  assert.deepEqual(events, ["Recording Start", "Recording End"]);
});

test("an encoder that comes back in time goes on in the same recording", async (t) => {
  const { origin, channel, events, files, read, live } = await world(t, 60);
  publishDemo(channel, Date.now());
  channel.end(origin.now());
  publishDemo(channel, Date.now());
  channel.end(origin.now());
  await live.close();
  assert.deepEqual(events, ["Recording Start", "Recording End"]);
  assert.equal(files().filter((path) => /\/\d+\.mp4$/.test(path)).length, 6);
  assert.match(read("playlist.m3u8"), /#EXT-X-DISCONTINUITY/);
});

test("a storage that fails ends the recording with an event; the stream goes on", async (t) => {
  const { folder, origin, channel, events } = await world(t);
  writeFileSync(join(folder, "shows"), "a file where the bucket should be");
  publishDemo(channel, Date.now());
  await until(() => events.length > 0);
  assert.deepEqual(events, ["Recording Start Failure"]);
  assert.ok(channel.live);
  channel.end(origin.now());
});

test("a recording that a dead process left plays to its end", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-recording-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const prefix = "ivs/v1/1/c/2026/11/21/1/1/r";
  mkdirSync(join(folder, "shows", prefix, "media/hls/360p30"), { recursive: true });
  writeFileSync(join(folder, "shows", prefix, "media/hls/master.m3u8"), "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n360p30/playlist.m3u8\n");
  writeFileSync(join(folder, "shows", prefix, "media/hls/360p30/playlist.m3u8"), "#EXTM3U\n#EXTINF:2,\n0.mp4\n");
  const storage = new FolderStorage(folder);
  assert.equal(await finishRecording(storage, "shows", prefix), true);
  assert.equal(await finishRecording(storage, "shows", prefix), true);
  const text = readFileSync(join(folder, "shows", prefix, "media/hls/360p30/playlist.m3u8"), "utf8");
  assert.equal(text, "#EXTM3U\n#EXTINF:2,\n0.mp4\n#EXT-X-ENDLIST\n");
  assert.equal(await finishRecording(storage, "shows", "nothing"), false);
});
