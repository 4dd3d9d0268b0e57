import assert from "node:assert/strict";
import { test } from "node:test";
import { delivery } from "./delivery.ts";
import type { Status } from "./status.ts";
import { TestSource } from "./testing/source.ts";

function world(options: { waitersMax?: number; offlineKeep?: number } = {}) {
  const source = new TestSource(options);
  const app = delivery(source, { extra: () => ({ links: [] }) });
  const get = (path: string, init: RequestInit = {}): Promise<Response> => Promise.resolve(app.request(`/live/demo/${path}`, init));
  return { source, app, get };
}

/** Lets promises that were resolved run on; true when `response` was among them. */
async function answered(response: Promise<Response>): Promise<boolean> {
  let done = false;
  void response.then(() => (done = true));
  for (let i = 0; i < 50; i++) await Promise.resolve();
  return done;
}

test("playlists and media have their types, may be read from everywhere and kept as long as they are right", async () => {
  const { source, get } = world();
  source.stream(5);
  const rows: readonly [path: string, type: string, cache: string][] = [
    ["index.m3u8", "application/vnd.apple.mpegurl", "max-age=1"],
    ["media.m3u8", "application/vnd.apple.mpegurl", "max-age=1"],
    ["media.m3u8?_HLS_msn=101&_HLS_part=2", "application/vnd.apple.mpegurl", "max-age=12"],
    ["init-0.mp4", "video/mp4", "public, max-age=3600, immutable"],
    ["100.m4s", "video/mp4", "public, max-age=3600, immutable"],
    ["101.3.m4s", "video/mp4", "public, max-age=3600, immutable"],
  ];
  for (const [path, type, cache] of rows) {
    const response = await get(path);
    const { headers, status } = response;
    assert.deepEqual(
      [status, headers.get("content-type"), headers.get("cache-control"), headers.get("access-control-allow-origin")],
      [200, type, cache, "*"],
      path,
    );
    assert.ok((await response.arrayBuffer()).byteLength > 100, path);
  }
});

