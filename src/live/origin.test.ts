import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import type { Log } from "../host/log.ts";
import { liveConfig } from "./config.ts";
import { delivery } from "./delivery.ts";
import { Origin } from "./origin.ts";
import { TestEncoder } from "./testing/encoder.ts";
import { TestLoop } from "./testing/loop.ts";

const key = "demo-key-0001";

function world(options: object = {}) {
  const lines: { level: string; facts: object; text: string }[] = [];
  const log = (context: object): Log => {
    const write = (level: string) => (facts: object, text: string) => lines.push({ level, facts: { ...context, ...facts }, text });
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (facts) => log({ ...context, ...facts }),
    };
  };
  const loop = new TestLoop();
  const origin = new Origin(
    liveConfig.parse({ channels: { demo: key, other: "other-key-01" }, ...options }),
    loop,
    log({}),
    () => 1_795_262_400_000 + loop.time,
  );
  origin.listen({ host: "127.0.0.1", port: 1935 });
  const channel = origin.channels.get("demo")!;
  const warnings = (): string[] => lines.filter(({ level }) => level === "warn").map(({ text }) => text);
  return { loop, origin, channel, lines, warnings };
}

const refusal = (encoder: TestEncoder): string | undefined =>
  encoder.events.map((event) => (event.kind === "refused" ? event.code : event.kind)).at(-1);

