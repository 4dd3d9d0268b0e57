/** A stream's session as the API tells of it: begun, flowing, starving, ended; limits; and the same events at a webhook. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Ivs } from "@aws-sdk/client-ivs";
import { serveHttp } from "../../host/http.ts";
import { silentLog } from "../../host/log.ts";
import type { Channel } from "../../live/channel.ts";
import type { Publisher } from "../../live/publisher.ts";
import { Installation } from "../testing/installation.ts";
import { originUnder, publishDemo } from "../testing/origin.ts";
import type { StreamEvent } from "./events.ts";
import { SessionLog } from "./session-log.ts";
import { eventBridge, Webhooks } from "./webhooks.ts";

/** A clock that stands until it is moved. */
const begin = 1_790_000_000_000;

test("a session: events in order, what came in, no longer shown as live", async (t) => {
  let now = begin;
  const events: StreamEvent[] = [];
  const installation = await Installation.start(t, { now: () => now });
  const { origin, live } = await originUnder(t, installation, { sinks: [(event) => events.push(event)] });
  const ivs = new Ivs(await installation.client());
  const channelArn = (await ivs.createChannel({ name: "show" })).channel!.arn!;
  await live.changed();
  const id = channelArn.split("/")[1]!;
  const channel = origin.channels.get(id)!;
  publishDemo(channel, now);
  assert.equal(live.stream(id)?.health, "HEALTHY");
  now += 5000;
  live.tick();
  assert.equal(live.stream(id)?.health, "STARVING");
  publishUnit();
  live.tick();
  channel.end(origin.now());
  await live.sessions.settled();
  assert.equal(live.stream(id), undefined);
  const { streamSession } = await ivs.getStreamSession({ channelArn });
  assert.deepEqual(
    streamSession!.truncatedEvents!.map(({ name }) => name),
    ["Session Ended", "Stream End", "Starvation End", "Starvation Start", "Stream Start", "Session Created"],
  );
  assert.deepEqual(
    events.map(({ name }) => name).toReversed(),
    streamSession!.truncatedEvents!.map(({ name }) => name),
  );
  assert.equal(streamSession!.channel!.name, "show");
  assert.equal(streamSession!.ingestConfiguration!.video!.videoWidth, 640);
  assert.equal(streamSession!.startTime!.getTime(), begin);
  assert.equal(streamSession!.endTime!.getTime(), now);
  const { streamSessions } = await ivs.listStreamSessions({ channelArn });
  assert.deepEqual(
    streamSessions!.map(({ streamId, hasErrorEvent }) => [streamId, hasErrorEvent]),
    [[streamSession!.streamId, true]],
  );

  /** Something comes again, as after a stall. */
  function publishUnit(): void {
    channel.push(origin.now(), { kind: "video", dts: 9_000_000, pts: 9_000_000, keyframe: true, data: new Uint8Array(100), arrival: now });
  }
});

test("who takes over from a silent encoder, who is refused, and a stream that never came are told of", async (t) => {
  let now = begin;
  const installation = await Installation.start(t, { now: () => now });
  const { origin, live } = await originUnder(t, installation);
  const ivs = new Ivs(await installation.client());
  const { channel: made, streamKey } = await ivs.createChannel({ insecureIngest: true });
  const channelArn = made!.arn!;
  await live.changed();
  const channel = origin.channels.get(channelArn.split("/")[1]!)!;
  const encoder = (heard: number): Publisher => ({
    ...{ address: "192.0.2.1", secure: false, protocol: "rtmp", heard },
    refuse: () => channel.end(origin.now()),
  });
  const admit = (heard: number) => origin.admit(encoder(heard), streamKey!.value!, origin.now());
  const silent = origin.now() - 60_000;
  assert.equal(admit(silent), channel);
  channel.start(now);
  assert.equal(admit(origin.now()), channel, "the first has fallen silent");
  channel.start(now);
  for (let i = 0; i < 3; i++) assert.ok("reason" in admit(origin.now()));
  now += 61_000;
  assert.ok("reason" in origin.admit(encoder(origin.now()), `${streamKey!.value!}?priority=0`, origin.now()));
  channel.push(origin.now(), { kind: "video", dts: 0, pts: 0, keyframe: true, data: new Uint8Array(100), arrival: now });
  channel.end(origin.now());
  await live.sessions.settled();
  const names = async (streamId?: string): Promise<readonly string[]> =>
    (await ivs.getStreamSession({ channelArn, ...(streamId === undefined ? {} : { streamId }) }))
      .streamSession!.truncatedEvents!.map(({ name }) => name!)
      .toReversed();
  const { streamSessions } = await ivs.listStreamSessions({ channelArn });
  assert.equal(streamSessions!.length, 2);
  const all = await Promise.all(streamSessions!.map(({ streamId }) => names(streamId)));
  assert.ok(
    all.some((each) => each.join() === "Session Created,Stream Failure,Session Ended"),
    JSON.stringify(all),
  );
  const { streamSession } = await ivs.getStreamSession({ channelArn });
  assert.deepEqual(
    streamSession!.truncatedEvents!.flatMap(({ code }) => code ?? []),
    ["StreamTakeoverInvalidPriority"],
  );
  const second = "Session Created,Stream Takeover,Stream Takeover Failure,Stream Takeover Failure,Stream Start,Stream End,Session Ended";
  assert.ok(
    all.some((each) => each.join() === second),
    JSON.stringify(all),
  );
});