test("renditions report each other's last part under the address that it has", async () => {
  const { source, app, get } = world();
  const [small, smaller] = [source.channel.rendition("480p"), source.channel.rendition("160p")];
  for (const rendition of [small, smaller]) rendition.start(source.time);
  source.channel.listeners.add({
    tracks: (tracks) => small.configure(tracks),
    unit: (unit) => small.push(source.time, unit),
    ended() {},
  });
  source.stream(3.05);
  const reports = async (path: string): Promise<[path: string, last: string][]> => {
    const text = await (await get(path)).text();
    const base = `http://origin/live/demo/${path}`;
    return [...text.matchAll(/^#EXT-X-RENDITION-REPORT:URI="(.+)",(.*)$/gm)].map(([, uri, last]) => [new URL(uri!, base).pathname, last!]);
  };
  assert.deepEqual(await reports("media.m3u8"), [["/live/demo/r/480p/media.m3u8", "LAST-MSN=1,LAST-PART=4"]], "160p has nothing yet");
  const [[path, last]] = (await reports("r/480p/media.m3u8")) as [[string, string]];
  const [, msn, part] = /LAST-MSN=(\d+),LAST-PART=(\d+)/.exec(last)!;
  assert.equal(path, "/live/demo/media.m3u8");
  const own = await (await app.request(path)).text();
  assert.match(own, new RegExp(`URI="${msn}\\.${part}\\.m4s"(,INDEPENDENT=YES)?\n#EXT-X-PRELOAD`));
});

test("a segment is the concatenation of its parts", async () => {
  const { source, get } = world();
  source.stream(5);
  const parts = await Promise.all(Array.from({ length: 10 }, async (_, i) => Buffer.from(await (await get(`100.${i}.m4s`)).arrayBuffer())));
  assert.deepEqual(Buffer.concat(parts), Buffer.from(await (await get("100.m4s")).arrayBuffer()));
});

test("a compressed playlist goes only to who can read it", async () => {
  const { source, get } = world();
  source.stream(1);
  const plain = await get("media.m3u8");
  assert.equal(plain.headers.get("content-encoding"), null);
  const packed = await get("media.m3u8", { headers: { "accept-encoding": "br, gzip" } });
  assert.equal(packed.headers.get("content-encoding"), "gzip");
  assert.equal(await packed.text(), `gzip:${(await plain.text()).length}`);
});

test("a reload that names the next part is answered when that part is there", async () => {
  const { source, get } = world();
  source.stream(1.05);
  const { nextMsn, nextPart } = source.channel.window;
  const waiting = get(`media.m3u8?_HLS_msn=${nextMsn}&_HLS_part=${nextPart}`);
  assert.equal(await answered(waiting), false);
  assert.equal(source.wakes, 1);
  source.stream(0.1);
  assert.equal(await answered(waiting), false);
  source.stream(0.1);
  assert.equal(await answered(waiting), true);
  assert.match(await (await waiting).text(), new RegExp(`"${nextMsn}\\.${nextPart}\\.m4s"`));
});

test("the hinted part is waited for and sent; one further ahead is not there", async () => {
  const { source, get } = world();
  source.stream(1);
  const hint = /PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(await (await get("media.m3u8")).text())![1]!;
  const waiting = get(hint);
  assert.equal(await answered(waiting), false);
  source.stream(0.3);
  assert.equal((await waiting).status, 200);
  assert.equal((await get(`100.${source.channel.window.nextPart + 1}.m4s`)).status, 404);
  assert.equal((await get("101.0.m4s")).status, 404);
});

test("nothing new for three target durations: 503, and a later request is as welcome", async () => {
  const { source, get } = world();
  source.stream(1);
  const waiting = get("media.m3u8?_HLS_msn=101");
  await answered(waiting);
  source.time += 5999;
  source.channel.advance(source.time);
  assert.equal(await answered(waiting), false);
  source.time += 1;
  source.channel.advance(source.time);
  const response = await waiting;
  assert.deepEqual([response.status, response.headers.get("cache-control"), response.headers.get("retry-after")], [503, "no-store", "1"]);
});

test("requests that cannot be right are refused: 400, 404", async () => {
  const { source, app, get } = world();
  source.stream(1);
  for (const query of ["_HLS_msn=abc", "_HLS_part=1", "_HLS_msn=500", "_HLS_msn=100&_HLS_part=99"]) {
    assert.equal((await get(`media.m3u8?${query}`)).status, 400, query);
  }
  for (const path of ["init-7.mp4", "99.m4s", "100.m4s", "100.99.m4s", "other.m3u8", "%2e%2e", "..%2f..%2fsecret", "100.0.m4s/x"]) {
    assert.equal((await get(path)).status, 404, path);
  }
  assert.equal((await app.request("/live/nobody/index.m3u8")).status, 404);
});

test("more requests than may wait are turned away, and those that hang up make room", async () => {
  const { source, get } = world({ waitersMax: 2 });
  source.stream(1);
  const hangUp = new AbortController();
  const query = "media.m3u8?_HLS_msn=101";
  const gone = get(query, { signal: hangUp.signal });
  const stays = get(query);
  assert.equal((await get(query)).status, 503);
  hangUp.abort();
  assert.equal((await gone).status, 503);
  const third = get(query);
  await answered(third);
  source.stream(4);
  assert.deepEqual([(await stays).status, (await third).status], [200, 200]);
});

test("a delta update is asked for by _HLS_skip", async () => {
  const { source, get } = world();
  source.stream(25);
  assert.match(await (await get("media.m3u8?_HLS_skip=YES")).text(), /#EXT-X-SKIP:SKIPPED-SEGMENTS=\d/);
  assert.doesNotMatch(await (await get("media.m3u8")).text(), /#EXT-X-SKIP/);
});

test("off the air and on again under the same address", async () => {
  const { source, get } = world({ offlineKeep: 20_000 });
  assert.equal((await get("index.m3u8")).status, 404);
  source.stream(3);
  source.channel.end(source.time);
  const offline = await (await get("media.m3u8")).text();
  assert.doesNotMatch(offline, /ENDLIST/);
  const { nextMsn } = source.channel.window;
  const waiting = get(`media.m3u8?_HLS_msn=${nextMsn}&_HLS_part=0`);
  assert.equal(await answered(waiting), false);
  source.time += 3000;
  source.stream(0.5);
  const again = await (await waiting).text();
  assert.match(again, new RegExp(`#EXT-X-DISCONTINUITY\\n#EXT-X-MAP:URI="init-1.mp4"\\n.*\\n#EXT-X-PART:.*"${nextMsn}\\.0\\.m4s"`));
  source.channel.end(source.time);
  source.time += 20_000;
  source.channel.advance(source.time);
  assert.equal(source.channel.window.bytesHeld, 0);
  assert.equal((await get("media.m3u8")).status, 404);
  source.stream(1);
  const third = await (await get("media.m3u8")).text();
  assert.match(third, new RegExp(`#EXT-X-MEDIA-SEQUENCE:${nextMsn + 1}\\n#EXT-X-DISCONTINUITY-SEQUENCE:1\\n`));
});

test("who comes before the first part of a stream waits for it", async () => {
  const { source, get } = world();
  source.stream(0.1);
  const early = get("index.m3u8");
  assert.equal(await answered(early), false);
  source.stream(0.3);
  assert.match(await (await early).text(), /CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360/);
});

test("the status tells what is on the air, and nothing secret", async () => {
  const { source, app } = world();
  source.stream(5, { frameBytes: 1000 });
  const status = (await (await app.request("/api/status")).json()) as Status;
  const [channel] = status.channels;
  assert.equal(status.now, source.wallClock());
  assert.deepEqual(status.extra, { links: [] });
  assert.deepEqual(
    [channel?.name, channel?.live, channel?.url, channel?.partTargetMs, channel?.tracks.map(({ codec }) => codec)],
    ["demo", true, "/live/demo/index.m3u8", 202, ["avc1.42c01e", "mp4a.40.2"]],
  );
  assert.ok(Math.abs(channel!.bitsPerSecond / ((30 * 1000 + 47 * 20) * 8) - 1) < 0.02, `${channel!.bitsPerSecond} bit/s`);
  source.channel.end(source.time);
  assert.equal(((await (await app.request("/api/status")).json()) as Status).channels[0]?.live, false);
});
