/** Who is let in to a channel: tokens as IVS's owners sign them, policies, revocation; through the HTTP application that viewers see. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { type TestContext, test } from "node:test";
import { Ivs } from "@aws-sdk/client-ivs";
import { SignJWT } from "jose";
import { delivery } from "../../live/delivery.ts";
import { Installation } from "../testing/installation.ts";
import { originUnder, publishDemo } from "../testing/origin.ts";
import { Gate } from "./gate.ts";

const keys = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
const otherKeys = generateKeyPairSync("ec", { namedCurve: "secp384r1" });

async function world(t: TestContext) {
  const installation = await Installation.start(t);
  const { origin, live } = await originUnder(t, installation);
  const { place } = installation.context;
  const country = (address: string): string | undefined => (address === "" ? "DE" : undefined);
  const gate = new Gate({
    directory: live.directory,
    place,
    sessionKey: new Uint8Array(32),
    viewers: live.viewers,
    country,
    now: Date.now,
  });
  const app = delivery(origin, { gate });
  const ivs = new Ivs(await installation.client());
  const get = async (path: string, headers: Record<string, string> = {}) => app.request(path, { headers });
  return { installation, origin, live, ivs, get };
}
type World = Awaited<ReturnType<typeof world>>;

/** A channel with the demo on it. */
async function onAir({ ivs, live, origin }: World, settings: { authorized?: boolean; playbackRestrictionPolicyArn?: string }) {
  const arn = (await ivs.createChannel(settings)).channel!.arn!;
  await live.changed();
  const id = arn.split("/")[1]!;
  const channel = origin.channels.get(id)!;
  publishDemo(channel, Date.now());
  return { arn, id, channel };
}

function token(arn: string, claims: Record<string, unknown> = {}, seconds = 300, key: KeyObject = keys.privateKey): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  return new SignJWT({ "aws:channel-arn": arn, exp, ...claims }).setProtectedHeader({ alg: "ES384" }).sign(key);
}

async function played(get: World["get"], id: string, query: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await get(`/live/${id}/index.m3u8${query}`, headers);
  if (!response.ok) return `${response.status} ${(await response.text()).trim()}`;
  const media = (await response.text()).trim().split("\n").at(-1)!;
  const playlist = await get(`/live/${id}/${media}`, headers);
  if (!playlist.ok) return `media ${playlist.status}`;
  const segment = /^\d+\.m4s$/m.exec(await playlist.text())![0];
  const base = media.slice(0, media.lastIndexOf("/") + 1);
  const bytes = await get(`/live/${id}/${base}${segment}`, headers);
  return bytes.ok ? "plays" : `segment ${bytes.status}`;
}

test("a public channel plays without anything; its viewers are counted", async (t) => {
  const given = await world(t);
  const { id } = await onAir(given, {});
  assert.equal(await played(given.get, id, ""), "plays");
  assert.equal(given.live.stream(id)?.viewers, 1);
  assert.equal(await played(given.get, id, "", { "user-agent": "another" }), "plays");
  assert.equal(given.live.stream(id)?.viewers, 2);
});

test("a private channel plays with a token of its owner and with nothing else", async (t) => {
  const given = await world(t);
  const { get } = given;
  const { arn, id } = await onAir(given, { authorized: true });
  const other = (await given.ivs.createChannel({})).channel!.arn!;
  await given.ivs.importPlaybackKeyPair({ publicKeyMaterial: keys.publicKey.export({ type: "spki", format: "pem" }).toString() });
  await given.live.changed();
  const with_ = async (made: Promise<string>): Promise<string> => played(get, id, `?token=${await made}`);
  assert.equal(await with_(token(arn)), "plays");
  assert.match(await played(get, id, ""), /^401/);
  assert.ok(!(await (await get("/api/status")).text()).includes(id), "nobody is told of it");
  assert.match(await with_(Promise.resolve("a.b.c")), /^403/);
  assert.match(await with_(token(other)), /^403.*another channel/);
  assert.match(await with_(token(arn, {}, -10)), /^403.*expired/);
  assert.match(await with_(token(arn, {}, 300, otherKeys.privateKey)), /^403.*not signed/);
  assert.match(await with_(token(arn, { "aws:viewer-id": "ann" }, 3600)), /^403.*ten minutes/);
  assert.match(await with_(token(arn, { "aws:maximum-resolution": "NONSENSE" })), /^403/);
  const once = token(arn, { "aws:single-use-uuid": "6f1d1d3c-8a7e-4c1e-9c39-0d5c2f6a8f10" });
  assert.equal(await with_(once), "plays");
  assert.match(await with_(once), /^403.*used before/);
  assert.equal((await get(`/live/${id}/media.m3u8`)).status, 401, "not without the session");
  assert.equal((await get(`/live/${id}/s/e30.AAAAAAAAAAAAAAAAAAAAAA/media.m3u8`)).status, 401, "not with one of one's own making");
});

