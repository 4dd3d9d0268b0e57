/** Recordings on a real disk: IVS's layout, whole playlists, reconnects merged, storage that fails, processes that died. */
import assert from "node:assert/strict";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Ivs, type RenditionConfiguration } from "@aws-sdk/client-ivs";
import type { Track } from "../../media/unit.ts";
import { Installation } from "../testing/installation.ts";
import { originUnder, publishDemo } from "../testing/origin.ts";
import type { StreamEvent } from "./events.ts";
import { finishRecording } from "./interrupted-recording.ts";
import { RANGES } from "./recorded-rendition.ts";
import { FolderStorage } from "./storage.ts";
import { eventBridge } from "./webhooks.ts";

async function world(t: TestContext, reconnectSeconds = 0, renditionConfiguration: RenditionConfiguration = {}) {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-recording-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const installation = await Installation.start(t);
  const events: string[] = [];
  const told: StreamEvent[] = [];
  const pictures: number[] = [];
  const picture = async (media: readonly Uint8Array[]): Promise<Uint8Array> => {
    pictures.push(media.reduce((sum, { length }) => sum + length, 0));
    return new Uint8Array([0xff, 0xd8]);
  };
  const { origin, live } = await originUnder(t, installation, {
    storage: new FolderStorage(folder),
    picture,
    sinks: [
      (event) => {
        if (event.type !== "IVS Recording State Change") return;
        events.push(event.name);
        told.push(event);
      },
    ],
  });
  const ivs = new Ivs(await installation.client());
  const { recordingConfiguration } = await ivs.createRecordingConfiguration({
    destinationConfiguration: { s3: { bucketName: "shows" } },
    thumbnailConfiguration: { recordingMode: "INTERVAL", targetIntervalSeconds: 2, storage: ["SEQUENTIAL", "LATEST"] },
    recordingReconnectWindowSeconds: reconnectSeconds,
    renditionConfiguration,
  });
  const channelArn = (await ivs.createChannel({ recordingConfigurationArn: recordingConfiguration!.arn! })).channel!.arn!;
  await live.changed();
  const channel = origin.channels.get(channelArn.split("/")[1]!)!;
  const files = (): string[] => globSync("**/*.{json,m3u8,mp4,jpg}", { cwd: folder }).sort();
  const read = (end: string): string => readFileSync(join(folder, files().find((path) => path.endsWith(end))!), "utf8");
  return { installation, folder, origin, live, ivs, channelArn, channel, events, told, pictures, files, read };
}

/** Where the media of the only rendition is. */
function folderOf(files: () => string[], folder: string): string {
  return join(folder, files().find((path) => path.endsWith("/0.mp4"))!, "..");
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !done(); i++) await new Promise((again) => setTimeout(again, 10));
  assert.ok(done(), "within five seconds");
}