test("a picture larger than the type allows ends the stream with an event", async (t) => {
  const events: StreamEvent[] = [];
  const installation = await Installation.start(t);
  const { origin, live } = await originUnder(t, installation, { sinks: [(event) => events.push(event)] });
  const ivs = new Ivs(await installation.client());
  const id = (await ivs.createChannel({ type: "BASIC" })).channel!.arn!.split("/")[1]!;
  await live.changed();
  const channel = origin.channels.get(id)!;
  publishDemo(channel, Date.now(), (track) => (track.kind === "video" ? { ...track, width: 3840, height: 2160 } : track));
  const breach = events.find(({ type }) => type === "IVS Limit Breach")!;
  const { detail } = eventBridge(breach, { region: "eu-west-1", account: "123456789012" }) as { detail: Record<string, unknown> };
  const { limit_name, limit_value, exceeded_by, limit_unit, event_name } = detail;
  assert.deepEqual(
    [limit_name, limit_value, exceeded_by, limit_unit, event_name],
    ["Ingest Resolution", 1920 * 1080, 3840 * 2160 - 1920 * 1080, "total pixels", undefined],
  );
});

test("what a process that died left open is closed at the next start", async (t) => {
  const installation = await Installation.start(t);
  const ivs = new Ivs(await installation.client());
  const channelArn = (await ivs.createChannel({})).channel!.arn!;
  const sessions = new SessionLog(installation.context.database, silentLog);
  const id = `st-${"x".repeat(23)}`;
  sessions.started({ id, channelId: channelArn.split("/")[1]!, startAt: begin, channel: "" });
  await sessions.settled();
  await originUnder(t, installation);
  const { streamSession } = await ivs.getStreamSession({ channelArn, streamId: id });
  assert.ok(streamSession!.endTime!.getTime() > begin);
});

test("events reach a webhook in order, signed, and again when it was not there", async (t) => {
  const got: { body: string; signature: string }[] = [];
  let refuse = 2;
  const server = await serveHttp(
    async (request) => {
      if (refuse-- > 0) return new Response(null, { status: 503 });
      got.push({ body: await request.text(), signature: request.headers.get("x-longhaul-signature") ?? "" });
      return new Response(null, { status: 204 });
    },
    { host: "127.0.0.1", port: 0 },
  );
  const place = { region: "eu-west-1", account: "123456789012" };
  const webhooks = new Webhooks([{ url: `http://127.0.0.1:${server.local.port}/`, secret: "s3cret" }], place, silentLog, 5);
  t.after(async () => {
    webhooks.close();
    await server.close();
  });
  for (const name of ["Session Created", "Stream Start"])
    webhooks.post({ at: begin, channelId: "abc", channelName: "show", streamId: "st-1", type: "IVS Stream State Change", name });
  for (let i = 0; i < 500 && webhooks.counters[0]!.delivered < 2; i++) await new Promise((done) => setTimeout(done, 10));
  const bodies = got.map(({ body }) => JSON.parse(body) as { detail: { event_name: string }; resources: string[]; source: string });
  assert.deepEqual(
    bodies.map(({ detail }) => detail.event_name),
    ["Session Created", "Stream Start"],
  );
  assert.deepEqual(bodies[0]!.resources, ["arn:aws:ivs:eu-west-1:123456789012:channel/abc"]);
  const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(got[0]!.signature)!;
  assert.equal(mac, createHmac("sha256", "s3cret").update(`${seconds}.${got[0]!.body}`).digest("hex"));
  assert.deepEqual(webhooks.counters, [{ delivered: 2, retried: 2, givenUp: 0, dropped: 0 }]);
});

test("more channels on the air, or more viewers, than are allowed are refused, with an event of no channel once a minute", async (t) => {
  let now = begin;
  const events: StreamEvent[] = [];
  const installation = await Installation.start(t, { now: () => now });
  const { origin, live } = await originUnder(t, installation, {
    sinks: [(event) => events.push(event)],
    concurrency: { broadcasts: 1, viewers: 2 },
  });
  const ivs = new Ivs(await installation.client());
  const made = [await ivs.createChannel({ insecureIngest: true }), await ivs.createChannel({ insecureIngest: true })];
  await live.changed();
  const [first, second] = made.map(({ channel }) => origin.channels.get(channel!.arn!.split("/")[1]!)!) as [Channel, Channel];
  const encoder: Publisher = { address: "192.0.2.1", secure: true, protocol: "rtmps", heard: origin.now(), refuse() {} };
  const admit = (which: number) => origin.examine(encoder, made[which]!.streamKey!.value!, origin.now());
  assert.equal(admit(0), first);
  first.start(now);
  assert.equal(admit(0), first, "its own stream is none beside it");
  for (let i = 0; i < 2; i++) assert.ok("reason" in admit(1));
  now += 61_000;
  assert.ok("reason" in admit(1));
  const breaches = events.filter(({ type }) => type === "IVS Limit Breach");
  assert.equal(breaches.length, 2);
  const { resources, detail } = eventBridge(breaches[0]!, { region: "eu-west-1", account: "123456789012" }) as Record<string, unknown>;
  assert.deepEqual(resources, []);
  assert.deepEqual(detail, { limit_name: "Concurrent Broadcasts", limit_value: 1, exceeded_by: 1, limit_unit: "active streams" });
  first.end(origin.now());
  assert.equal(admit(1), second);
  live.viewers.see(second.name, "ann", now);
  assert.ok(live.concurrency.admits("viewers", live.viewers.total(now)));
  live.viewers.see(first.name, "ann", now);
  assert.ok(!live.concurrency.admits("viewers", live.viewers.total(now)));
  assert.equal(events.at(-1)!.name, "Concurrent Viewers");
  await live.sessions.settled();
  assert.equal(live.sessions.counters.failed, 0);
});