test("a revoked viewer is refused at the next request, a newer version of it plays", async (t) => {
  const given = await world(t);
  const { arn, id } = await onAir(given, { authorized: true });
  await given.ivs.importPlaybackKeyPair({ publicKeyMaterial: keys.publicKey.export({ type: "spki", format: "pem" }).toString() });
  await given.live.changed();
  const claims = (version: number) => ({ "aws:viewer-id": "ann", "aws:viewer-session-version": version });
  const master = await given.get(`/live/${id}/index.m3u8?token=${await token(arn, claims(1))}`);
  const media = (await master.text()).trim().split("\n").at(-1)!;
  assert.equal((await given.get(`/live/${id}/${media}`)).status, 200);
  await given.ivs.startViewerSessionRevocation({ channelArn: arn, viewerId: "ann", viewerSessionVersionsLessThanOrEqualTo: 1 });
  await given.live.changed();
  assert.equal((await given.get(`/live/${id}/${media}`)).status, 403);
  assert.match(await played(given.get, id, `?token=${await token(arn, claims(1))}`), /^403.*revoked/);
  assert.equal(await played(given.get, id, `?token=${await token(arn, claims(2))}`), "plays");
});

test("origins: of a token, of a policy, and strictly", async (t) => {
  const given = await world(t);
  const { ivs, get } = given;
  const page = { origin: "https://a.example" };
  const foreign = { origin: "https://b.example" };
  const { playbackRestrictionPolicy: policy } = await ivs.createPlaybackRestrictionPolicy({
    allowedOrigins: ["https://*.example", "https://a.example"],
  });
  const { id } = await onAir(given, { playbackRestrictionPolicyArn: policy!.arn! });
  assert.equal(await played(get, id, "", page), "plays");
  assert.match(await played(get, id, "", foreign), /^403/);
  assert.equal((await get(`/live/${id}/media.m3u8`, foreign)).status, 401, "nor past the address that looks at it");
  await ivs.updatePlaybackRestrictionPolicy({ arn: policy!.arn!, enableStrictOriginEnforcement: true });
  await given.live.changed();
  assert.equal(await played(get, id, "", page), "plays");
  const media = (await (await get(`/live/${id}/index.m3u8`, page)).text()).trim().split("\n").at(-1)!;
  assert.match(media, /^s\//);
  assert.equal((await get(`/live/${id}/${media}`, foreign)).status, 403, "a session does not move to another page");
  assert.match((await get(`/live/${id}/${media}`, page)).headers.get("vary")!, /\borigin\b/, "nor by way of a cache");
});

test("countries: where it is known that the viewer is there, and only then", async (t) => {
  const given = await world(t);
  const { playbackRestrictionPolicy: policy } = await given.ivs.createPlaybackRestrictionPolicy({ allowedCountries: ["DE"] });
  const { id } = await onAir(given, { playbackRestrictionPolicyArn: policy!.arn! });
  assert.equal(await played(given.get, id, ""), "plays");
  assert.equal((await given.get(`/live/${id}/media.m3u8`)).status, 401, "nobody gets past the address that looks where a viewer is");
  await given.ivs.updatePlaybackRestrictionPolicy({ arn: policy!.arn!, allowedCountries: ["FR"] });
  await given.live.changed();
  assert.match(await played(given.get, id, ""), /^403/);
});