test("a stream is recorded whole, in IVS's layout", async (t) => {
  const { folder, origin, channel, events, told, files, read, ivs, channelArn, live, pictures } = await world(t);
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
    "media/hls/360p30/byte-range-variant.m3u8",
    "media/hls/360p30/init-0.mp4",
    "media/hls/360p30/playlist.m3u8",
    "media/hls/byte-range-multivariant.m3u8",
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
  const { media, ...ended } = JSON.parse(read("recording-ended.json")) as { media: { hls: object }; recording_ended_at: string };
  assert.deepEqual(media, {
    hls: {
      ...{ duration_ms: Math.round(seconds * 1000), path: "media/hls", playlist: "master.m3u8" },
      byte_range_playlist: "byte-range-multivariant.m3u8",
      renditions: [
        {
          ...{ path: "360p30", playlist: "playlist.m3u8", byte_range_playlist: "byte-range-variant.m3u8" },
          ...{ resolution_height: 360, resolution_width: 640 },
        },
      ],
    },
    thumbnails: { path: "media/thumbnails", resolution_height: 360, resolution_width: 640 },
    latest_thumbnail: { path: "media/latest_thumbnail/thumb.jpg", resolution_height: 360, resolution_width: 640 },
  });
  const started = JSON.parse(read("recording-started.json")) as typeof ended & { media: { hls: object } };
  assert.deepEqual({ duration_ms: Math.round(seconds * 1000), ...started.media.hls }, media.hls);
  const { recording_ended_at: at, ...rest } = ended;
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
  assert.deepEqual({ ...rest, recording_status: "RECORDING_STARTED", media: started.media }, started);
  const sizes = ["0", "1", "2"].map((n) => readFileSync(join(folderOf(files, folder), `${n}.mp4`)).length);
  const spans = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].map(([, text]) => Number(text));
  const peak = Math.ceil(Math.max(...sizes.map((bytes, i) => (bytes * 8) / spans[i]!)));
  const average = Math.ceil((sizes.reduce((sum, bytes) => sum + bytes) * 8) / seconds);
  assert.equal(
    read("master.m3u8"),
    `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=${peak},AVERAGE-BANDWIDTH=${average},CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000
360p30/playlist.m3u8
`,
  );
  assert.equal(read("byte-range-multivariant.m3u8"), read("master.m3u8").replace("playlist.m3u8", "byte-range-variant.m3u8"));
  // Ranges name every byte of every file once.
  const ranges = [...read("byte-range-variant.m3u8").matchAll(/#EXT-X-BYTERANGE:(\d+)@0\n(\d+)\.mp4/g)].map(([, bytes, n]) => [bytes, n]);
  assert.deepEqual(
    ranges,
    ["0", "1", "2"].map((n) => [String(readFileSync(join(folderOf(files, folder), `${n}.mp4`)).length), n]),
  );
  const { streamId } = (await ivs.listStreamSessions({ channelArn })).streamSessions![0]!;
  const form = eventBridge(told[1]!, { region: "eu-west-1", account: "123456789012" }) as { detail: Record<string, unknown> };
  const { recording_session_id: session, recording_s3_key_prefix: prefix, ...detail } = form.detail;
  assert.match(String(session), /^\w{12}$/);
  assert.ok(files()[0]!.startsWith(`shows/${String(prefix)}/`));
  assert.deepEqual(detail, {
    ...{ recording_status: "Recording End", recording_status_reason: "", recording_s3_bucket_name: "shows" },
    ...{ recording_duration_ms: Math.round(seconds * 1000), recording_session_stream_ids: [streamId] },
    ...{ channel_name: "", stream_id: streamId },
  });
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

test("another picture is another recording, however soon it comes", async (t) => {
  const { origin, channel, events, told, files } = await world(t, 60);
  publishDemo(channel, Date.now());
  channel.end(origin.now());
  publishDemo(channel, Date.now(), (track) => (track.kind === "video" ? { ...track, width: 320, height: 180 } : track));
  await until(() => events.length === 3);
  assert.deepEqual(events, ["Recording Start", "Recording End", "Recording Start"]);
  assert.notEqual(told[2]!.detail!.recording_s3_key_prefix, told[1]!.detail!.recording_s3_key_prefix);
  assert.deepEqual(told[1]!.detail!.recording_session_stream_ids, [told[0]!.streamId]);
  channel.end(origin.now());
  assert.equal(new Set(files().map((path) => path.split("/").slice(0, 11).join("/"))).size, 2);
});

test("renditions are recorded beside the encoder's own, those that were selected, and of none pictures alone", async (t) => {
  const rows: readonly [RenditionConfiguration, string][] = [
    [{ renditionSelection: "ALL" }, "180p30 360p30"],
    [{ renditionSelection: "CUSTOM", renditions: ["LOWEST_RESOLUTION"] }, "180p30 360p30"],
    // There is no such picture: the best there is stands in for it.
    [{ renditionSelection: "CUSTOM", renditions: ["FULL_HD"] }, "360p30"],
    [{ renditionSelection: "NONE" }, ""],
  ];
  for (const [configuration, expected] of rows) {
    const { origin, channel, events, files, read, pictures } = await world(t, 0, configuration);
    publishDemo(channel, Date.now());
    const rendition = channel.beginRendition("180p", origin.now(), Date.now());
    publishDemo(rendition, Date.now(), (track) => (track.kind === "video" ? { ...track, width: 320, height: 180 } : track));
    rendition.end(origin.now());
    channel.end(origin.now());
    await until(() => events.includes("Recording End"));
    const folders = new Set(files().flatMap((path) => /media\/hls\/(\w+)\/\d+\.mp4/.exec(path)?.[1] ?? []));
    assert.equal([...folders].sort().join(" "), expected, JSON.stringify(configuration));
    const { media } = JSON.parse(read("recording-started.json")) as { media: { hls: { renditions: { path: string }[] } } };
    const listed = media.hls.renditions.map(({ path }) => path).sort();
    assert.equal(listed.join(" "), expected);
    assert.equal(pictures.length, 2);
    if (expected === "") continue;
    assert.equal([...read("master.m3u8").matchAll(/#EXT-X-STREAM-INF/g)].length, folders.size);
    assert.equal([...read("/playlist.m3u8").matchAll(/#EXTINF/g)].length, 3);
  }
});

/** The same picture in small. */
const small = (track: Track): Track => (track.kind === "video" ? { ...track, width: 320, height: 180 } : track);

/** Dates that the playlists of a rendition say, by recording. */
function dates(folder: string, files: () => string[], rendition: string): number[][] {
  const playlists = files().filter((path) => path.endsWith(`${rendition}/playlist.m3u8`));
  const texts = playlists.map((path) => readFileSync(join(folder, path), "utf8"));
  return texts.map((text) => [...text.matchAll(/PROGRAM-DATE-TIME:(.*)/g)].map(([, date]) => Date.parse(date!)));
}

test("a rendition that ends behind its stream is in the recording, which ends when it has", async (t) => {
  const { folder, origin, channel, events, told, files } = await world(t);
  const now = Date.now();
  publishDemo(channel, now);
  const rendition = channel.beginRendition("180p", origin.now(), now);
  channel.end(origin.now());
  await new Promise((done) => setTimeout(done, 100));
  assert.deepEqual(events, ["Recording Start"]);
  publishDemo(rendition, now, small);
  rendition.end(origin.now());
  await until(() => events.length === 2);
  assert.deepEqual(dates(folder, files, "180p30"), dates(folder, files, "360p30"));
  const recorded = told[1]!.detail!.recording_duration_ms!;
  assert.ok(Math.abs(Number(recorded) - 4000) < 50, String(recorded));
});

test("a rendition that ends when the next stream is there already comes before that one's in the same recording", async (t) => {
  const { folder, origin, channel, events, files, live } = await world(t, 60);
  const now = Date.now();
  publishDemo(channel, now);
  const before = channel.beginRendition("180p", origin.now(), now);
  channel.end(origin.now());
  channel.detachRendition("180p");
  publishDemo(channel, now + 60_000);
  const after = channel.beginRendition("180p", origin.now(), now);
  publishDemo(after, now + 60_000, small);
  after.end(origin.now());
  publishDemo(before, now, small);
  before.end(origin.now());
  channel.end(origin.now());
  await live.close();
  assert.deepEqual(events, ["Recording Start", "Recording End"]);
  const [own, others] = [dates(folder, files, "360p30"), dates(folder, files, "180p30")];
  assert.equal(own[0]!.length, 6);
  assert.deepEqual(others, own);
  const names = files().flatMap((path) => /180p30\/(init.*)/.exec(path)?.[1] ?? []);
  assert.deepEqual(names, ["init-0.mp4", "init-1.mp4"]);
});

test("a rendition that ends when another recording has begun is in its own, which ends then", async (t) => {
  const { folder, origin, channel, events, told, files } = await world(t, 60);
  const now = Date.now();
  publishDemo(channel, now);
  const before = channel.beginRendition("180p", origin.now(), now);
  channel.end(origin.now());
  channel.detachRendition("180p");
  publishDemo(channel, now + 60_000, (track) => (track.kind === "video" ? { ...track, width: 426, height: 240 } : track));
  await until(() => events.length === 2);
  assert.deepEqual(events, ["Recording Start", "Recording Start"]);
  publishDemo(before, now, small);
  before.end(origin.now());
  await until(() => events.length === 3);
  assert.deepEqual([events[2], told[2]!.streamId], ["Recording End", told[0]!.streamId]);
  assert.deepEqual(dates(folder, files, "180p30"), dates(folder, files, "360p30"));
  channel.end(origin.now());
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

test("a recording whose stream had ended when the process died is ended by the next one", async (t) => {
  const { installation, folder, origin, channel, live, events, files, read } = await world(t, 60);
  const ends = (): number => files().filter((path) => path.endsWith("recording-ended.json")).length;
  publishDemo(channel, Date.now());
  channel.end(origin.now());
  const listed = (): boolean => files().some((path) => path.endsWith(RANGES)) && read(RANGES).includes("2.mp4");
  // The last that is written of a segment: what a dead process writes does not meet what the next one does.
  await until(() => events.length === 1 && listed());
  await live.sessions.settled();
  assert.equal(ends(), 0);
  // It waits for the encoder to come back, and another process begins as if it were dead.
  await originUnder(t, installation, { storage: new FolderStorage(folder) });
  await until(() => ends() === 1);
});

test("a recording that a dead process left plays to its end", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-recording-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const prefix = "ivs/v1/1/c/2026/11/21/1/1/r";
  mkdirSync(join(folder, "shows", prefix, "media/hls/360p30"), { recursive: true });
  writeFileSync(join(folder, "shows", prefix, "media/hls/master.m3u8"), "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n360p30/playlist.m3u8\n");
  writeFileSync(join(folder, "shows", prefix, "media/hls/360p30/playlist.m3u8"), "#EXTM3U\n#EXTINF:2,\n0.mp4\n");
  const storage = new FolderStorage(folder);
  assert.equal(await finishRecording(storage, "shows", prefix, Date.now()), true);
  assert.equal(await finishRecording(storage, "shows", prefix, Date.now() + 1), false, "it was ended already");
  const text = readFileSync(join(folder, "shows", prefix, "media/hls/360p30/playlist.m3u8"), "utf8");
  assert.equal(text, "#EXTM3U\n#EXTINF:2,\n0.mp4\n#EXT-X-ENDLIST\n");
  const ended = readFileSync(join(folder, "shows", prefix, "events/recording-ended.json"), "utf8");
  assert.equal((JSON.parse(ended) as { media: { hls: { duration_ms: number } } }).media.hls.duration_ms, 2000);
  assert.equal(await finishRecording(storage, "shows", "nothing", Date.now()), false);
});
