/** The published SDK against the API, over a socket: what it shows is what was stored, and every refusal has AWS's name. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import * as ivs from "@aws-sdk/client-ivs";
import { Installation } from "../testing/installation.ts";

const errorNamed = (name: string) => (error: Error) => error.name === name && error.message.length > 0;

test("a channel's life: created with one key, read, listed, changed, tagged, deleted", async (t) => {
  const installation = await Installation.start(t);
  const client = new ivs.Ivs(await installation.client());
  const { channel, streamKey } = await client.createChannel({ name: "news", type: "BASIC", tags: { team: "a" } });
  assert.match(channel!.arn!, /^arn:aws:ivs:eu-west-1:123456789012:channel\/[a-zA-Z0-9]{12}$/);
  assert.match(streamKey!.value!, /^sk_eu-west-1_[a-zA-Z0-9]{24}$/);
  assert.equal(channel!.latencyMode, "LOW");
  assert.equal(channel!.ingestEndpoint, "ingest.example");
  assert.match(channel!.playbackUrl!, /^http:\/\/play\.example\/api\/video\/v1\/eu-west-1\.123456789012\.channel\.\w{12}\.m3u8$/);
  assert.deepEqual((await client.getChannel({ arn: channel!.arn! })).channel, channel);
  assert.equal((await client.getStreamKey({ arn: streamKey!.arn! })).streamKey!.value, streamKey!.value);
  await assert.rejects(client.createStreamKey({ channelArn: channel!.arn! }), errorNamed("ServiceQuotaExceededException"));
  const updated = await client.updateChannel({ arn: channel!.arn!, name: "sports", authorized: true, type: "ADVANCED_HD" });
  assert.equal(updated.channel!.name, "sports");
  assert.equal(updated.channel!.preset, "HIGHER_BANDWIDTH_DELIVERY");
  await client.tagResource({ resourceArn: channel!.arn!, tags: { team: "b", place: "x y" } });
  await client.untagResource({ resourceArn: channel!.arn!, tagKeys: ["place"] });
  assert.deepEqual((await client.listTagsForResource({ resourceArn: channel!.arn! })).tags, { team: "b" });
  const listed = await client.listChannels({ filterByName: "sports" });
  assert.equal(listed.channels!.length, 1);
  assert.deepEqual(listed.channels![0]!.tags, { team: "b" });
  await client.deleteStreamKey({ arn: streamKey!.arn! });
  const next = await client.createStreamKey({ channelArn: channel!.arn! });
  assert.notEqual(next.streamKey!.value, streamKey!.value);
  const both = await client.batchGetStreamKey({ arns: [next.streamKey!.arn!, streamKey!.arn!] });
  assert.equal(both.streamKeys!.length, 1);
  assert.equal(both.errors![0]!.code, "NOT_FOUND");
  await client.deleteChannel({ arn: channel!.arn! });
  await assert.rejects(client.getChannel({ arn: channel!.arn! }), errorNamed("ResourceNotFoundException"));
  await assert.rejects(client.getStreamKey({ arn: next.streamKey!.arn! }), errorNamed("ResourceNotFoundException"));
});

test("lists come in pages that neither lose nor repeat a row", async (t) => {
  const installation = await Installation.start(t);
  const client = new ivs.Ivs(await installation.client());
  for (let i = 0; i < 23; i++) await client.createChannel({ name: `c${i}` });
  const names: string[] = [];
  for await (const page of ivs.paginateListChannels({ client, pageSize: 5 }, {})) names.push(...page.channels!.map(({ name }) => name!));
  assert.equal(new Set(names).size, 23);
  assert.equal(names.length, 23);
  await assert.rejects(client.listChannels({ maxResults: 101 }), errorNamed("ValidationException"));
  await assert.rejects(client.listChannels({ nextToken: "Zm9v" }), errorNamed("ValidationException"));
});

test("what is on the air cannot be changed, is shown, stopped and told things", async (t) => {
  const installation = await Installation.start(t);
  const client = new ivs.Ivs(await installation.client());
  const channelArn = (await client.createChannel({})).channel!.arn!;
  const id = channelArn.split("/")[1]!;
  await assert.rejects(client.getStream({ channelArn }), errorNamed("ChannelNotBroadcasting"));
  await assert.rejects(client.putMetadata({ channelArn, metadata: "x" }), errorNamed("ChannelNotBroadcasting"));
  installation.live.onAir.set(id, {
    channelId: id,
    streamId: `st-${"a".repeat(23)}`,
    startedAt: 1_700_000_000_000,
    health: "STARVING",
    viewers: 3,
  });
  const { stream } = await client.getStream({ channelArn });
  assert.equal(stream!.viewerCount, 3);
  assert.equal(stream!.startTime!.getTime(), 1_700_000_000_000);
  assert.equal((await client.listStreams({ filterBy: { health: "STARVING" } })).streams!.length, 1);
  assert.equal((await client.listStreams({ filterBy: { health: "HEALTHY" } })).streams!.length, 0);
  await assert.rejects(client.updateChannel({ arn: channelArn, name: "x" }), errorNamed("ConflictException"));
  await assert.rejects(client.deleteChannel({ arn: channelArn }), errorNamed("ConflictException"));
  for (let i = 0; i < 5; i++) await client.putMetadata({ channelArn, metadata: `m${i}` });
  await assert.rejects(client.putMetadata({ channelArn, metadata: "m5" }), errorNamed("ThrottlingException"));
  await assert.rejects(client.putMetadata({ channelArn, metadata: "ä".repeat(513) }), errorNamed("ValidationException"));
  await client.startViewerSessionRevocation({ channelArn, viewerId: "ann", viewerSessionVersionsLessThanOrEqualTo: 4 });
  await client.stopStream({ channelArn });
  assert.deepEqual(
    installation.live.told.filter((line) => line !== "changed"),
    ["metadata m0", "metadata m1", "metadata m2", "metadata m3", "metadata m4", "revoke ann 4", "stop"],
  );
});

test("keys, policies and recording configurations: made, found, refused while in use", async (t) => {
  const installation = await Installation.start(t);
  const client = new ivs.Ivs(await installation.client());
  const pem = (namedCurve: string): string =>
    generateKeyPairSync("ec", { namedCurve }).publicKey.export({ type: "spki", format: "pem" }).toString();
  const material = pem("secp384r1");
  const { keyPair } = await client.importPlaybackKeyPair({ publicKeyMaterial: material, name: "k" });
  assert.match(keyPair!.fingerprint!, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  await assert.rejects(client.importPlaybackKeyPair({ publicKeyMaterial: material }), errorNamed("ConflictException"));
  await assert.rejects(client.importPlaybackKeyPair({ publicKeyMaterial: pem("prime256v1") }), errorNamed("ValidationException"));
  await client.importPlaybackKeyPair({ publicKeyMaterial: pem("secp384r1") });
  await client.importPlaybackKeyPair({ publicKeyMaterial: pem("secp384r1") });
  await assert.rejects(client.importPlaybackKeyPair({ publicKeyMaterial: pem("secp384r1") }), errorNamed("ServiceQuotaExceededException"));
  await client.deletePlaybackKeyPair({ arn: keyPair!.arn! });
  assert.equal((await client.listPlaybackKeyPairs({})).keyPairs!.length, 2);
  const { playbackRestrictionPolicy: policy } = await client.createPlaybackRestrictionPolicy({
    allowedCountries: ["DE"],
    allowedOrigins: ["https://a.example"],
  });
  const { recordingConfiguration: recording } = await client.createRecordingConfiguration({
    destinationConfiguration: { s3: { bucketName: "shows" } },
  });
  assert.equal(recording!.state, "ACTIVE");
  assert.equal(recording!.thumbnailConfiguration!.targetIntervalSeconds, 60);
  const { channel } = await client.createChannel({
    playbackRestrictionPolicyArn: policy!.arn!,
    recordingConfigurationArn: recording!.arn!,
  });
  await assert.rejects(client.deletePlaybackRestrictionPolicy({ arn: policy!.arn! }), errorNamed("ConflictException"));
  await assert.rejects(client.deleteRecordingConfiguration({ arn: recording!.arn! }), errorNamed("ConflictException"));
  const changed = await client.updatePlaybackRestrictionPolicy({ arn: policy!.arn!, enableStrictOriginEnforcement: true });
  assert.deepEqual(changed.playbackRestrictionPolicy!.allowedCountries, ["DE"]);
  assert.equal(changed.playbackRestrictionPolicy!.enableStrictOriginEnforcement, true);
  await client.updateChannel({ arn: channel!.arn!, playbackRestrictionPolicyArn: "", recordingConfigurationArn: "" });
  await client.deletePlaybackRestrictionPolicy({ arn: policy!.arn! });
  await client.deleteRecordingConfiguration({ arn: recording!.arn! });
  await assert.rejects(
    client.updateChannel({ arn: channel!.arn!, recordingConfigurationArn: recording!.arn! }),
    errorNamed("ResourceNotFoundException"),
  );
  await assert.rejects(client.insertAdBreak({ channelArn: channel!.arn!, durationSeconds: 30 }), errorNamed("AccessDeniedException"));
});

test("who only looks cannot change, and no list shows a stream key", async (t) => {
  const installation = await Installation.start(t);
  const admin = new ivs.Ivs(await installation.client());
  const { channel, streamKey } = await admin.createChannel({});
  const reader = new ivs.Ivs(await installation.client("read-only"));
  await assert.rejects(reader.createChannel({}), errorNamed("AccessDeniedException"));
  await assert.rejects(reader.getStreamKey({ arn: streamKey!.arn! }), errorNamed("AccessDeniedException"));
  assert.equal((await reader.listStreamKeys({ channelArn: channel!.arn! })).streamKeys![0]!.arn, streamKey!.arn);
  const operator = new ivs.Ivs(await installation.client("operator"));
  await operator.deleteStreamKey({ arn: streamKey!.arn! });
  await assert.rejects(operator.deleteChannel({ arn: channel!.arn! }), errorNamed("AccessDeniedException"));
  const rows = await installation.context.database.selectFrom("audit").selectAll().orderBy("id").execute();
  assert.deepEqual(
    rows.map(({ operation, outcome }) => `${operation} ${outcome}`),
    [
      "CreateChannel ok",
      "CreateChannel AccessDeniedException",
      "GetStreamKey AccessDeniedException",
      "DeleteStreamKey ok",
      "DeleteChannel AccessDeniedException",
    ],
  );
});

test("the database holds no secret in the clear", async (t) => {
  const installation = await Installation.start(t);
  const given = await installation.client();
  const { streamKey } = await new ivs.Ivs(given).createChannel({});
  const { database } = installation.context;
  const stored = JSON.stringify([
    await database.selectFrom("stream_keys").selectAll().execute(),
    await database.selectFrom("access_keys").selectAll().execute(),
  ]);
  assert.ok(!stored.includes(streamKey!.value!.slice(13)));
  assert.ok(!stored.includes(given.credentials.secretAccessKey));
});
