/** WHIP's HTTP without a browser and without sockets: transports are of the test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Driver, Loop } from "../host/loop.ts";
import { offer } from "../media/sdp/testing/offer.ts";
import { Peers } from "./peers.ts";
import { type Refused, signalling } from "./signalling.ts";
import { SilentTransports } from "./testing/silent-transports.ts";

function application(refused?: Refused) {
  const drivers: Driver[] = [];
  const loop = { now: () => 0, wake() {}, drive: (driver: Driver) => void drivers.push(driver) } as unknown as Loop;
  const transports = new SilentTransports();
  const peers = new Peers(loop, transports, { peersMax: 1, wallClock: () => 0 });
  const seen: string[] = [];
  const app = signalling({
    peers,
    path: "/whip",
    token: true,
    admit: (name, token) => {
      seen.push(`admit ${name} ${token}`);
      return (
        refused ?? {
          options: { policy: { encodings: { video: ["H264"], audio: ["opus"] } } },
          opened: () => void seen.push("opened"),
          ended: (reason) => void seen.push(`ended: ${reason}`),
        }
      );
    },
    secret: () => "secret",
    seed: () => 1,
  });
  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    app.request(path, { method, headers, ...(body === undefined ? {} : { body }) });
  return { ask, seen, transports, peers };
}

const post = { "content-type": "application/sdp", authorization: "Bearer key" };
const fragment = { "content-type": "application/trickle-ice-sdpfrag" };

test("an offer becomes a session that lives until it is deleted", async () => {
  const { ask, seen, transports, peers } = application();
  const created = await ask("POST", "/whip/studio", post, offer());
  assert.equal(created.status, 201);
  assert.deepEqual(
    ["content-type", "location", "etag", "accept-patch", "access-control-allow-origin"].map((name) => created.headers.get(name)),
    ["application/sdp", "/whip/session/secret", '"us0x"', "application/trickle-ice-sdpfrag", "*"],
  );
  const answer = await created.text();
  assert.match(answer, /a=recvonly/);
  assert.match(answer, /m=video 9 UDP\/TLS\/RTP\/SAVPF 104 103/);
  assert.deepEqual(seen, ["admit studio key", "opened"]);
  assert.equal((await ask("POST", "/whip", post, offer())).status, 503, "peersMax is 1");
  assert.equal((await ask("DELETE", "/whip/session/secret")).status, 200);
  assert.deepEqual(seen.slice(2), ["admit  key", "ended: its offer was not answered", "ended: deleted by its client"]);
  assert.deepEqual([transports.closed, peers.size], [1, 0]);
  assert.equal((await ask("DELETE", "/whip/session/secret")).status, 404);
});

test("candidates trickle under the right ETag; new credentials restart ICE", async () => {
  const { ask, transports } = application();
  await ask("POST", "/whip", post, offer());
  const path = "/whip/session/secret";
  const candidate = "a=ice-ufrag:CPeM\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n";
  assert.equal((await ask("PATCH", path, fragment, candidate)).status, 428);
  assert.equal((await ask("PATCH", path, { ...fragment, "if-match": '"old"' }, candidate)).status, 412);
  assert.equal((await ask("PATCH", path, { ...post, "if-match": '"us0x"' }, candidate)).status, 415);
  assert.equal((await ask("PATCH", path, { ...fragment, "if-match": '"us0x"' }, candidate)).status, 204);
  assert.deepEqual(transports.candidates, ["1 1 udp 1 192.0.2.9 9 typ host"]);
  const restart = candidate.replace("CPeM", "other");
  const restarted = await ask("PATCH", path, { ...fragment, "if-match": "*" }, restart);
  assert.deepEqual([restarted.status, restarted.headers.get("etag")], [200, '"us1x"']);
  assert.match(await restarted.text(), /a=ice-ufrag:us1x\r\n[\s\S]*a=candidate:/);
  assert.deepEqual(transports.restarts, ["other"]);
  assert.equal((await ask("PATCH", path, { ...fragment, "if-match": '"us0x"' }, restart)).status, 412, "that ICE session is over");
});

test("what is wrong with an offer is said in HTTP's words", async () => {
  const { ask, peers } = application();
  const wrong: readonly (readonly [number, Record<string, string>, string])[] = [
    [401, { "content-type": "application/sdp" }, offer()],
    [415, { authorization: "Bearer key", "content-type": "text/plain" }, offer()],
    [400, post, "hello"],
    [400, post, offer().replaceAll("a=setup:actpass", "a=setup:passive")],
    [406, post, offer().replaceAll("H264", "H265").replaceAll("opus", "speex")],
    [413, post, "v=0\r\n".repeat(20_000)],
  ];
  for (const [status, headers, body] of wrong) assert.equal((await ask("POST", "/whip", headers, body)).status, status, `${status}`);
  assert.equal((await ask("GET", "/whip")).status, 405);
  const preflight = await ask("OPTIONS", "/whip");
  assert.deepEqual([preflight.status, preflight.headers.get("accept-post")], [204, "application/sdp"]);
  assert.equal(peers.size, 0);
  const refusing = application({ status: 409, reason: "somebody publishes" });
  const refused = await refusing.ask("POST", "/whip", post, offer());
  assert.deepEqual([refused.status, await refused.text()], [409, "somebody publishes\n"]);
});
