import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { FlvLoop } from "../flv/loop.ts";
import { AUDIO, SCRIPT, VIDEO } from "../flv/tag.ts";
import { FlvToUnit } from "../flv/to-unit.ts";
import type { RtmpEvent } from "./event.ts";
import { parseMetadata } from "./metadata.ts";
import { RtmpPublisher, type RtmpPublisherOptions } from "./publisher.ts";
import { RtmpServer } from "./server.ts";
import { pump } from "./testing/pump.ts";

const file = new Uint8Array(readFileSync(join(import.meta.dirname, "../../../assets/demo.flv")));
const noise = new Prng(7).fill(new Uint8Array(1528));
const options: RtmpPublisherOptions = { random: noise, app: "live/", key: "sk_demo?priority=2", tcUrl: "rtmp://host:1935/live/" };

for (const [name, piece] of [
  ["byte by byte", () => () => 1],
  ["in random pieces", (seed: number) => pieces(seed)],
  ["in large pieces", () => () => 65_536],
] as const) {
  test(`publishes half a second of the demo and ends, ${name}`, () => {
    const seed = 0x17;
    const { publisher, server, media } = publish(piece(seed), 500);
    assert.deepEqual(publisher.event(), { kind: "accepted" });
    assert.deepEqual(
      media.events.map(({ kind }) => kind),
      ["publish", "unpublish"],
      `seed ${seed}`,
    );
    assert.deepEqual(media.events[0], { kind: "publish", app: "live", key: "sk_demo?priority=2", tcUrl: "rtmp://host:1935/live/" });
    const loop = new FlvLoop(file);
    for (const [type, timestamp, payload] of media.messages) {
      const tag = loop.next(timestamp === 0 && loop.deadline() > 1e9 ? 0 : 500);
      assert.ok(tag);
      assert.deepEqual([type, timestamp], [tag.type, tag.timestamp]);
      if (type !== SCRIPT) assert.deepEqual(payload, tag.payload);
      else assert.deepEqual(parseMetadata(payload)?.width, 640);
    }
    assert.equal(media.messages.length, 3 + 16 + 16);
    assert.equal(server.state, "connected");
    assert.equal(server.heldBytes, 0);
    assert.deepEqual([server.stats.damagedMessages, server.stats.unknownCommands, server.stats.ignoredMessages], [0, 0, 0]);
    assert.equal(publisher.droppedTags, 0);
  });
}

test("what arrives makes the tracks and units that were sent", () => {
  const { media } = publish(pieces(3), 4000);
  const converter = new FlvToUnit();
  for (const [type, timestamp, payload] of media.messages) converter.receive(type, timestamp, payload, 0);
  assert.deepEqual(
    [converter.stats.videoUnits, converter.stats.audioUnits, converter.stats.damaged, converter.stats.early],
    [121, 126, 0, 0],
  );
});

test("a full outbox drops whole tags and the connection lives on", () => {
  const publisher = new RtmpPublisher({ ...options, limits: { outboxBytesMax: 10_000 } });
  const server = new RtmpServer({ random: noise });
  pump(
    publisher,
    server,
    () => 4096,
    () => void acceptAll(server),
  );
  assert.equal(publisher.send(VIDEO, 0, new Uint8Array(6000).fill(0x27)), true);
  assert.equal(publisher.send(VIDEO, 33, new Uint8Array(6000).fill(0x27)), false);
  assert.equal(publisher.send(AUDIO, 33, new Uint8Array(100).fill(0xaf)), true);
  assert.deepEqual([publisher.droppedTags, publisher.stats.outboxLimitHits], [1, 1]);
  const seen: number[] = [];
  pump(
    publisher,
    server,
    () => 4096,
    () => void seen.push(...acceptAll(server)),
  );
  assert.deepEqual(seen, [6000, 100]);
  assert.equal(publisher.state, "publishing");
});

