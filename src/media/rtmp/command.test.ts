/** The server's answers to commands one by one, beyond what a well-behaved publisher sends (server.test.ts). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { AUDIO, SCRIPT, VIDEO } from "../flv/tag.ts";
import { type Amf0, amf0Object } from "./amf0.ts";
import { commandPayload, parseCommand } from "./command.ts";
import type { RtmpLimits } from "./limits.ts";
import { messageType, u32Payload, userControlPayload } from "./message.ts";
import { RtmpServer } from "./server.ts";
import { RawClient } from "./testing/raw-client.ts";

test("connect announces windows and chunk size and succeeds; an enhanced client hears what we carry", () => {
  const client = newClient();
  const plain = { app: "live", tcUrl: "rtmp://host/live", objectEncoding: 3 };
  client.command(
    0,
    "connect",
    1,
    amf0Object({ ...plain, fourCcList: ["hvc1", "av01"], videoFourCcInfoMap: amf0Object({ "*": 1 }), capsEx: 3 }),
  );
  const [answer] = client.answers;
  assert.deepEqual([answer?.name, answer?.transaction], ["_result", 1]);
  assert.deepEqual(
    answer?.arguments[0],
    amf0Object({
      level: "status",
      code: "NetConnection.Connect.Success",
      description: "Connected.",
      objectEncoding: 0,
      fourCcList: ["avc1", "hvc1", "av01", "mp4a", "Opus"],
      videoFourCcInfoMap: amf0Object({ avc1: 4, hvc1: 4, av01: 4 }),
      capsEx: 6,
    }),
  );
  const old = newClient();
  old.command(0, "connect", 1, amf0Object(plain));
  const information = old.answers[0]?.arguments[0];
  assert.ok(information !== null && typeof information === "object" && "fields" in information && !information.fields.has("fourCcList"));
});

test("answers the commands of Flash Media Live Encoder, and those it does not know", () => {
  const client = newClient();
  client.command(0, "createStream", 9, null);
  assert.deepEqual(client.heard(), ["_error 9 NetConnection.Call.Failed"], "connect comes first");
  client.command(0, "connect", 1, amf0Object({ app: "live" }));
  client.command(0, "connect", 2, amf0Object({ app: "live" }));
  client.command(0, "releaseStream", 3, null, "key");
  client.command(0, "FCPublish", 4, null, "key");
  client.command(0, "createStream", 5, null);
  client.command(0, "_checkbw", 6, null);
  client.command(0, "getStreamLength", 7, null, "key");
  client.command(0, "somethingElse", 0, null);
  assert.deepEqual(client.heard(), [
    "_result 1 NetConnection.Connect.Success",
    "_error 2 NetConnection.Call.Failed",
    "_result 3 undefined",
    "_result 4 undefined",
    "_result 5 1",
    "_result 6 undefined",
    "_error 7 NetConnection.Call.Failed",
  ]);
  assert.equal(client.server.stats.unknownCommands, 2);
  client.command(1, "publish", 8, null, "key", "live");
  assert.deepEqual(client.heard(), [], "nothing is promised before the key was looked up");
  assert.equal(client.server.event()?.kind, "publish");
  client.server.accept(0);
  client.exchange();
  assert.deepEqual(client.heard(), ["onFCPublish 0 NetStream.Publish.Start", "onStatus 0 NetStream.Publish.Start"]);
});

test("playing is refused clearly", () => {
  const client = newClient();
  client.command(0, "connect", 1, amf0Object({ app: "live" }));
  client.command(0, "createStream", 2, null);
  client.heard();
  client.command(1, "play", 3, null, "key");
  assert.match(String(description(client)), /watched over HLS or WHEP/);
  assert.deepEqual(client.heard(), ["onStatus 0 NetStream.Play.Failed"]);
});

const wrongRequests: readonly (readonly [string, number, Amf0, string])[] = [
  ["on a stream nobody created", 2, "key", "_error 3 NetConnection.Call.Failed"],
  ["on stream 0", 0, "key", "_error 3 NetConnection.Call.Failed"],
  ["without a name", 1, "", "onStatus 0 NetStream.Publish.BadName"],
  ["with a number for a name", 1, 7, "onStatus 0 NetStream.Publish.BadName"],
  ["with an endless name", 1, "k".repeat(1025), "onStatus 0 NetStream.Publish.BadName"],
];

for (const [name, streamId, key, heard] of wrongRequests) {
  test(`a request to publish ${name} is turned away`, () => {
    const client = newClient();
    client.command(0, "connect", 1, amf0Object({ app: "live" }));
    client.command(0, "createStream", 2, null);
    client.heard();
    client.command(streamId, "publish", 3, null, key, "live");
    assert.deepEqual(client.heard(), [heard]);
    assert.equal(client.server.event(), undefined);
  });
}

test("media wait for accept, in order, and are forgotten when their publisher leaves before", () => {
  const client = newClient();
  client.publish("first");
  client.message(VIDEO, 1, Uint8Array.of(0x17), 5);
  assert.equal(client.server.event()?.kind, "publish");
  assert.equal(client.server.event(), undefined);
  client.command(0, "deleteStream", 4, null, 1);
  assert.equal(client.server.accept(0), false, "it has left");
  assert.deepEqual([client.server.event()?.kind, client.server.event(), client.server.heldBytes], ["unpublish", undefined, 0]);

  client.command(0, "createStream", 5, null);
  client.command(2, "publish", 6, null, "second", "live");
  client.message(SCRIPT, 0, Uint8Array.of(2, 0, 1, 0x61), 1);
  client.message(AUDIO, 2, Uint8Array.of(0xaf), 7);
  client.message(AUDIO, 1, Uint8Array.of(0xaf), 8);
  assert.equal(client.server.event()?.kind, "publish");
  assert.equal(client.server.event(), undefined);
  assert.equal(client.server.accept(0), true);
  client.message(AUDIO, 2, Uint8Array.of(0xae), 9);
  const times: number[] = [];
  for (let event = client.server.event(); event?.kind === "media"; event = client.server.event()) times.push(event.message.timestamp);
  assert.deepEqual(times, [1, 7, 9]);
  assert.equal(client.server.stats.ignoredMessages, 1, "stream 1 is closed");
});

test("one stream at a time; a closed one makes room", () => {
  const client = publishing();
  client.command(0, "createStream", 4, null);
  client.command(2, "publish", 5, null, "other", "live");
  assert.deepEqual(client.heard(), ["_result 4 2", "onStatus 0 NetStream.Publish.BadName"]);
  client.command(1, "closeStream", 0, null);
  assert.deepEqual(client.heard(), ["onStatus 0 NetStream.Unpublish.Success"]);
  client.command(2, "publish", 6, null, "other", "live");
  assert.deepEqual([client.server.event()?.kind, client.server.event()?.kind], ["unpublish", "publish"]);
});

test("aggregate messages come apart with times from the first", () => {
  const client = publishing();
  const tag = (type: number, time: number, value: number) => [type, 0, 0, 1, 0, 0, time, 0, 0, 0, 0, value, 0, 0, 0, 12];
  client.message(messageType.aggregate, 1, Uint8Array.from([...tag(AUDIO, 100, 0xaf), ...tag(VIDEO, 133, 0x27), ...tag(19, 0, 0)]), 5000);
  const seen: unknown[] = [];
  for (let event = client.server.event(); event?.kind === "media"; event = client.server.event()) {
    seen.push([event.message.type, event.message.timestamp, ...event.message.payload]);
  }
  assert.deepEqual(seen, [
    [AUDIO, 5000, 0xaf],
    [VIDEO, 5033, 0x27],
  ]);
  client.message(messageType.aggregate, 1, Uint8Array.of(AUDIO, 0, 0, 9, 0));
  assert.equal(client.server.stats.damagedMessages, 1);
});

test("commands in AMF3 envelopes, and damaged ones", () => {
  const payload = commandPayload("createStream", 4, null);
  assert.equal(parseCommand(messageType.commandAmf3, Uint8Array.of(0, ...payload))?.name, "createStream");
  const client = publishing();
  client.message(messageType.command, 0, payload.subarray(0, 9));
  client.message(messageType.command, 0, Uint8Array.of(5));
  client.message(messageType.userControl, 0, Uint8Array.of(0));
  client.message(messageType.acknowledgement, 0, Uint8Array.of(0, 1));
  assert.equal(client.server.stats.damagedMessages, 4);
  client.message(messageType.userControl, 0, userControlPayload(6, 99));
  client.message(messageType.setChunkSize, 0, u32Payload(0));
  const failed = client.server.event();
  assert.equal(failed?.kind === "failed" && failed.error.code, "rtmp.chunk.size");
});

test("received bytes are acknowledged once a window, however small the peer asks for it", () => {
  const client = publishing();
  client.message(messageType.windowAcknowledgementSize, 0, u32Payload(1));
  const bytes = client.server.stats.receivedBytes;
  for (let i = 0; i < 100; i++) client.message(AUDIO, 1, new Uint8Array(1000));
  const acknowledged = (client.server.stats.receivedBytes - bytes) / 4096;
  assert.ok(
    client.connection.stats.receivedMessages > acknowledged * 0.7 && client.connection.stats.receivedMessages < acknowledged * 1.3 + 10,
  );
});

const floods: readonly (readonly [string, Partial<RtmpLimits>, (client: RawClient) => void, string])[] = [
  ["events nobody takes", { eventsMax: 50 }, (client) => repeat(100, () => client.message(AUDIO, 1, Uint8Array.of(0xaf))), "rtmp.events"],
  [
    "media nobody takes",
    { eventBytesMax: 5000 },
    (client) => repeat(10, () => client.message(AUDIO, 1, new Uint8Array(1000))),
    "rtmp.events",
  ],
  ["a command too long", { commandBytesMax: 1000 }, (client) => client.command(0, "x".repeat(1000), 1, null), "rtmp.command.length"],
];

for (const [name, limits, flood, code] of floods) {
  test(`a flood ends the connection: ${name}`, () => {
    const client = publishing(limits);
    flood(client);
    let event = client.server.event();
    while (event?.kind === "media") event = client.server.event();
    assert.equal(event?.kind === "failed" && event.error.code, code);
    assert.equal(client.server.event(), undefined);
    assert.equal(client.server.heldBytes, 0);
  });
}

test("a peer that asks and never reads is cut off", () => {
  const client = publishing({ outboxBytesMax: 8192 });
  const ask = commandPayload("_checkbw", 4, null);
  const bytes: number[] = [];
  for (let i = 0; i < 1000; i++) bytes.push(3, 0, 0, 0, 0, 0, ask.length, 20, 0, 0, 0, 0, ...ask);
  client.server.receive(0, Uint8Array.from(bytes), 0, bytes.length);
  const event = client.server.event();
  assert.equal(event?.kind === "failed" && event.error.code, "rtmp.outbox");
  assert.ok(client.server.heldBytes <= 8192);
});

test("too many streams are an error, not the end", () => {
  const client = publishing({ netStreamsMax: 2 });
  client.command(0, "createStream", 4, null);
  client.command(0, "createStream", 5, null);
  assert.deepEqual(client.heard(), ["_result 4 2", "_error 5 NetConnection.Call.Failed"]);
  assert.deepEqual([client.server.stats.netStreamLimitHits, client.server.state], [1, "publishing"]);
});

test("slow setups and silent publishers end; the one who is asked may take his time", () => {
  const slow = new RtmpServer({ random: noise });
  slow.receive(1000, Uint8Array.of(3), 0, 1);
  assert.equal(slow.deadline(), 16_000);
  slow.advance(15_999);
  assert.equal(slow.event(), undefined);
  slow.advance(16_000);
  const setup = slow.event();
  assert.deepEqual(setup?.kind === "failed" && [setup.error.code, slow.stats.timeouts], ["rtmp.timeout.setup", 1]);

  const client = newClient();
  client.publish("key");
  assert.equal(client.server.deadline(), Number.POSITIVE_INFINITY);
  client.server.event();
  client.server.accept(20_000);
  assert.equal(client.server.deadline(), 50_000);
  client.server.advance(50_000);
  const idle = client.server.event();
  assert.equal(idle?.kind === "failed" && idle.error.code, "rtmp.timeout.idle");
});

const noise = new Prng(11).fill(new Uint8Array(1528));

function newClient(limits: Partial<RtmpLimits> = {}): RawClient {
  return new RawClient(new RtmpServer({ random: noise, limits }));
}

function publishing(limits: Partial<RtmpLimits> = {}): RawClient {
  const client = newClient(limits);
  client.publish("key");
  assert.equal(client.server.event()?.kind, "publish");
  assert.equal(client.server.accept(0), true);
  client.exchange();
  client.heard();
  return client;
}

function description(client: RawClient): Amf0 {
  const value = client.answers.at(-1)?.arguments[0];
  return typeof value === "object" && value !== null && "fields" in value ? value.fields.get("description") : undefined;
}

function repeat(times: number, what: () => void): void {
  for (let i = 0; i < times; i++) what();
}