test("an encoder with the channel's key is on the air; what it sends can be fetched", async () => {
  const { loop, origin, channel } = world();
  const encoder = new TestEncoder(loop, key);
  assert.equal(refusal(encoder), "accepted");
  encoder.play(3500);
  assert.deepEqual([channel.live, channel.tracks.map(({ codec }) => codec.split(".")[0])], [true, ["avc1", "mp4a"]]);
  const media = await (await delivery(origin).request("/live/demo/media.m3u8")).text();
  assert.match(media, /#EXT-X-PART-INF:PART-TARGET=0.202\n/);
  assert.match(media, /PROGRAM-DATE-TIME:2026-11-21T12:00:00/);
  assert.equal(media.match(/#EXT-X-PART:DURATION=0.[12]\d+/g)?.length, 17);
  assert.deepEqual(
    [channel.segmenter?.counters.partsShort, channel.segmenter?.counters.partsLong, channel.segmenter?.counters.discontinuities],
    [0, 0, 0],
  );
});

test("a viewer's wish for a key frame is counted, and reaches an encoder that can be asked, as long as it is there", () => {
  const { channel } = world();
  let asked = 0;
  channel.start(0, () => asked++);
  channel.requestKeyFrame();
  channel.end(0);
  channel.requestKeyFrame();
  channel.start(0);
  channel.requestKeyFrame();
  assert.deepEqual([asked, channel.counters.keyFrameRequests], [1, 3]);
});

test("a wrong key is refused with a reason, in one line that names the peer and not the key", () => {
  const { loop, origin, lines, warnings } = world();
  const encoder = new TestEncoder(loop, "wrong-key-0001");
  assert.equal(refusal(encoder), "NetStream.Publish.Denied");
  assert.deepEqual(warnings(), ["encoder refused: no channel has this stream key"]);
  assert.deepEqual(lines.at(-1)?.facts, { peer: "192.0.2.1:40001", reason: "key" });
  assert.doesNotMatch(JSON.stringify(lines), /wrong-key|demo-key/);
  assert.deepEqual([encoder.connection.shutdown, encoder.connection.closed], [true, false]);
  loop.pass(2000);
  assert.equal(encoder.connection.closed, true);
  assert.deepEqual(origin.ingest, { port: 1935, connections: 0, accepted: 1, refused: { key: 1 } });
});

test("a second encoder of a live channel is refused, and the first goes on", () => {
  const { loop, channel, warnings } = world();
  const first = new TestEncoder(loop, key);
  first.play(1000);
  const second = new TestEncoder(loop, key);
  assert.equal(refusal(second), "NetStream.Publish.BadName");
  first.play(2000);
  assert.equal(channel.live, true);
  assert.deepEqual(warnings(), ["encoder refused: channel demo is being published to already"]);
  assert.equal(refusal(new TestEncoder(loop, "other-key-01")), "accepted");
});

test("an encoder that fell silent is taken over by the one that comes back, as a discontinuity", () => {
  const { loop, channel } = world({ takeover: 5 });
  const first = new TestEncoder(loop, key);
  first.play(1500);
  loop.pass(4900);
  assert.equal(refusal(new TestEncoder(loop, key)), "NetStream.Publish.BadName");
  loop.pass(200);
  const back = new TestEncoder(loop, key);
  assert.equal(refusal(back), "accepted");
  back.play(1500);
  first.pump();
  assert.equal(refusal(first), "NetStream.Failed");
  assert.deepEqual(channel.window.listed.map(({ discontinuity }) => discontinuity).filter(Boolean), [true]);
  assert.equal(channel.live, true);
});

test("an encoder of a higher priority takes a channel over at once, and gives it back to none of the same or a lower one", () => {
  const { loop, channel, warnings } = world();
  const first = new TestEncoder(loop, key);
  first.play(1500);
  const main = new TestEncoder(loop, `${key}?priority=2`);
  assert.equal(refusal(main), "accepted");
  main.play(1500);
  first.pump();
  assert.equal(refusal(first), "NetStream.Failed");
  for (const wrong of ["", "?priority=1", "?priority=2", "?priority=0", "?priority=2147483648", "?priority=high", "?other=1"])
    assert.equal(refusal(new TestEncoder(loop, `${key}${wrong}`)), "NetStream.Publish.BadName", wrong);
  assert.match(warnings().at(-2)!, /already; priority must be more than 2 and at most 2147483647$/);
  assert.equal(channel.live, true);
  const third = new TestEncoder(loop, `${key}?a=b&priority=2147483647`);
  assert.equal(refusal(third), "accepted");
  third.play(500);
  assert.deepEqual(channel.window.listed.map(({ discontinuity }) => discontinuity).filter(Boolean).length, 2);
});

test("a stream that ends leaves the channel off the air, and the next goes on under higher numbers", () => {
  const { loop, channel } = world();
  const first = new TestEncoder(loop, key);
  first.play(2500);
  first.stop();
  assert.equal(channel.live, false);
  const { nextMsn } = channel.window;
  loop.pass(1000);
  const second = new TestEncoder(loop, key);
  second.play(500);
  assert.equal(channel.window.nextMsn, nextMsn);
  assert.equal(channel.window.segment(nextMsn)?.discontinuity, true);
  second.connection.break("ECONNRESET");
  assert.equal(channel.live, false);
});

test("a codec nobody can play is refused in words", () => {
  const { loop, warnings, channel } = world();
  const encoder = new TestEncoder(loop, key);
  encoder.videoHeader = 0x12;
  encoder.play(200);
  assert.equal(refusal(encoder), "NetStream.Failed");
  assert.match(warnings()[0]!, /^encoder refused: video codec 2/);
  assert.equal(channel.live, false);
});

test("silence and dawdling end: the time to publish, then the time between bytes", () => {
  const { loop, origin, warnings } = world({ publishwait: 10, idle: 30 });
  loop.dial();
  loop.pass(9900);
  assert.equal(origin.ingest.connections, 1);
  loop.pass(200 + 2000);
  assert.equal(origin.ingest.connections, 0);
  const encoder = new TestEncoder(loop, key);
  encoder.play(1000);
  loop.pass(29_000);
  assert.equal(origin.ingest.connections, 1);
  loop.pass(1100 + 2000);
  assert.equal(origin.ingest.connections, 0);
  assert.equal(warnings().length, 2);
});

test("more connections than allowed are not let in", () => {
  const { loop, origin } = world({ connections: 2 });
  const connections = [loop.dial(), loop.dial(), loop.dial()];
  assert.deepEqual(
    connections.map(({ closed }) => closed),
    [false, false, true],
  );
  assert.deepEqual(origin.ingest.refused, { connections: 1 });
});

test("bytes that are not RTMP end the connection, whatever they are (seed 1)", () => {
  const { loop, origin, warnings } = world();
  const random = new Prng(1);
  for (let i = 0; i < 50; i++) {
    const connection = loop.dial();
    connection.send(random.fill(new Uint8Array(1 + random.below(4000))));
    connection.send(random.fill(new Uint8Array(1 + random.below(4000))));
    if (random.chance(0.5)) connection.end();
  }
  loop.pass(15_000);
  assert.equal(origin.ingest.connections, 0);
  assert.ok(warnings().length > 0 && warnings().every((text) => text.startsWith("encoder's connection failed: ")));
});

test("an encoder that does not read its answers waits for them, nothing is lost", () => {
  const { loop } = world();
  const connection = loop.dial();
  connection.window = 100;
  const hello = new Uint8Array(1537);
  hello[0] = 3;
  connection.send(hello);
  assert.equal(connection.received().length, 100);
  connection.open(1000);
  assert.equal(connection.received().length, 1000);
  connection.open(Number.POSITIVE_INFINITY);
  assert.equal(connection.received().length, 1 + 1536 + 1536 - 1100);
});

test("at the stop of the program every encoder is let go", () => {
  const { loop, origin, channel } = world();
  const encoder = new TestEncoder(loop, key);
  encoder.play(1000);
  origin.close();
  assert.deepEqual([encoder.connection.closed, origin.ingest.connections, channel.live], [true, 0, false]);
  assert.equal(loop.dial().closed, true);
});