for (const [refuse, code] of [
  ["NetStream.Publish.BadName", "NetStream.Publish.BadName"],
  ["NetConnection.Connect.Rejected", "NetConnection.Connect.Rejected"],
] as const) {
  test(`a publisher that is turned away hears ${code}`, () => {
    const publisher = new RtmpPublisher(options);
    const server = new RtmpServer({ random: noise });
    pump(publisher, server, pieces(5), () => {
      if (server.event()?.kind === "publish") server.refuse(0, refuse, "no such stream key");
    });
    assert.deepEqual(publisher.event(), { kind: "refused", code, description: "no such stream key" });
    assert.equal(publisher.send(VIDEO, 0, Uint8Array.of(0x17)), false);
    assert.equal(server.state, "refused");
    assert.equal(server.event(), undefined);
    assert.equal(server.accept(0), false);
  });
}

test("a codec that cannot be carried ends the stream with a sentence the publisher reads", () => {
  const { publisher, server } = publish(() => 65_536, -1);
  publisher.event();
  publisher.send(VIDEO, 0, Uint8Array.of(0x90, 0x76, 0x76, 0x63, 0x31, 1));
  const converter = new FlvToUnit();
  pump(
    publisher,
    server,
    () => 65_536,
    () => {
      const event = server.event();
      if (event?.kind !== "media") return;
      converter.receive(event.message.type, event.message.timestamp, event.message.payload, 0);
      const result = converter.event();
      if (result?.kind === "failed") server.refuse(0, "NetStream.Failed", result.error.message);
    },
  );
  assert.deepEqual(publisher.event(), {
    kind: "refused",
    code: "NetStream.Failed",
    description: "video codec vvc1 (VVC) is not supported; publish H.264, HEVC or AV1",
  });
});

test("a server that is none, or never answers, ends the publisher with a reason", () => {
  const stranger = new RtmpPublisher(options);
  stranger.receive(0, Buffer.from("HTTP/1.1 400 Bad Request\r\n"), 0, 26);
  const event = stranger.event();
  assert.equal(event?.kind === "failed" && event.error.code, "rtmp.handshake.version");
  const silent = new RtmpPublisher(options);
  silent.advance(100);
  assert.equal(silent.deadline(), 15_100);
  silent.advance(15_099);
  assert.equal(silent.event(), undefined);
  silent.advance(15_100);
  const timeout = silent.event();
  assert.equal(timeout?.kind === "failed" && timeout.error.code, "rtmp.timeout.setup");
});

function pieces(seed: number): () => number {
  const random = new Prng(seed);
  return () => 1 + random.below(random.chance(0.2) ? 20_000 : 40);
}

interface Received {
  readonly events: RtmpEvent[];
  readonly messages: (readonly [number, number, Uint8Array])[];
}

/** A whole session: the demo up to `untilMillis`, then the end in order; −1: nothing is sent and the session stays. */
function publish(piece: () => number, untilMillis: number): { publisher: RtmpPublisher; server: RtmpServer; media: Received } {
  const publisher = new RtmpPublisher(options);
  const server = new RtmpServer({ random: noise });
  const media: Received = { events: [], messages: [] };
  const take = () => {
    for (let event = server.event(); event !== undefined; event = server.event()) {
      if (event.kind === "media") media.messages.push([event.message.type, event.message.timestamp, event.message.payload]);
      else media.events.push(event);
      if (event.kind === "publish") server.accept(0);
    }
  };
  pump(publisher, server, piece, take);
  if (untilMillis < 0) return { publisher, server, media };
  const loop = new FlvLoop(file);
  loop.next(0);
  loop.restart();
  for (let tag = loop.next(0); tag !== undefined; tag = loop.next(untilMillis)) {
    assert.equal(publisher.send(tag.type, tag.timestamp, tag.payload), true);
    if (publisher.queuedBytes > 100_000) pump(publisher, server, piece, take);
  }
  publisher.close(0);
  pump(publisher, server, piece, take);
  return { publisher, server, media };
}

/** Accepts every request and answers the lengths of the media. */
function acceptAll(server: RtmpServer): number[] {
  const lengths: number[] = [];
  for (let event = server.event(); event !== undefined; event = server.event()) {
    if (event.kind === "publish") server.accept(0);
    if (event.kind === "media") lengths.push(event.message.payload.length);
  }
  return lengths;
}
